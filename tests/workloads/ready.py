"""How a workload tells a test that its threads are where they should be.

Runs on every Python from 3.7 on, like all workloads.
"""

import json
import os
import threading
import time


def native_id():
    """The kernel's id of the calling thread."""
    if hasattr(threading, "get_native_id"):
        return threading.get_native_id()
    import ctypes  # only 3.7 has to ask the kernel itself

    return ctypes.CDLL(None).syscall(186)  # gettid on x86-64


def announce(**details):
    """Writes one line "ready {...}" to the FIFO that GILSPY_READY_FIFO names, if it does."""
    path = os.environ.get("GILSPY_READY_FIFO")
    if not path:
        return
    details.setdefault("pid", os.getpid())
    with open(path, "w") as fifo:
        fifo.write("ready " + json.dumps(details) + "\n")


def wait_for_end_of_input():
    while os.read(0, 4096):
        pass


def start(threads):
    """Starts threading.Threads, waits until each runs its target, and returns {name: native id}."""
    ids = {}
    for thread in threads:
        started = threading.Event()
        thread.run = _reporting(thread, thread.run, ids, started)
        thread.start()
        started.wait()
    return ids


def _reporting(thread, run, ids, started):
    def run_and_report():
        ids[thread.name] = native_id()
        started.set()
        run()

    return run_and_report


def wait_until_parked(expected, patience=10):
    """Returns once `expected` threads besides the caller sleep in the kernel and stay there.

    A thread is parked when it is in state S and did not run between two looks. The caller sleeps
    between them, so nobody can be waiting for the GIL meanwhile. (/proc tells more than any flag that
    a thread sets before it blocks.)
    """
    deadline = time.monotonic() + patience
    before = None
    while time.monotonic() < deadline:
        now = _sleepers()
        if now == before and len(now) >= expected:
            return
        before = now
        time.sleep(0.02)
    raise SystemExit("threads did not come to rest: %r" % (before,))


def _sleepers():
    """{task: times it went to sleep} of all tasks in state S but the main thread."""
    found = {}
    for task in os.listdir("/proc/self/task"):
        if int(task) == os.getpid():
            continue
        with open("/proc/self/task/%s/status" % task) as status:
            fields = dict(line.split(":", 1) for line in status if ":" in line)
        if fields["State"].strip().startswith("S"):
            found[task] = fields["voluntary_ctxt_switches"].strip()
    return found
