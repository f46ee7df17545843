"""state_workload.py KIND SECONDS: threads that hold and wait for the GIL in one of the ways programs do.

Waits for a line on standard input, runs its threads for SECONDS, and prints {name: native id} of them. Runs on
every Python from 3.8 on.
"""

import ctypes
import hashlib
import http.client
import json
import os
import queue
import subprocess
import sys
import threading
import time
import zlib

SECONDS = float(sys.argv[2])
ids = {}
SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet for headers and body: no waiting for a delayed acknowledgement
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2000")
        self.end_headers()
        self.wfile.write(b"x" * 2000)
    def log_message(self, *arguments):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


def over():
    return time.monotonic() >= end


def crunch():
    while not over():
        sum(range(10000))


def hog():
    """Keeps the GIL across a system call for 20 of every 30 ms."""
    libc = ctypes.PyDLL(None)
    while not over():
        libc.usleep(20000)
        time.sleep(0.010)


def compress():
    data = os.urandom(1 << 20)
    while not over():
        hashlib.sha256(data).digest()
        zlib.compress(data, 1)


def request():
    connection = http.client.HTTPConnection("127.0.0.1", port)
    while not over():
        connection.request("GET", "/")
        json.dumps({"size": len(connection.getresponse().read()), "list": list(range(200))})
    connection.close()


def ping(mine, other):
    def run():
        while not over():
            other.put(1)
            try:
                mine.get(timeout=0.1)
            except queue.Empty:
                pass

    return run


def loop_with_pool():
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    def work():
        return sum(range(20000)) + len(zlib.compress(bytes(100000)))

    async def client(pool):
        while not over():
            await asyncio.get_running_loop().run_in_executor(pool, work)
            sum(range(1000))

    async def main():
        with ThreadPoolExecutor(3, initializer=lambda: ids.update({threading.current_thread().name: native_id()})) as pool:
            await asyncio.gather(*[client(pool) for _ in range(6)])

    asyncio.run(main())


def sleep_often():
    while not over():
        time.sleep(0.01)
        sum(range(1000))


def native_id():
    return threading.get_native_id()


def threads_of(kind):
    if kind.startswith("cpu-"):
        return [crunch] * int(kind[4:])
    if kind == "hog":
        return [hog, crunch, crunch]
    if kind == "http":
        return [request] * 4
    if kind == "release":
        return [compress, compress, crunch]
    if kind == "queue":
        a, b = queue.Queue(), queue.Queue()
        return [ping(a, b), ping(b, a)]
    if kind == "asyncio":
        return [loop_with_pool]
    if kind == "mixed-50":
        return [crunch] * 3 + [compress] * 3 + [request] * 4 + [sleep_often] * 40
    raise SystemExit("state_workload.py: no workload " + kind)


def noting(run):
    def noted():
        ids[threading.current_thread().name] = native_id()
        run()

    return noted


kind = sys.argv[1]
server = None
if kind in ("http", "mixed-50"):
    server = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE)
    port = int(server.stdout.readline())
functions = threads_of(kind)
print("ready", flush=True)
sys.stdin.readline()
end = time.monotonic() + SECONDS
threads = [
    threading.Thread(target=noting(run), name="%s-%d" % (getattr(run, "__name__", "run"), n))
    for n, run in enumerate(functions)
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
if server:
    server.kill()
print(json.dumps(ids), flush=True)
