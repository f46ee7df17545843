"""forks_in_c.py SECONDS: a child made by C's fork(), of which Python is not told, waits in in_child().

So do servers written in C that load the program first and fork their workers then. Announces the child.
"""

import ctypes
import os
import sys
import time

import ready


def in_child():
    ready.announce(parent=os.getppid())
    time.sleep(float(sys.argv[1]))


if ctypes.PyDLL(None).fork() == 0:
    in_child()
    os._exit(0)
time.sleep(float(sys.argv[1]))
