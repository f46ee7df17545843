"""gil_returns.py FOLDER MODULE: two threads of pure Python on a free-threaded build, whose GIL is off.

A line on standard input makes the main thread import MODULE from FOLDER, an extension that does not say that it can
do without the GIL; another one, or the end of standard input, ends the program.
"""

import os
import sys
import threading

import ready

stop = threading.Event()


def crunch():
    while not stop.is_set():
        sum(range(20000))


def load(name):
    __import__(name)


def main():
    sys.path.insert(0, sys.argv[1])
    threads = [threading.Thread(target=crunch, name="crunch-%d" % n) for n in range(2)]
    ids = ready.start(threads)
    ready.announce(threads=ids, gil=sys._is_gil_enabled())
    os.read(0, 4096)
    load(sys.argv[2])
    print(sys._is_gil_enabled(), flush=True)
    os.read(0, 4096)
    stop.set()


main()
