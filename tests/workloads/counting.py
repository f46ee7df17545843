"""counting.py [N]: N threads (2) of pure Python until standard input ends, that say how far they are.

Answers each line of input with {"loops": of all threads, "at": seconds of CLOCK_MONOTONIC}.
"""

import json
import sys
import threading
import time

import ready

count = int(sys.argv[1]) if len(sys.argv) > 1 else 2
loops = [0] * count
stop = threading.Event()


def crunch(number):
    while not stop.is_set():
        sum(range(2000))
        loops[number] += 1


threads = [threading.Thread(target=crunch, args=(n,), name="crunch-%d" % n) for n in range(count)]
ready.announce(threads=ready.start(threads))
for line in sys.stdin:
    print(json.dumps({"loops": sum(loops), "at": time.monotonic()}), flush=True)
stop.set()
