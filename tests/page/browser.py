"""A chromium for tests: Browser.open() shows a page, and the rest looks at it and touches it."""

import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# tools/setup --page puts it there.
PLAYWRIGHT = ROOT / "build" / "page-tests" / "node_modules" / "playwright-core"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
PATIENCE = 120  # seconds: far more than anything takes, even on a busy machine


def missing():
    """Why there can be no browser; "" when there can."""
    if not shutil.which("node"):
        return "no node (tools/setup --page)"
    if not os.access(CHROMIUM, os.X_OK):
        return f"no {CHROMIUM} (tools/setup --page)"
    if not PLAYWRIGHT.is_dir():
        return f"no playwright-core in {PLAYWRIGHT} (tools/setup --page)"
    return ""


class Browser:
    def __init__(self):
        bridge = Path(__file__).with_name("bridge.mjs")
        self.process = subprocess.Popen(
            ["node", str(bridge), str(PLAYWRIGHT), CHROMIUM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # chromium's own chatter
        )
        self.pending = b""

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _answer(self):
        deadline = time.monotonic() + PATIENCE
        out = self.process.stdout.fileno()
        while b"\n" not in self.pending:
            left = deadline - time.monotonic()
            assert left > 0 and select.select([out], [], [], left)[0], "the browser does not answer"
            more = os.read(out, 1 << 16)
            assert more, "the browser is gone"
            self.pending += more
        line, _, self.pending = self.pending.partition(b"\n")
        return json.loads(line)

    def _ask(self, command, **arguments):
        request = json.dumps({"command": command, **arguments})
        self.process.stdin.write(request.encode() + b"\n")
        self.process.stdin.flush()
        answer = self._answer()
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def open(self, file, width=1280, height=900, dark=False, script=True):
        """Shows a file, and waits until the page says that all its data is there."""
        self._ask("open", file=str(file), width=width, height=height, dark=dark, script=script)

    def evaluate(self, script):
        return self._ask("evaluate", script=script)

    def wait_for(self, script, what):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            result = self.evaluate(script)
            if result:
                return result
            time.sleep(0.01)
        raise AssertionError(f"waited in vain for: {what}")

    def mouse(self, *steps):
        """mouse(("move", x, y), ("down",), ...)"""
        self._ask("mouse", steps=steps)

    def press(self, key):
        self._ask("press", key=key)

    def fill(self, selector, text):
        self._ask("fill", selector=selector, text=text)

    def click(self, selector):
        self._ask("click", selector=selector)

    def box(self, selector):
        return self._ask("box", selector=selector)

    def text(self, selector):
        return self._ask("text", selector=selector)

    def screenshot(self, file, whole=False):
        self._ask("screenshot", file=str(file), whole=whole)

    def problems(self):
        """Console messages, errors, and requests for anything but the page itself."""
        return self._ask("problems")
