"""http_load.py [N]: a server with a thread per connection, and N (4) clients that ask as fast as they are answered.

A request takes some hundred microseconds of Python in all, with half a dozen system calls that let go of the GIL.
Runs until standard input ends, and says how many requests were served: see progress.py.
"""

import json
import sys
import threading

import http_clients
import progress
import ready


class Handler(http_clients.Handler):
    wbufsize = -1  # one packet for headers and body: no waiting for a delayed acknowledgement

    def do_GET(self):
        self.answer(json.dumps({"path": self.path, "list": list(range(200))}).encode())


counts = [0] * (int(sys.argv[1]) if len(sys.argv) > 1 else 4)
stop = threading.Event()
server = http_clients.serve(Handler)
threads = http_clients.clients(server, counts, stop.is_set, take=json.loads)
ready.announce(threads=ready.start(threads))
progress.tell(counts)
stop.set()
for thread in threads:
    thread.join()
server.shutdown()
