"""What the live tests stand on: the Pythons, targets that say when they are ready, and runs of gilspy.

Nothing here sleeps to synchronise or tries again: a target writes "ready" into a FIFO, and whoever waits
does so for a condition and with a deadline.
"""

import glob
import json
import os
import re
import select
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORKLOADS = ROOT / "tests" / "workloads"
GILSPY = os.environ.get("GILSPY_BIN", str(ROOT / "build" / "release" / "gilspy"))

# Where tools/get_pythons puts those that the machine does not have.
PYTHONS = os.environ.get("GILSPY_PYTHONS", str(ROOT / "build" / "pythons"))

PATIENCE = 60  # seconds: far more than anything takes, even on a busy machine

# What gilspy reads today, and where tests look for it. Another version or build is another line.
#   (minor, kind, pattern of the executable)
SUPPORTED_PYTHONS = [
    ((3, 7), "pyenv", "~/.pyenv/versions/3.7.*/bin/python3.7"),
    ((3, 8), "pyenv", "~/.pyenv/versions/3.8.*/bin/python3.8"),
    ((3, 9), "pyenv", "~/.pyenv/versions/3.9.*/bin/python3.9"),
    ((3, 10), "pyenv", "~/.pyenv/versions/3.10.*/bin/python3.10"),
    ((3, 11), "pyenv", "~/.pyenv/versions/3.11.*/bin/python3.11"),
    ((3, 12), "pyenv", "~/.pyenv/versions/3.12.*/bin/python3.12"),
    ((3, 13), "pyenv", "~/.pyenv/versions/3.13.*/bin/python3.13"),
    ((3, 11), "debian", "/usr/bin/python3.11"),
    ((3, 13), "sid", f"{PYTHONS}/bin/python3.13-sid"),
    ((3, 14), "sid", f"{PYTHONS}/bin/python3.14-sid"),
    ((3, 15), "sid", f"{PYTHONS}/bin/python3.15-sid"),
    ((3, 13), "freethreaded-gil-on", f"{PYTHONS}/bin/python3.13t-gil"),
]
# Those that run without a GIL: for tests that ask nothing of it.
WITHOUT_GIL = [((3, 13), "freethreaded", f"{PYTHONS}/bin/python3.13t")]


@dataclass(frozen=True)
class Python:
    """An interpreter to test with, or one that should be here and is not."""

    id: str
    minor: tuple
    path: str  # "" when missing
    missing: str = ""  # why

    @property
    def has_gil(self):
        return not self.id.endswith("-freethreaded")

    @property
    def in_chroot(self):
        return self.id.endswith("-sid")


def _newest(pattern):
    """The highest version that a pattern finds: 3.11.10 is above 3.11.9."""
    paths = glob.glob(os.path.expanduser(pattern))
    return max(paths, key=lambda path: [int(n) for n in re.findall(r"\d+", path)], default="")


def pythons(rows=tuple(SUPPORTED_PYTHONS)):
    found = []
    for minor, kind, pattern in rows:
        dotted = "%d.%d" % minor
        path = _newest(pattern)
        if not path:
            reason = f"no CPython {dotted} ({kind}): nothing matches {pattern}"
            found.append(Python(f"{dotted}-{kind}", minor, "", reason))
            continue
        full = re.search(re.escape(dotted) + r"\.\d+", path)
        found.append(Python(f"{full[0] if full else dotted}-{kind}", minor, path))
    return found


def _environment(extra):
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    env.update(extra)
    return env


