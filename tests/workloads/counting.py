"""counting.py [N]: N threads (2) of pure Python until standard input ends, that say how far they are: see progress.py."""

import sys
import threading

import progress
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
progress.tell(loops)
stop.set()
