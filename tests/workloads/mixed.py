"""mixed.py SECONDS: a program with everything the GIL can do to its threads.

"compute" is pure Python; "summing" adds up numbers in C, for tens of milliseconds without letting go of the GIL;
"sleeper" sleeps in C with the GIL held; "echo-0" to "echo-2" pass a byte through a pipe every few milliseconds
and need the GIL only for moments.
"""

import ctypes
import os
import sys
import threading
import time

import ready


def compute(deadline):
    while time.monotonic() < deadline:
        for _ in range(1000):
            pass


def summing(deadline):
    numbers = range(2000000)
    while time.monotonic() < deadline:
        sum(numbers)
        time.sleep(0.15)


def sleeper(deadline):
    usleep = ctypes.PyDLL(None).usleep
    while time.monotonic() < deadline:
        usleep(8000)
        time.sleep(0.2)


def echo(deadline):
    out, into = os.pipe()
    while time.monotonic() < deadline:
        os.write(into, b"x")
        os.read(out, 1)
        time.sleep(0.004)


deadline = time.monotonic() + float(sys.argv[1])
work = {"compute": compute, "summing": summing, "sleeper": sleeper}
work.update({"echo-%d" % number: echo for number in range(3)})
threads = [threading.Thread(target=run, args=(deadline,), name=name) for name, run in work.items()]
ready.announce(threads=ready.start(threads))
for thread in threads:
    thread.join()
