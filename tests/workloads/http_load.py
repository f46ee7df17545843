"""http_load.py SECONDS [N]: a server with a thread per connection, and N (4) clients that ask as fast as they are answered.

A request takes some hundred microseconds of Python in all, with half a dozen system calls that let go of the GIL.
Prints {"client-0": requests, ...}.
"""

import json

import http_clients


class Handler(http_clients.Handler):
    wbufsize = -1  # one packet for headers and body: no waiting for a delayed acknowledgement

    def do_GET(self):
        self.answer(json.dumps({"path": self.path, "list": list(range(200))}).encode())


http_clients.run(Handler, 4, take=json.loads)
