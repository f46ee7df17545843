"""hold_in_syscall.py SECONDS [MICROSECONDS]: a thread "holder" sleeps in C again and again and keeps the GIL.

ctypes.PyDLL calls without letting go of the GIL. MICROSECONDS (20000) is the length of one call.
"""

import ctypes
import sys
import threading
import time

import ready


def hold(deadline, microseconds):
    usleep = ctypes.PyDLL(None).usleep
    # From here and not from the main thread, which may not run again for a whole call.
    ready.announce(threads={"holder": ready.native_id()})
    while time.monotonic() < deadline:
        usleep(microseconds)
        for _ in range(100):  # a moment of pure Python, in which the GIL can change hands
            pass


deadline = time.monotonic() + float(sys.argv[1])
microseconds = int(sys.argv[2]) if len(sys.argv) > 2 else 20000
holder = threading.Thread(target=hold, args=(deadline, microseconds), name="holder")
holder.start()
holder.join()
