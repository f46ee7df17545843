"""alone.py SECONDS: the only thread holds the GIL for some milliseconds, and lets go of it for some: nobody ever waits."""

import sys
import time
import zlib

import ready

deadline = time.monotonic() + float(sys.argv[1])
data = bytes(range(256)) * 4096
ready.announce()
while time.monotonic() < deadline:
    sum(range(400000))
    zlib.compress(data, 1)
