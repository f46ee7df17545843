"""abyss.py DEPTH [N]: N threads (2) of pure Python, each below DEPTH calls, until standard input ends."""

import sys
import threading

import ready

stop = threading.Event()


def dive(depth):
    if depth > 1:
        return dive(depth - 1)
    while not stop.is_set():
        sum(range(20000))


def main():
    depth = int(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    sys.setrecursionlimit(depth + 100)
    threading.stack_size(512 << 20)  # older Pythons use C stack for every Python call
    threads = [threading.Thread(target=dive, args=(depth,), name="diver-%d" % n) for n in range(count)]
    ready.announce(threads=ready.start(threads))
    try:
        ready.wait_for_end_of_input()
    finally:
        stop.set()


main()
