"""http_requests.py SECONDS [N]: a server with a thread per connection, and N (3) clients that keep asking it.

A request takes the server 10 ms of waiting and about 5 ms of Python; so clients block in recv for 15 ms and more.
Prints {"client-0": requests, ...}.
"""

import json
import sys
import time

import http_clients
import ready


class Handler(http_clients.Handler):
    def do_GET(self):
        time.sleep(0.01)
        total = 0
        for number in range(50000):
            total += number
        self.answer(str(total).encode())


deadline = time.monotonic() + float(sys.argv[1])
counts = [0] * (int(sys.argv[2]) if len(sys.argv) > 2 else 3)
server = http_clients.serve(Handler)
threads = http_clients.clients(server, counts, lambda: time.monotonic() >= deadline)
ready.announce(threads=ready.start(threads))
for thread in threads:
    thread.join()
server.shutdown()
print(json.dumps({thread.name: count for thread, count in zip(threads, counts)}))
