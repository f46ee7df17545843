"""Interpreters that share the main one's GIL, and those that have their own."""

import harness
import pytest

READ = 0  # its number on x86-64


def with_own_gils(python):
    """Whether this CPython can give an interpreter a GIL of its own (PEP 684)."""
    return python.minor >= (3, 12)


def test_each_gil_has_figures_of_its_own(python, start, tmp_path):
    if not with_own_gils(python):
        pytest.skip("one GIL for all interpreters")
    target = start(python, "subinterpreters.py", "own")
    target.wait_in_call(READ)
    summary = harness.attach(target, 2, tmp_path / "out.json")

    main, *others = summary.data["gils"]
    assert main["interpreters"] == "main"
    assert len(others) == 2
    # Alone under its GIL a thread holds it all the time; the two of the main interpreter fight for theirs.
    for gil in others:
        assert gil["held_share"] > 0.97 and gil["contended_share"] == 0, gil
    assert main["contended_share"] > 0.8, main
    for name in ("inside-0", "inside-1"):
        assert summary.thread(name).held > 0.97, summary.threads
    for name in ("main-0", "main-1"):
        assert summary.thread(name).waited > 0.3, summary.threads
    assert summary.thread("MainThread").share("blocked") > 0.97, summary.threads


def test_a_shared_gil_is_one_gil(python, start, tmp_path):
    # Before 3.13 the eval loop of one interpreter does not hear that another one asks for the GIL.
    if python.minor < (3, 13):
        pytest.skip("this CPython never hands a shared GIL over")
    target = start(python, "subinterpreters.py", "shared")
    summary = harness.attach(target, 2, tmp_path / "out.json")

    assert "gils" not in summary.data
    text = harness.gilspy("attach", "--pid", target.pid, "-d", 0.5, "-q").stdout.decode()
    assert "GIL shared by the interpreters main, " in text
    # Four threads that never do anything else take turns; CPython does not promise them equal shares.
    four = [summary.thread(name) for name in ("main-0", "main-1", "inside-0", "inside-1")]
    assert sum(thread.held for thread in four) > 0.9, four
    for thread in four:
        assert thread.held > 0.03 and thread.held + thread.waited > 0.9, four


def test_the_stack_is_that_of_the_interpreter_it_runs_in(python, start):
    if python.minor < (3, 12):
        pytest.skip("one GIL for all interpreters")
    target = start(python, "subinterpreters.py", "own")
    threads = harness.dumped_threads(target)
    for name in ("inside-0", "inside-1"):
        functions = [frame["function"] for frame in threads[target.threads[name]]["stack"]]
        assert functions == ["crunch_inside", "<module>"], threads
