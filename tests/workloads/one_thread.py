"""one_thread.py SECONDS: the main thread alone computes; it holds the GIL, and nobody waits."""

import sys
import time

import ready


def crunch(deadline):
    loops = 0
    while time.monotonic() < deadline:
        sum(range(20000))
        loops += 1
    return loops


deadline = time.monotonic() + float(sys.argv[1])
ready.announce(threads={"MainThread": ready.native_id()})
print(crunch(deadline))
