"""Builds without a GIL: what is said of them, and of the GIL when it comes back."""

import subprocess

import harness
import pytest

READ = 0  # its number on x86-64

# An extension as most still are: it does not say Py_MOD_GIL_NOT_USED, so importing it switches the GIL on. It takes
# its time: what lasts less than the longest gap between ticks need not be seen.
NEEDS_THE_GIL = """
#include <Python.h>
#include <unistd.h>
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, .m_name = "needs_the_gil", .m_size = 0};
PyMODINIT_FUNC PyInit_needs_the_gil(void) { usleep(50000); return PyModule_Create(&module); }
"""


@pytest.fixture
def extension(free_threaded, tmp_path):
    """The folder of a needs_the_gil that this Python can import."""
    asked = "import sysconfig; print(sysconfig.get_path('include')); print(sysconfig.get_config_var('EXT_SUFFIX'))"
    answer = subprocess.run([free_threaded.path, "-c", asked], check=True, capture_output=True, text=True)
    include, suffix = answer.stdout.split()
    source = tmp_path / "needs_the_gil.c"
    source.write_text(NEEDS_THE_GIL)
    subprocess.run(
        ["gcc", "-shared", "-fPIC", f"-I{include}", source, "-o", tmp_path / f"needs_the_gil{suffix}"], check=True
    )
    return tmp_path


def test_figures_of_the_gil_are_absent(free_threaded, start, tmp_path):
    target = start(free_threaded, "forever.py", 2)
    target.wait_in_call(READ)
    summary = harness.attach(target, 2, tmp_path / "out.json")

    assert summary.data["process"]["free_threaded"] is True
    assert summary.data["process"]["gil_enabled"] is False
    assert "gil" not in summary.data
    assert "GIL off" in summary.data["verdict"]["text"]
    for name in ("crunch-0", "crunch-1"):
        thread = summary.thread(name)
        assert "waiting_seconds" not in thread.row and "holding_running_seconds" not in thread.row
        # They never block, and nobody stops the world.
        assert thread.row["attached_seconds"] / thread.seconds > 0.99, thread
        assert thread.share("running", "runnable") > 0.99, thread
    assert summary.thread("MainThread").row["detached_seconds"] / summary.wall > 0.99


def test_threads_that_a_collection_stops_are_suspended(free_threaded, start, tmp_path):
    target = start(free_threaded, "collects.py")
    summary = harness.attach(target, 2, tmp_path / "out.json")

    # Nearly all the time is spent in collections, most of which keep the world stopped.
    assert summary.thread("crunch-0").row["suspended_seconds"] > 0.2, summary.threads
    # The one that stops the world goes on itself.
    collector = summary.thread("collect")
    assert collector.row["attached_seconds"] / collector.seconds > 0.5, collector


def test_dump_says_that_the_gil_is_off(free_threaded, start):
    target = start(free_threaded, "forever.py", 2)
    target.wait_in_call(READ)
    text = harness.gilspy("dump", "--pid", target.pid).stdout.decode()
    assert "free-threaded, GIL off" in text
    threads = harness.dumped_threads(target)
    assert threads[target.threads["crunch-0"]]["attachment"] == "attached"
    assert threads[target.pid]["attachment"] == "detached"
    assert {thread["gil"] for thread in threads.values()} == {"none"}


def test_a_gil_that_comes_back_is_told_and_measured(free_threaded, start, start_gilspy, extension):
    target = start(free_threaded, "gil_returns.py", extension, "needs_the_gil")
    recording, out = extension / "run.gilspy", extension / "out.json"
    gilspy = start_gilspy("attach", "--pid", target.pid, "-q", "--recording", recording, "-f", "json", "-o", out)
    harness.wait_for_flush(gilspy, recording)

    target.process.stdin.write(b"import it\n")
    target.process.stdin.flush()
    assert target.process.stdout.readline() == b"True\n"  # CPython's own word that it is on
    size = recording.stat().st_size
    harness.wait_for_flush(gilspy, recording, beyond=harness.wait_for_flush(gilspy, recording, beyond=size))
    target.process.stdin.write(b"end\n")
    target.process.stdin.flush()
    target.process.wait(harness.PATIENCE)
    status, _, error = harness.finish(gilspy)
    assert status == 0, error

    summary = harness.read_summary(out)
    assert summary.data["process"]["gil_enabled"] is True
    assert summary.gil["handoffs"] > 0
    text = harness.gilspy("report", recording, "-f", "summary").stdout.decode()
    assert "the GIL was switched on (import of needs_the_gil)" in text
    for name in ("crunch-0", "crunch-1"):
        thread = summary.thread(name)
        assert thread.row["attached_seconds"] > 0 and thread.row["waiting_seconds"] > 0, thread
