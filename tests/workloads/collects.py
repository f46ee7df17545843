"""collects.py: a thread that makes the garbage collector stop the world again and again, and two of pure Python that
it stops. Until standard input ends. On a free-threaded build every collection suspends the other threads.
"""

import gc
import threading

import ready

stop = threading.Event()
announced = threading.Event()
kept = [[i] for i in range(300_000)]  # makes a collection last some milliseconds


def crunch():
    while not stop.is_set():
        sum(range(20000))


def collect():
    announced.wait()  # or the main thread hardly gets on
    while not stop.is_set():
        gc.collect()


threads = [threading.Thread(target=crunch, name="crunch-%d" % n) for n in range(2)]
threads.append(threading.Thread(target=collect, name="collect"))
ids = ready.start(threads)
ready.announce(threads=ids)
announced.set()
ready.wait_for_end_of_input()
stop.set()
