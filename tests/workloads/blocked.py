"""blocked.py SECONDS: a thread for every way of waiting without the GIL.

sleeper, locker, reader, poller, child-waiter, queue-getter; the main thread waits in Event.wait().
"""

import queue
import select
import socket
import subprocess
import sys
import threading
import time

import ready

seconds = float(sys.argv[1])
lock = threading.Lock()
lock.acquire()
silent, _other_end = socket.socketpair()
silent_too, _other_end_too = socket.socketpair()
child = subprocess.Popen(["sleep", str(seconds)])

ways = {
    "sleeper": lambda: time.sleep(seconds),
    "locker": lock.acquire,
    "reader": lambda: silent.recv(1),
    "poller": lambda: select.select([silent_too], [], []),
    "child-waiter": child.wait,
    "queue-getter": queue.Queue().get,
}
ids = ready.start(
    [threading.Thread(target=way, name=name, daemon=True) for name, way in ways.items()]
)
ready.wait_until_parked(len(ways))
ready.announce(threads=ids)
threading.Event().wait(seconds)
