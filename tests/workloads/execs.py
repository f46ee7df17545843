"""execs.py SECONDS [PYTHON]: becomes PYTHON (the same) with two_threads.py SECONDS after half a second."""

import os
import sys
import time

deadline = time.monotonic() + 0.5
while time.monotonic() < deadline:
    sum(range(1000))
python = sys.argv[2] if len(sys.argv) > 2 else sys.executable
script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "two_threads.py")
os.execv(python, [python, script, sys.argv[1]])
