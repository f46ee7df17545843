"""forever.py [N]: N threads (2) of pure Python until SIGTERM comes or standard input ends."""

import signal
import sys
import threading

import ready

stop = threading.Event()


def crunch():
    while not stop.is_set():
        sum(range(20000))


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    threads = [threading.Thread(target=crunch, name="crunch-%d" % n) for n in range(count)]
    ids = ready.start(threads)
    ready.announce(threads=ids)
    try:
        ready.wait_for_end_of_input()
    finally:
        stop.set()


main()
