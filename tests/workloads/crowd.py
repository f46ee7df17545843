"""crowd.py N: N threads (300) that do nothing, and two of pure Python, until standard input ends."""

import sys
import threading

import ready

stop = threading.Event()


def crunch():
    while not stop.is_set():
        sum(range(20000))


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    idle = [threading.Thread(target=stop.wait, name="idle-%d" % n) for n in range(count)]
    ids = ready.start(idle)
    busy = [threading.Thread(target=crunch, name="busy-%d" % n) for n in range(2)]
    ids.update(ready.start(busy))
    ready.announce(threads=ids)
    try:
        ready.wait_for_end_of_input()
    finally:
        stop.set()


main()
