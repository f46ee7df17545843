"""gilspy record: the program runs as it would without gilspy, and the run is written down."""

import json

import harness
import pytest


def record(out, *command, stdin=b"", options=()):
    return harness.gilspy("record", "-q", "-f", "json", "-o", out, *options, "--", *command, stdin=stdin)


def test_a_whole_run(python, tmp_path):
    out = tmp_path / "out.json"
    result = record(out, python.path, *harness.workload("two_threads.py", 3))

    assert result.returncode == 0, result.stderr.decode()
    loops = json.loads(result.stdout)  # the program's own output, and nothing else
    assert set(loops) == {"crunch-0", "crunch-1"}
    summary = harness.read_summary(out)
    summary.assert_verdict("gil-bound")
    # Start and end belong to the run here, so this is looser than test_figures.
    assert summary.gil["held_share"] > 0.9
    assert summary.gil["contended_share"] > 0.85
    for name in loops:
        assert summary.thread(name).held == pytest.approx(0.5, abs=0.05), summary.threads


def test_the_exit_status_is_the_programs_own(any_build, tmp_path):
    result = record(tmp_path / "out.json", any_build.path, *harness.workload("exits.py", 300))
    assert result.returncode == 7


def test_what_a_new_thread_does_is_not_told_of_the_one_that_started_it(python, tmp_path):
    recording = tmp_path / "run.gilspy"
    options = ["-r", "1000", "--stack-rate", "1000", "--recording", recording]
    result = record(tmp_path / "out.json", python.path, *harness.workload("starts.py", 100), options=options)

    assert result.returncode == 0, result.stderr.decode()
    report = harness.gilspy("report", recording, "-f", "collapsed", "--weight", "wall")
    crunching = [line for line in report.stdout.decode().splitlines() if "crunch" in line]
    assert crunching
    assert not [line for line in crunching if line.startswith("MainThread")]


@pytest.mark.parametrize("number", [9, 15])
def test_death_by_a_signal_is_128_and_its_number(any_python, tmp_path, number):
    code = f"import os; sum(range(10**6)); os.kill(os.getpid(), {number})"
    result = record(tmp_path / "out.json", any_python.path, "-c", code)
    assert result.returncode == 128 + number


def test_standard_streams_are_left_alone(any_python, tmp_path):
    code = (
        "import sys; data = sys.stdin.buffer.read(); "
        "sys.stdout.buffer.write(data); sys.stderr.write('to stderr')"
    )
    data = bytes(range(256)) * 4096
    result = record(tmp_path / "out.json", any_python.path, "-c", code, stdin=data)

    assert result.returncode == 0
    assert result.stdout == data
    assert b"to stderr" in result.stderr


def test_a_program_that_is_over_in_20_ms(any_build, tmp_path):
    result = record(tmp_path / "out.json", any_build.path, *harness.workload("exits.py", 20))
    assert result.returncode == 7, result.stderr.decode()
    assert b"unexpected" not in result.stderr


def test_a_program_that_execs_another_python(any_build, tmp_path):
    # From inside a chroot only that Python itself can be had.
    others = [p for p in harness.pythons() if not p.missing and p != any_build and not any_build.in_chroot]
    out = tmp_path / "out.json"
    result = record(out, any_build.path, *harness.workload("execs.py", 2, *[p.path for p in others[:1]]))

    assert result.returncode == 0, result.stderr.decode()
    assert set(json.loads(result.stdout)) == {"crunch-0", "crunch-1"}
    summary = harness.read_summary(out)
    for name in ("crunch-0", "crunch-1"):  # only the second Python has them
        assert summary.thread(name).held == pytest.approx(0.5, abs=0.1), summary.threads


def test_a_program_that_is_no_python(tmp_path):
    result = record(tmp_path / "out.json", "/bin/sh", "-c", "exit 3")
    assert result.returncode == 3
    assert "python" in result.stderr.decode().lower() or "no sample" in result.stderr.decode()


def test_a_program_that_does_not_exist(tmp_path):
    result = record(tmp_path / "out.json", "/no/such/program")
    assert result.returncode != 0
    assert "/no/such/program" in result.stderr.decode()


def test_duration_ends_the_sampling_and_not_the_program(any_python, tmp_path):
    out = tmp_path / "out.json"
    command = [any_python.path, *harness.workload("two_threads.py", 3)]
    result = record(out, *command, options=["-d", "1"])

    assert result.returncode == 0, result.stderr.decode()
    assert set(json.loads(result.stdout)) == {"crunch-0", "crunch-1"}
    assert harness.read_summary(out).wall == pytest.approx(1, abs=0.2)
