"""http_requests.py SECONDS [N]: a server with a thread per connection, and N (3) clients that keep asking it.

A request takes the server 10 ms of waiting and about 5 ms of Python; so clients block in recv for 15 ms and more.
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

    def do_GET(self):
        time.sleep(0.01)
        total = 0
        for number in range(50000):
            total += number
        body = str(total).encode()
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
        connection.getresponse().read()
        done += 1
    connection.close()
    counts[threading.current_thread().name] = done


def main():
    deadline = time.monotonic() + float(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 3
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
