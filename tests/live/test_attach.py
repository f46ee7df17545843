"""gilspy attach: every way it can end leaves whole files, and the target as it was."""

import json
import re
import signal

import harness
import pytest


@pytest.fixture
def session(start, start_gilspy, any_python, tmp_path):
    """A target that runs for ever, and gilspy attached to it with samples already in its recording."""

    class Session:
        target = start(any_python, "forever.py")
        recording = tmp_path / "run.gilspy"
        out = tmp_path / "out.json"
        gilspy = start_gilspy(
            "attach", "--pid", target.pid, "-q",
            "--recording", recording, "-f", "json", "-o", out,
        )  # fmt: skip

        def wait_for_flush(self, beyond=None):
            return harness.wait_for_flush(self.gilspy, self.recording, beyond)

        def assert_ends_with_whole_files(self):
            status, out, err = harness.finish(self.gilspy)
            assert (status, out) == (0, ""), err
            summary = harness.read_summary(self.out)
            assert summary.gil["held_share"] > 0.5
            report = harness.gilspy("report", self.recording, "-f", "json")
            assert report.returncode == 0, report.stderr.decode()
            # The recording says the same as the report that was made from it at once.
            assert json.loads(report.stdout)["threads"] == summary.data["threads"]
            return summary

    running = Session()
    running.wait_for_flush()
    return running


def test_for_a_second(any_build, start, tmp_path):
    target = start(any_build, "forever.py")
    summary = harness.attach(target, 1, tmp_path / "out.json")

    assert summary.wall == pytest.approx(1, abs=0.2)
    assert summary.data["process"]["pid"] == target.pid
    assert summary.data["process"]["python"].startswith("%d.%d." % any_build.minor)
    target.assert_runs_on()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_until_a_signal(session, number):
    session.gilspy.send_signal(number)
    session.assert_ends_with_whole_files()
    session.target.assert_runs_on()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_until_the_target_ends(session, number):
    session.target.send(number)
    session.assert_ends_with_whole_files()


def test_gilspy_killed_leaves_the_target_and_what_was_flushed(session):
    session.wait_for_flush(beyond=session.wait_for_flush())
    session.gilspy.kill()
    session.gilspy.communicate()
    session.target.assert_runs_on()

    report = harness.gilspy("report", session.recording, "-f", "json")
    assert report.returncode == 0, report.stderr.decode()
    summary = harness.Summary(json.loads(report.stdout))
    assert summary.wall > 0.8  # two flushes, a second of samples each
    assert summary.gil["held_share"] > 0.9


def test_target_stopped_and_continued(session):
    target = session.target
    target.send(signal.SIGSTOP)
    harness.wait_for(lambda: target.state() == "T", "the target to stop")
    # Sampling goes on meanwhile: time passes in the recording.
    session.wait_for_flush(beyond=session.recording.stat().st_size)
    assert target.state() == "T"  # gilspy did not wake it
    target.send(signal.SIGCONT)
    target.assert_runs_on()
    session.wait_for_flush(beyond=session.recording.stat().st_size)
    session.gilspy.send_signal(signal.SIGINT)

    summary = session.assert_ends_with_whole_files()
    for thread in summary.threads:
        assert thread.seconds == pytest.approx(summary.wall, rel=0.02), thread


def test_a_cpu_budget_lowers_the_rates_and_says_so(start, any_python, tmp_path):
    target = start(any_python, "forever.py")
    recording = tmp_path / "run.gilspy"
    # Nobody can look as often as it goes with a thousandth of a core.
    harness.attach(
        target, 4, tmp_path / "out.json",
        "--recording", recording, "-r", "max", "--stack-rate", "max", "--cpu-budget", "0.1",
    )  # fmt: skip
    report = harness.gilspy("report", recording, "-f", "summary")
    assert report.returncode == 0, report.stderr.decode()
    notes = re.findall(r"CPU budget of 0.1 %: states (.*), stacks (.*)", report.stdout.decode())
    # The stacks' rate first, for as long as there is any to take away.
    assert notes[0][0] == "as often as it goes"
    assert re.fullmatch(r"at \d+ Hz", notes[0][1])
    assert notes[-1][1] == "at 1.0 Hz"
    assert re.fullmatch(r"at \d+ Hz", notes[-1][0])
    target.assert_runs_on()


@pytest.mark.parametrize("percent", ["0", "-1", "much"])
def test_a_budget_of_nothing_is_a_wrong_command_line(percent):
    result = harness.gilspy("attach", "--pid", "1", "--cpu-budget", percent)
    assert result.returncode == 2
    assert b"--cpu-budget" in result.stderr
