"""restless.py: never the same for long, until standard input ends.

Threads come and go, hundreds a second, each with a name of its own ("Thread-123"); modules are imported and forgotten; a
thread recurses and comes back; another forks children that run Python for a moment, or exec another program. Then
prints {what: how often}.
"""

import importlib
import json
import os
import shutil
import sys
import tempfile
import threading
import time
import warnings

import ready

stop = threading.Event()
done = {}

MODULE = """
def crunch(count):
    return sum(value * {number} for value in range(count))

class Worker:
    def run(self):
        return [crunch(200) for _ in range(20)]
"""


def dive(depth):
    return dive(depth - 1) + 1 if depth > 0 else sum(range(1000))


def threads(number):
    batch = [threading.Thread(target=dive, args=(depth,)) for depth in (1, 20, 100)]
    for thread in batch:
        thread.start()
    for thread in batch:
        thread.join()
    time.sleep(0.005)


def imports(number):
    """A pool of names: what is imported anew has the same name, and code objects elsewhere."""
    name = "restless_%d" % (number % 100)
    sys.modules.pop(name, None)
    importlib.import_module(name).Worker().run()
    time.sleep(0.02)


def recursions(number):
    dive(900)
    time.sleep(0.001)


def forks(number):
    if number % 8 == 0:
        os.spawnv(os.P_WAIT, "/bin/true", ["true"])
    else:
        child = os.fork()
        if child == 0:
            dive(100)
            os._exit(0)
        os.waitpid(child, 0)
    time.sleep(0.1)


def loops(number):
    sum(range(20000))


def repeat(work):
    name, number = work.__name__, 0
    while not stop.is_set():
        work(number)
        number += 1
        done[name] = number


def make_modules(folder):
    for number in range(100):
        with open(os.path.join(folder, "restless_%d.py" % number), "w") as module:
            module.write(MODULE.format(number=number))
    sys.path.insert(0, folder)
    importlib.invalidate_caches()


def main():
    warnings.simplefilter("ignore")  # 3.12 on warns of a fork beside threads
    folder = tempfile.mkdtemp()
    make_modules(folder)
    workers = [
        threading.Thread(target=repeat, args=(work,), name=work.__name__)
        for work in (threads, imports, recursions, forks, loops)
    ]
    ready.announce(threads=ready.start(workers))
    try:
        ready.wait_for_end_of_input()
    finally:
        stop.set()
        for worker in workers:
            worker.join()
        shutil.rmtree(folder)
    print(json.dumps(done, sort_keys=True))


main()
