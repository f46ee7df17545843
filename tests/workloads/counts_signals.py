"""counts_signals.py: busy in Python, and answers each SIGUSR1 with a line on standard output; ends with its input."""

import os
import signal
import sys
import threading

import ready

ended = threading.Event()


def answer(number, frame):
    os.write(1, b"got it\n")


def wait_for_end():
    sys.stdin.read()
    ended.set()


def main():
    signal.signal(signal.SIGUSR1, answer)
    threading.Thread(target=wait_for_end, daemon=True).start()
    ready.announce()
    while not ended.is_set():
        sum(range(1000))


main()
