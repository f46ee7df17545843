"""A server with a thread per connection, and clients that keep asking it, all in one process.

What workloads share that differ in what a request takes: see http_requests.py and http_load.py.
"""

import http.client
import http.server
import json
import sys
import threading
import time

import ready


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def run(handler, clients, take=bytes):
    """Of the command line SECONDS [N]: N clients, each of which gives what it has got to `take`.

    Prints {"client-0": requests, ...}.
    """
    deadline = time.monotonic() + float(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 else clients
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="server", daemon=True).start()
    counts = {}

    def ask():
        connection = http.client.HTTPConnection(*server.server_address, timeout=30)
        done = 0
        while time.monotonic() < deadline:
            connection.request("GET", "/")
            take(connection.getresponse().read())
            done += 1
        connection.close()
        counts[threading.current_thread().name] = done

    threads = [threading.Thread(target=ask, name="client-%d" % number) for number in range(count)]
    ready.announce(threads=ready.start(threads))
    for thread in threads:
        thread.join()
    server.shutdown()
    print(json.dumps(counts, sort_keys=True))
