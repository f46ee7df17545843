"""http_load.py SECONDS [N]: a server with a thread per connection, and N (4) clients that ask as fast as they are answered.

A request takes some hundred microseconds of Python in all, with half a dozen system calls that let go of the GIL.
Prints {"client-0": requests, ...}.
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
    wbufsize = -1  # one packet for headers and body: no waiting for a delayed acknowledgement

    def do_GET(self):
        body = json.dumps({"path": self.path, "list": list(range(200))}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def ask(address, deadline, counts):
    connection = http.client.HTTPConnection(*address, timeout=30)
    done = 0
    while time.monotonic() < deadline:
        connection.request("GET", "/")
        json.loads(connection.getresponse().read())
        done += 1
    connection.close()
    counts[threading.current_thread().name] = done


def main():
    deadline = time.monotonic() + float(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 4
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="server", daemon=True).start()
    counts = {}
    clients = [
        threading.Thread(
            target=ask, args=(server.server_address, deadline, counts), name="client-%d" % number
        )
        for number in range(count)
    ]
    ready.announce(threads=ready.start(clients))
    for client in clients:
        client.join()
    server.shutdown()
    print(json.dumps(counts, sort_keys=True))


main()
