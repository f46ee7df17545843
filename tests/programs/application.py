"""A WSGI application whose requests stay where they are until the test ends."""

import threading

gate = threading.Event()


def wait_for_the_end():
    gate.wait()


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/wait":
        wait_for_the_end()
    return [b"done"]
