"""native.py WHAT SECONDS: a thread named WHAT spends its time in C code.

    regex     a regular expression that backtracks without end (holds the GIL)
    sort      sorted() of a long list (holds it)
    json      json.loads() of a long text (holds it)
    deflate   zlib.compress() of a large buffer (lets go of it)
    sha256    hashlib.sha256() of a large buffer (lets go of it)
    usleep    ctypes.PyDLL(None).usleep() (holds it, and sleeps)
    nanosleep likewise
    poll      likewise poll(), of nothing, with a time-out
    read      likewise read(), of a timer
    sleep     time.sleep() (lets go of it)
    matmul    numpy's matrix product (lets go of it)
"""

import random
import sys
import threading
import time

import ready


def regex():
    import re

    pattern = re.compile(r"(a+)+$")
    text = "a" * 22 + "b"
    return lambda: pattern.match(text)


def sort():
    numbers = [random.random() for _ in range(1000000)]
    return lambda: sorted(numbers)


def json():
    import json

    text = json.dumps([{"key%d" % i: i, "values": [i * 1.5, "x" * 20]} for i in range(100000)])
    return lambda: json.loads(text)


def deflate():
    import zlib

    text = bytes(random.getrandbits(8) for _ in range(1 << 20)) * 8
    return lambda: zlib.compress(text, 9)


def sha256():
    import hashlib

    text = b"x" * (64 << 20)
    return lambda: hashlib.sha256(text).digest()


def usleep():
    import ctypes

    call = ctypes.PyDLL(None).usleep
    return lambda: call(50000)


def nanosleep():
    import ctypes

    call = ctypes.PyDLL(None).nanosleep
    duration = (ctypes.c_long * 2)(0, 50000000)
    return lambda: call(duration, None)


def poll():
    import ctypes

    call = ctypes.PyDLL(None).poll
    return lambda: call(None, 0, 50)


def read():
    import ctypes

    libc = ctypes.PyDLL(None)
    timer = libc.timerfd_create(time.CLOCK_MONOTONIC, 0)
    every = (ctypes.c_long * 4)(0, 50000000, 0, 50000000)
    libc.timerfd_settime(timer, 0, every, None)
    count = ctypes.create_string_buffer(8)
    return lambda: libc.read(timer, count, 8)


def sleep():
    return lambda: time.sleep(0.05)


def matmul():
    import numpy

    matrix = numpy.random.rand(1500, 1500)
    return lambda: matrix @ matrix


def work(what, seconds):
    call = globals()[what]()
    call()
    ready.announce(threads={what: ready.native_id()})
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        call()


thread = threading.Thread(target=work, args=(sys.argv[1], float(sys.argv[2])), name=sys.argv[1])
thread.start()
thread.join()
