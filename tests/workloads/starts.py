"""starts.py COUNT: starts so many threads, one after the other. Each computes in crunch(), which the main thread never enters:
it waits until they have ended."""

import sys
import threading


def crunch():
    for _ in range(20):
        sum(range(20000))


for _ in range(int(sys.argv[1])):
    thread = threading.Thread(target=crunch)
    thread.start()
    thread.join()
