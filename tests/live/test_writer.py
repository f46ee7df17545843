"""The recording is written by a thread of its own: sampling goes on while that stands still."""

import ctypes
import json
import os
import signal
from pathlib import Path

import harness
import pytest

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
WALL = 0x40000000  # __WALL: wait for a thread that is not the main one


class StoppedThread:
    """One thread of a process, stopped as a disk that does not answer would stop it."""

    def __init__(self, tid):
        self.tid = tid
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]

    def __enter__(self):
        for request in (PTRACE_SEIZE, PTRACE_INTERRUPT):
            if self.libc.ptrace(request, self.tid, None, None) != 0:
                pytest.skip(f"ptrace: {os.strerror(ctypes.get_errno())}")
        os.waitpid(self.tid, WALL)

    def __exit__(self, *_):
        assert self.libc.ptrace(PTRACE_DETACH, self.tid, None, None) == 0


def thread_named(pid, name):
    tids = [int(task.name) for task in Path(f"/proc/{pid}/task").iterdir() if (task / "comm").read_text() == name + "\n"]
    assert len(tids) == 1, tids
    return tids[0]


def sleeps_of(tid):
    """How often it has gone to sleep: a tick does so once."""
    lines = Path(f"/proc/{tid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))


def test_a_disk_that_stands_still_holds_up_nobody(python, start, tmp_path):
    target = start(python, "two_threads.py", 60)
    recording = tmp_path / "run.gilspy"
    out = tmp_path / "out.json"
    gilspy = harness.start_gilspy(
        "attach", "--pid", target.pid, "-q", "-r", 1000, "--recording", recording, "-f", "json", "-o", out
    )
    harness.wait_for_flush(gilspy, recording)
    with StoppedThread(thread_named(gilspy.pid, "gilspy-writer")):
        size = recording.stat().st_size
        sleeps = sleeps_of(gilspy.pid)
        harness.wait_for(lambda: sleeps_of(gilspy.pid) > sleeps + 1500, "1,500 ticks without a writer")
        target.assert_runs_on()
        assert recording.stat().st_size == size
    gilspy.send_signal(signal.SIGINT)
    status, _, error = harness.finish(gilspy)

    assert status == 0, error
    summary = harness.Summary(json.loads(out.read_text()))
    # What was told meanwhile is there.
    assert summary.data["sampling"]["ticks"] > 1400
    for name in ("crunch-0", "crunch-1"):
        assert summary.thread(name).seconds > 0.9 * summary.wall
    again = harness.gilspy("report", recording, "-f", "json")
    assert again.stderr == b""
    assert json.loads(again.stdout)["threads"] == summary.data["threads"]