def wait_for(condition, what, seconds=PATIENCE):
    """Looks until condition() is true, and returns what it gave."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        result = condition()
        if result:
            return result
        time.sleep(0.005)
    raise AssertionError(f"waited {seconds} s in vain for: {what}")


class ReadyFifo:
    """The FIFO on which a workload says that its threads are in place."""

    def __init__(self, folder):
        self.path = str(Path(folder) / f"ready-{time.monotonic_ns()}")
        os.mkfifo(self.path)
        self._fd = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)

    def wait(self, pid):
        """The details it announced. Fails when process `pid` ends before it says anything."""
        deadline = time.monotonic() + PATIENCE
        ended = os.pidfd_open(pid)
        text = b""
        try:
            poll = select.poll()
            poll.register(self._fd, select.POLLIN)
            poll.register(ended, select.POLLIN)
            while not text.endswith(b"\n"):
                left = deadline - time.monotonic()
                events = dict(poll.poll(max(0, left) * 1000)) if left > 0 else {}
                assert events, f"process {pid} was not ready after {PATIENCE} s"
                if events.get(self._fd, 0) & select.POLLIN:
                    text += os.read(self._fd, 1 << 16)
                else:
                    assert ended not in events, f"process {pid} ended before it was ready"
        finally:
            os.close(ended)
            os.close(self._fd)
        word, _, details = text.decode().partition(" ")
        assert word == "ready"
        return json.loads(details)


class Target:
    """A running program to look at, in a session of its own so that all of it can be ended."""

    def __init__(self, command, folder, wait_ready=True, quiet=False):
        fifo = ReadyFifo(folder)
        self.process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,  # forever.py ends with it
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if quiet else None,
            start_new_session=True,
            env=_environment({"GILSPY_READY_FIFO": fifo.path}),
        )
        self.pid = self.process.pid
        try:
            self.details = fifo.wait(self.pid) if wait_ready else {}
        except BaseException:
            self.end()
            raise

    @property
    def threads(self):
        """{name: tid}"""
        return self.details["threads"]

    def state(self):
        """R, S, T, Z ... of the main thread; "" when it is gone."""
        try:
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return ""

    def cpu_ticks(self):
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    def wait_in_call(self, number):
        """Until the main thread blocks in this system call: it said that it is ready before it did."""

        def blocks():
            return Path(f"/proc/{self.pid}/syscall").read_text().split()[0] == str(number)

        wait_for(blocks, f"process {self.pid} to block in system call {number}")

    def assert_runs_on(self):
        """It is there, is not stopped, and gets on with its work."""
        assert self.process.poll() is None
        before = self.cpu_ticks()
        wait_for(lambda: self.cpu_ticks() > before + 1, "the target to use the CPU")
        assert self.state() in ("R", "S")

    def send(self, number):
        os.kill(self.pid, number)

    def end(self):
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.communicate()


def workload(name, *arguments):
    """The command line of a workload, but for the Python."""
    return [str(WORKLOADS / name), *(str(a) for a in arguments)]


def gilspy(*arguments, stdin=b"", env=(), **options):
    """Runs gilspy to its end. A run that does not end is an error of its own."""
    return subprocess.run(
        [GILSPY, *(str(a) for a in arguments)],
        input=stdin,
        capture_output=True,
        timeout=PATIENCE,
        env=_environment(dict(env)),
        **options,
    )


def start_gilspy(*arguments):
    """Starts gilspy for tests that end it themselves."""
    return subprocess.Popen(
        [GILSPY, *(str(a) for a in arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment({}),
    )


def wait_for_flush(process, recording, beyond=None):
    """Waits until gilspy has sent (more) samples to its recording, and returns the file's size."""
    smallest = 64 if beyond is None else beyond  # the header alone is smaller

    def grown():
        assert process.poll() is None, process.communicate()[1].decode()
        return recording.exists() and recording.stat().st_size > smallest

    wait_for(grown, f"{recording.name} to grow beyond {smallest} bytes")
    return recording.stat().st_size


def finish(process):
    """(exit status, stdout, stderr) of a gilspy that is about to end."""
    try:
        out, err = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise AssertionError("gilspy did not end") from None
    return process.returncode, out.decode(), err.decode()


def attach(target, seconds, out, *more):
    """The `-f json` summary of sampling a target for some seconds."""
    result = gilspy("attach", "--pid", target.pid, "-d", seconds, "-f", "json", "-o", out, "-q", *more)
    assert result.returncode == 0, result.stderr.decode()
    return Summary(json.loads(Path(out).read_text()))


def dump(target):
    result = gilspy("dump", "--pid", target.pid, "--json")
    assert result.returncode == 0, result.stderr.decode()
    return json.loads(result.stdout)


def dumped_threads(target):
    """{tid: thread} of a dump."""
    return {thread["tid"]: thread for thread in dump(target)["threads"]}


ACTIVITIES = (
    "holding_running_seconds",
    "holding_blocked_seconds",
    "waiting_seconds",
    "running_seconds",
    "blocked_seconds",
    "runnable_seconds",
    "unknown_seconds",
)


class ThreadTimes:
    """A thread's row of the summary, with shares of the thread's own time."""

    def __init__(self, row):
        self.row = row
        self.tid = row["tid"]
        self.name = row["name"]
        # What needs a GIL is absent where there is none.
        self.seconds = sum(row.get(activity, 0) for activity in ACTIVITIES)

    def share(self, *activities):
        return sum(self.row[activity + "_seconds"] for activity in activities) / self.seconds

    @property
    def held(self):
        return self.share("holding_running", "holding_blocked")

    @property
    def waited(self):
        return self.share("waiting")

    def __repr__(self):
        return f"{self.name}: {self.row}"


class Summary:
    """The output of `-f json`."""

    def __init__(self, data):
        self.data = data
        self.gil = data.get("gil")
        self.wall = data["wall_seconds"]
        self.verdict = data["verdict"]["kind"]
        self.threads = [ThreadTimes(row) for row in data["threads"]]

    def thread(self, name):
        found = [thread for thread in self.threads if thread.name == name]
        assert len(found) == 1, f"{name!r} among {[thread.name for thread in self.threads]}"
        return found[0]

    def assert_verdict(self, wanted):
        assert self.verdict == wanted, self.data["verdict"]

    @property
    def handoffs_per_second(self):
        return self.gil["handoffs"] / self.wall


def read_summary(path):
    return Summary(json.loads(Path(path).read_text()))
