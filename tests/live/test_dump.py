"""gilspy dump: one look at where every thread is."""

import json
from pathlib import Path

import harness
import pytest


def test_holding_the_gil_across_a_system_call_shows(python, start):
    # One call that outlasts the test: whenever the look happens, it is inside.
    target = start(python, "hold_in_syscall.py", 60, 60_000_000)
    tid = target.threads["holder"]
    # It said "ready" a moment before the call; the kernel says when it is inside.
    harness.wait_for(lambda: in_call(target.pid, tid, 230), "clock_nanosleep")
    holder = harness.dumped_threads(target)[tid]

    assert (holder["gil"], holder["cpu"]) == ("holding", "blocked")
    assert (holder["kind"], holder["syscall"]) == ("sleep", "clock_nanosleep")
    assert holder["stack"][0]["function"] == "hold"


def in_call(pid, tid, number):
    with open(f"/proc/{pid}/task/{tid}/syscall") as file:
        return file.read().split()[0] == str(number)


def test_blocked_threads_say_what_they_wait_for(any_build, start):
    target = start(any_build, "blocked.py", 60)
    threads = harness.dumped_threads(target)
    kinds = {name: threads[tid].get("kind") for name, tid in target.threads.items()}

    assert kinds == {
        "sleeper": "sleep",
        "locker": "lock",
        "reader": "io",
        "poller": "poll",
        "child-waiter": "child",
        "queue-getter": "lock",
    }
    for name, tid in target.threads.items():
        assert threads[tid]["name"] == name
        gil = "released" if any_build.has_gil else "none"
        assert (threads[tid]["gil"], threads[tid]["cpu"]) == (gil, "blocked"), name


def test_dump_names_the_process_and_its_python(any_build, start):
    target = start(any_build, "blocked.py", 60)
    look = harness.dump(target)

    assert look["pid"] == target.pid
    assert look["python"].startswith("%d.%d." % any_build.minor)
    assert target.pid in {thread["tid"] for thread in look["threads"]}


def test_dump_without_json_is_for_people(any_build, start):
    target = start(any_build, "blocked.py", 60)
    result = harness.gilspy("dump", "--pid", target.pid)

    assert result.returncode == 0, result.stderr.decode()
    for name in target.threads:
        assert name in result.stdout.decode()


def test_thread_names_of_every_kind(any_build, start):
    target = start(any_build, "names.py", 60)
    wanted = {int(tid): name for tid, name in target.details["names"].items()}
    threads = harness.dumped_threads(target)

    assert {tid: threads[tid]["name"] for tid in wanted} == wanted


def test_stacks_are_those_that_cpython_itself_sees(any_build, start):
    target = start(any_build, "lines.py", 60)
    wanted = {int(tid): stack for tid, stack in target.details["stacks"].items()}
    threads = harness.dumped_threads(target)
    found = {
        tid: [[f["function"], f["file"], f["line"]] for f in threads[tid].get("stack", [])]
        for tid in wanted
    }

    for name, tid in target.threads.items():
        assert found[tid] == wanted[tid], name


@pytest.mark.parametrize("depth", [10, 500, 3000])
def test_deep_stacks(any_build, start, depth):
    target = start(any_build, "deep.py", 60, depth)
    stack = harness.dumped_threads(target)[target.threads["diver"]]["stack"]

    assert [frame["function"] for frame in stack].count("dive") == depth


def test_a_child_forked_behind_pythons_back(python, start):
    target = start(python, "forks_in_c.py", 60)
    child = target.details["pid"]
    assert child != target.pid
    # It said that it is ready before it sleeps: by clock_nanosleep, select or pselect6.
    harness.wait_for(
        lambda: Path(f"/proc/{child}/syscall").read_text().split()[0] in ("230", "23", "270"), "the child to sleep"
    )
    result = harness.gilspy("dump", "--pid", child, "--json")
    assert result.returncode == 0, result.stderr.decode()
    threads = {thread["tid"]: thread for thread in json.loads(result.stdout)["threads"]}
    assert [f["function"] for f in threads[child]["stack"]] == ["in_child", "<module>"]
