"""two_threads.py SECONDS [N]: N threads (2) of pure Python, which can only take turns.

Prints {"crunch-0": loops, ...}: the throughput of each.
"""

import json
import sys
import threading
import time

import ready


def crunch(deadline, loops):
    done = 0
    while time.monotonic() < deadline:
        sum(range(20000))
        done += 1
    loops[threading.current_thread().name] = done


def main():
    deadline = time.monotonic() + float(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    loops = {}
    threads = [
        threading.Thread(target=crunch, args=(deadline, loops), name="crunch-%d" % number)
        for number in range(count)
    ]
    ready.announce(threads=ready.start(threads))
    for thread in threads:
        thread.join()
    print(json.dumps(loops, sort_keys=True))


main()
