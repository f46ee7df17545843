"""subinterpreters.py KIND: two threads of pure Python in the main interpreter and two in interpreters of their own.

KIND "own": each of these two has a GIL of its own (3.12 on); "shared": both take the main interpreter's GIL.
Until standard input ends.
"""

import os
import sys
import threading

import ready

try:
    import _interpreters as interpreters  # 3.13 on
except ImportError:
    import _xxsubinterpreters as interpreters

CODE = """
def crunch_inside():
    while True:
        sum(range(20000))
crunch_inside()
"""


def make(kind):
    if sys.version_info >= (3, 13):
        return interpreters.create("isolated" if kind == "own" else "legacy")
    return interpreters.create(isolated=kind == "own")


def crunch():
    while True:
        sum(range(20000))


def run_inside(interpreter):
    if sys.version_info >= (3, 13):
        interpreters.exec(interpreter, CODE)
    else:
        interpreters.run_string(interpreter, CODE)


threads = [threading.Thread(target=crunch, name="main-%d" % n, daemon=True) for n in range(2)]
for n in range(2):
    inside = make(sys.argv[1])
    threads.append(threading.Thread(target=run_inside, args=(inside,), name="inside-%d" % n, daemon=True))
ids = ready.start(threads)
ready.announce(threads=ids)
ready.wait_for_end_of_input()
os._exit(0)  # the threads inside never end by themselves
