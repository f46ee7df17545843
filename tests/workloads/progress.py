"""How a workload says how far it has got, to whoever asks on its standard input."""

import json
import sys
import time


def tell(counts):
    """Answers each line of input with {"loops": sum of counts, "at": seconds of CLOCK_MONOTONIC}, until its end."""
    for _ in sys.stdin:
        print(json.dumps({"loops": sum(counts), "at": time.monotonic()}), flush=True)
