"""Are the figures right? Programs whose GIL behaviour is known beforehand.

They are attached to once they run: start-up is not what is measured here.
"""

import os

import harness
import pytest


def test_two_threads_of_pure_python_take_turns(python, start, tmp_path):
    target = start(python, "two_threads.py", 60)
    summary = harness.attach(target, 5, tmp_path / "out.json")

    for name in ("crunch-0", "crunch-1"):
        assert summary.thread(name).held == pytest.approx(0.5, abs=0.05), summary.threads
        assert summary.thread(name).waited == pytest.approx(0.5, abs=0.05), summary.threads
    assert summary.gil["held_share"] > 0.97
    assert summary.gil["contended_share"] > 0.97
    # The switch interval is 5 ms, so 200 a second is the most.
    assert 80 <= summary.handoffs_per_second <= 200
    summary.assert_verdict("gil-bound")


def test_two_threads_blame_each_other(python, start, tmp_path):
    target = start(python, "two_threads.py", 60)
    summary = harness.attach(target, 2, tmp_path / "out.json")

    # Rows without a function are hand-overs, in which nobody holds it.
    crunches = [row for row in summary.data["blame"] if row.get("function") == "crunch"]
    pairs = {(row["holder"], row["waiter"]) for row in crunches}
    assert {("crunch-0", "crunch-1"), ("crunch-1", "crunch-0")} <= pairs
    assert {row["file"].rpartition("/")[2] for row in crunches} == {"two_threads.py"}
    assert sum(row["seconds"] for row in crunches) > 0.9 * summary.gil["wait_seconds"]


def test_one_thread_alone_holds_and_nobody_waits(python, start, tmp_path):
    target = start(python, "one_thread.py", 60)
    summary = harness.attach(target, 2, tmp_path / "out.json")

    assert summary.gil["held_share"] > 0.97
    assert summary.gil["contended_share"] < 0.01
    summary.assert_verdict("not-gil-bound")


def test_a_thread_that_lacks_a_cpu_waits_for_nobody_when_it_is_alone(python, start, tmp_path):
    """It has let go of the GIL when it loses its CPU, after a hold as long as if it had been asked for it."""
    target = start(python, "alone.py", 60)
    for _ in range(os.cpu_count()):  # each of the CPUs has something else to do as well
        start(python, "one_thread.py", 60)
    summary = harness.attach(target, 3, tmp_path / "out.json")

    assert summary.gil["wait_seconds"] == 0, summary.threads
    assert summary.thread("MainThread").share("runnable") > 0, summary.threads


def test_hashing_runs_without_the_gil(python, start, tmp_path):
    target = start(python, "hashing.py", 60)
    summary = harness.attach(target, 2, tmp_path / "out.json")

    assert summary.gil["held_share"] < 0.03
    for name in ("hash-0", "hash-1"):
        # On a machine with less than two free cores it is ready to run, which is as good.
        assert summary.thread(name).share("running", "runnable") > 0.9, summary.threads


def test_a_system_call_that_keeps_the_gil_is_holding_blocked(python, start, tmp_path):
    target = start(python, "hold_in_syscall.py", 60)
    summary = harness.attach(target, 2, tmp_path / "out.json")

    assert summary.thread("holder").share("holding_blocked") > 0.9, summary.threads


@pytest.mark.parametrize("name", ["two_threads.py", "hashing.py", "hold_in_syscall.py", "blocked.py"])
def test_a_threads_times_add_up_to_its_lifetime(python, start, tmp_path, name):
    target = start(python, name, 60)
    summary = harness.attach(target, 1, tmp_path / "out.json")

    assert set(target.threads.values()) <= {thread.tid for thread in summary.threads}
    for thread in summary.threads:
        assert thread.seconds <= summary.wall + 1e-6, thread
        if thread.tid in target.threads.values():  # there all along
            assert thread.seconds == pytest.approx(summary.wall, rel=0.02), thread


def test_it_says_how_late_its_ticks_were(python, start, tmp_path):
    target = start(python, "two_threads.py", 60)
    sampling = harness.attach(target, 1, tmp_path / "out.json").data["sampling"]
    assert 0 <= sampling["late_seconds_median"] <= sampling["late_seconds_p99"] <= sampling["late_seconds_worst"]
    assert sampling["late_seconds_worst"] > 0
    assert 0 <= sampling["missed_for_room"] <= sampling["missed"]


def test_who_goes_as_fast_as_it_can_is_never_late(any_python, start, tmp_path):
    target = start(any_python, "two_threads.py", 60)
    sampling = harness.attach(target, 1, tmp_path / "out.json", "-r", "max").data["sampling"]
    assert not [name for name in sampling if name.startswith("late_")]
