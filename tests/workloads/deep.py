"""deep.py SECONDS DEPTH: a thread "diver" sleeps below DEPTH calls of dive()."""

import sys
import threading
import time

import ready


def dive(depth, seconds):
    if depth > 1:
        dive(depth - 1, seconds)
    else:
        time.sleep(seconds)


seconds, depth = float(sys.argv[1]), int(sys.argv[2])
sys.setrecursionlimit(depth + 100)
threading.stack_size(512 << 20)  # older Pythons use C stack for every Python call
diver = threading.Thread(target=dive, args=(depth, seconds), name="diver", daemon=True)
ids = ready.start([diver])
ready.wait_until_parked(1)
ready.announce(threads=ids, depth=depth)
time.sleep(seconds)
