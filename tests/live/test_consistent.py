"""--consistent: the thread that holds the GIL is stopped while its stack is read, and nothing else happens to it."""

import json
import signal
import subprocess

import harness

OPTIONS = ("--consistent", "--stack-rate", "max")


def test_sees_what_a_target_does(any_build, start, tmp_path):
    target = start(any_build, "forever.py")
    summary = harness.attach(target, 1, tmp_path / "out.json", *OPTIONS)
    sampling = summary.data["sampling"]
    assert sampling["stacks"] > 200
    assert sampling["stacks_dropped"] <= sampling["stacks"] / 100
    target.assert_runs_on()


def test_leaves_the_exit_status_to_whom_it_belongs(python, tmp_path):
    out = tmp_path / "out.json"
    result = harness.gilspy(
        "record", "-q", "-f", "json", "-o", out, *OPTIONS, "--",
        python.path, "-c", "import sys, time\nend = time.monotonic() + 1\nwhile time.monotonic() < end: sum(range(1000))\nsys.exit(7)",
    )  # fmt: skip
    assert result.returncode == 7, result.stderr.decode()
    assert json.loads(out.read_text())["sampling"]["stacks"] > 200


def test_loses_no_signal(any_python, start, start_gilspy, tmp_path):
    target = start(any_python, "counts_signals.py")
    recording = tmp_path / "run.gilspy"
    gilspy = start_gilspy("attach", "--pid", target.pid, "-q", "-r", "4000", *OPTIONS, "--recording", recording)
    harness.wait_for_flush(gilspy, recording)
    # One at a time: signals of one kind that are not answered yet become one.
    for _ in range(300):
        target.send(signal.SIGUSR1)
        assert target.process.stdout.readline() == b"got it\n"
    gilspy.send_signal(signal.SIGINT)
    status, _, err = harness.finish(gilspy)
    assert status == 0, err
    target.assert_runs_on()


def test_a_killed_gilspy_leaves_the_target_running(any_python, start, start_gilspy, tmp_path):
    target = start(any_python, "forever.py")
    for number in range(10):
        recording = tmp_path / f"{number}.gilspy"
        gilspy = start_gilspy("attach", "--pid", target.pid, "-q", "-r", "max", *OPTIONS, "--recording", recording)
        harness.wait_for_flush(gilspy, recording)
        gilspy.send_signal(signal.SIGKILL)
        assert gilspy.wait(harness.PATIENCE) == -signal.SIGKILL
        target.assert_runs_on()


def test_a_target_that_is_traced_already_goes_on(any_python, start, tmp_path):
    """Stacks that cannot be had are dropped and counted."""
    target = start(any_python, "forever.py")
    tracer = subprocess.Popen(
        ["strace", "-f", "-e", "trace=none", "-o", tmp_path / "trace.txt", "-p", str(target.pid)],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert "attached" in tracer.stderr.readline()
        summary = harness.attach(target, 1, tmp_path / "out.json", *OPTIONS)
        sampling = summary.data["sampling"]
        assert sampling["stacks_dropped"] > 100
        assert sampling["stacks_dropped_by_reason"]["not_stopped"] > 100
        assert sum(sampling["stacks_dropped_by_reason"].values()) == sampling["stacks_dropped"]
    finally:
        tracer.terminate()
        tracer.communicate()
    target.assert_runs_on()
