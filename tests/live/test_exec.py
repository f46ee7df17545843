"""A program that becomes another one by exec, where nothing in its addresses tells the two apart."""

import json

import harness

# Looks the same before and after each exec: same binary, arguments and environment.
ROUND = """
import os, sys, threading
print("round", flush=True)
for line in sys.stdin:
    if line == "exec\\n":
        os.execv(sys.executable, [sys.executable, "-u", "-c", os.environ["ROUND"]])
"""


def test_without_address_space_randomisation_an_exec_is_seen(start, start_gilspy, any_python, tmp_path):
    target = start.command(
        ["setarch", "-R", "env", f"ROUND={ROUND}", any_python.path, "-u", "-c", ROUND], wait_ready=False
    )
    said = target.process.stdout
    assert said.readline() == b"round\n"
    next_round(target)  # from here on the addresses stay
    place = stack_start(target.pid)

    recording = tmp_path / "run.gilspy"
    session = start_gilspy("attach", "--pid", target.pid, "--recording", recording, "-f", "json",
                           "-o", tmp_path / "out.json")  # fmt: skip
    size = harness.wait_for_flush(session, recording)
    next_round(target)
    assert stack_start(target.pid) == place
    # Another flush: it was sampled on beyond the exec.
    harness.wait_for_flush(session, recording, beyond=size)
    target.end()

    status, _, err = harness.finish(session)
    assert status == 0, err
    assert err.count("become another program") == 1, err
    summary = json.loads((tmp_path / "out.json").read_text())
    assert summary["process"]["pid"] == target.pid


FIRST = """
import os, sys, time
def before_exec():
    end = time.monotonic() + 1
    while time.monotonic() < end: sum(range(1000))
before_exec()
os.execv(sys.executable, [sys.executable, "-c", os.environ["SECOND"]])
"""
SECOND = """
import time
def after_exec():
    end = time.monotonic() + 1
    while time.monotonic() < end: sum(range(1000))
after_exec()
"""


def test_functions_of_both_programs_keep_their_names(any_python, tmp_path):
    recording = tmp_path / "run.gilspy"
    result = harness.gilspy(
        "record", "-q", "-f", "json", "-o", tmp_path / "out.json", "--recording", recording,
        "--", any_python.path, "-c", FIRST, env={"SECOND": SECOND},
    )  # fmt: skip
    assert result.returncode == 0, result.stderr.decode()
    report = harness.gilspy("report", recording, "-f", "collapsed", "--weight", "wall")
    seconds = {"before_exec": 0, "after_exec": 0}
    for line in report.stdout.decode().splitlines():
        stack, _, microseconds = line.rpartition(" ")
        for name in seconds:
            if name in stack:
                seconds[name] += int(microseconds) / 1e6
    # Each ran for a second, and was seen but for the moments before the first look at it.
    assert 0.6 < seconds["before_exec"] < 1.1, seconds
    assert 0.6 < seconds["after_exec"] < 1.1, seconds


def next_round(target):
    target.process.stdin.write(b"exec\n")
    target.process.stdin.flush()
    assert target.process.stdout.readline() == b"round\n"


def stack_start(pid):
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rpartition(")")[2].split()[25])
