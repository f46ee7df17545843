"""A server with a thread per connection, and clients that keep asking it, all in one process.

What workloads share that differ in what a request takes: see http_requests.py and http_load.py.
"""

import http.client
import http.server
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def serve(handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="server", daemon=True).start()
    return server


def clients(server, counts, ended, take=bytes):
    """A thread for each of `counts`, not started yet, that gives what it has got to `take` and counts it there until ended()."""

    def ask(number):
        connection = http.client.HTTPConnection(*server.server_address, timeout=30)
        while not ended():
            connection.request("GET", "/")
            take(connection.getresponse().read())
            counts[number] += 1
        connection.close()

    return [threading.Thread(target=ask, args=(n,), name="client-%d" % n) for n in range(len(counts))]
