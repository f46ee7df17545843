"""hashing.py SECONDS: two threads hash 8 MB at a time. hashlib lets go of the GIL for that."""

import hashlib
import sys
import threading
import time

import ready


def work(deadline):
    data = b"x" * (8 << 20)
    while time.monotonic() < deadline:
        hashlib.sha256(data).digest()


deadline = time.monotonic() + float(sys.argv[1])
threads = [threading.Thread(target=work, args=(deadline,), name="hash-%d" % n) for n in range(2)]
ready.announce(threads=ready.start(threads))
for thread in threads:
    thread.join()
