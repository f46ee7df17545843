"""http_requests.py SECONDS [N]: a server with a thread per connection, and N (3) clients that keep asking it.

A request takes the server 10 ms of waiting and about 5 ms of Python; so clients block in recv for 15 ms and more.
Prints {"client-0": requests, ...}.
"""

import time

import http_clients


class Handler(http_clients.Handler):
    def do_GET(self):
        time.sleep(0.01)
        total = 0
        for number in range(50000):
            total += number
        self.answer(str(total).encode())


http_clients.run(Handler, 3)
