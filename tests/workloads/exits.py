"""exits.py MS: computes for MS milliseconds and ends with exit status 7."""

import sys
import time

deadline = time.monotonic() + float(sys.argv[1]) / 1000
while time.monotonic() < deadline:
    sum(range(1000))
sys.exit(7)
