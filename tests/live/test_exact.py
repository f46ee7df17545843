"""--exact: waits from the kernel's own records, and what is left of it where those may not be had."""

import csv
import json
import os
import shutil
import subprocess

import harness
import pytest

NOBODY = 65534
root_alone = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be somebody else")


def record(out, recording, *command, prefix=()):
    return subprocess.run(
        [*prefix, harness.GILSPY, "record", "--exact", "-q", "-f", "json", "-o", out, "--recording", recording, "--",
         *command],
        capture_output=True, timeout=harness.PATIENCE,
    )  # fmt: skip


def waits_of(recording):
    """Lengths of every thread's waits in the recording, in seconds."""
    text = subprocess.run(
        [harness.GILSPY, "report", recording, "-f", "csv"], capture_output=True, text=True, check=True
    ).stdout
    waits, last = [], {}
    for row in csv.DictReader(text.splitlines()):
        begin, end = float(row["start_s"]), float(row["end_s"])
        if row["gil"] != "waiting":
            continue
        if last.get(row["tid"], (0, -1))[1] == begin:
            begin = last[row["tid"]][0]
            waits.remove((row["tid"], *last[row["tid"]]))
        last[row["tid"]] = (begin, end)
        waits.append((row["tid"], begin, end))
    return [end - begin for _, begin, end in waits]


def can_trace():
    """Whether the kernel's tracepoints may be used here."""
    result = harness.gilspy("doctor")
    return b"ok   exact waits" in result.stdout


def test_waits_are_told_from_the_kernels_records(python, tmp_path):
    if not can_trace():
        pytest.skip("tracepoints may not be used here")
    out, recording = tmp_path / "out.json", tmp_path / "run.gilspy"
    result = record(out, recording, python.path, *harness.workload("two_threads.py", 2))
    assert result.returncode == 0, result.stderr.decode()
    summary = json.loads(out.read_text())
    assert summary["sampling"]["source"] == "exact"
    assert summary["sampling"]["lost_records"] == 0
    # A thread asks for the GIL after one switch interval of 5 ms, by a timer: almost no wait is shorter than
    # that, but for those of the hand-overs, which are microseconds long and which no tick sees.
    waits = waits_of(recording)
    assert sum(wait >= 0.005 for wait in waits) > 50
    crunches = [thread for thread in summary["threads"] if thread["name"].startswith("crunch")]
    assert len(crunches) == 2
    for thread in crunches:
        assert thread["waiting_seconds"] > 0.3


def test_each_gil_has_its_own_waits(python, start, tmp_path):
    if python.minor < (3, 12):
        pytest.skip("one GIL for all interpreters")
    if not can_trace():
        pytest.skip("tracepoints may not be used here")
    target = start(python, "subinterpreters.py", "own")
    summary = harness.attach(target, 2, tmp_path / "out.json", "--exact")
    assert summary.data["sampling"]["source"] == "exact"
    assert summary.data["sampling"]["lost_records"] == 0
    # Nobody else wants the GILs of those inside; of the two that share the main one, one waits at any time, or
    # was handed it and wants a CPU, for which four threads compete.
    for name in ("inside-0", "inside-1"):
        assert summary.thread(name).waited == 0, summary.threads
    sharing = [summary.thread(name) for name in ("main-0", "main-1")]
    assert sum(thread.waited + thread.share("runnable") for thread in sharing) > 0.8, summary.threads
    assert min(thread.waited for thread in sharing) > 0.1, summary.threads


def test_without_the_option_the_ticks_tell(python, tmp_path):
    out = tmp_path / "out.json"
    result = harness.gilspy(
        "record", "-q", "-f", "json", "-o", out, "--", python.path, *harness.workload("two_threads.py", 0.5)
    )
    assert result.returncode == 0
    sampling = json.loads(out.read_text())["sampling"]
    assert sampling["source"] == "sampled"
    assert "lost_records" not in sampling


@root_alone
def test_without_tracefs_the_switches_are_left(tmp_path):
    """As a user without rights: tracefs cannot be read, one's own context switches may be recorded."""
    folder = tmp_path / "nobody"
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    for parent in [folder, *folder.parents[:-1]]:
        if parent.stat().st_mode & 0o001 == 0:
            parent.chmod(parent.stat().st_mode | 0o011)
    for file in ("two_threads.py", "ready.py"):
        shutil.copy(harness.workload(file)[0], folder)
    prefix = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
    reachable = subprocess.run([*prefix, harness.GILSPY, "--help"], capture_output=True).returncode == 0
    if not reachable:
        pytest.skip("gilspy is in a folder that nobody may enter")
    out, recording = folder / "out.json", folder / "run.gilspy"
    result = record(out, recording, "/usr/bin/python3", folder / "two_threads.py", "1", prefix=prefix)
    assert result.returncode == 0, result.stderr.decode()
    sampling = json.loads(out.read_text())["sampling"]
    assert sampling["source"] in ("switches", "sampled")
    summary = subprocess.run([harness.GILSPY, "report", recording], capture_output=True, text=True).stdout
    assert "waits for the GIL are sampled, not exact" in summary
    if sampling["source"] == "switches":
        assert "time on CPUs exact from the kernel" in summary
    doctor = subprocess.run([*prefix, harness.GILSPY, "doctor"], capture_output=True, text=True)
    assert "NO   exact waits (--exact)" in doctor.stdout
    assert "fix: " in doctor.stdout.split("exact waits")[1].splitlines()[1]
    assert doctor.returncode == 0, "sampling works without"
