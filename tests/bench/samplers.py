"""The programs that tests/bench/cost compares: how each is told to sample a process, and what it used for it.

What a program used is the kernel's count of a time in which it does nothing but sample: not its start, nor its report.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "live"))
sys.path.insert(0, str(ROOT / "tests" / "accuracy"))

import harness
import mojo

PEERS = ROOT / "build" / "targets" / "peers"
SETTLED = 1.0  # seconds from a program's start until it only samples: CPython's needs half of it to start
SLOWEST = 100  # seconds


@dataclass
class Watch:
    """What it took to watch a target."""

    cpu: float  # CPUs used
    resident: int  # kB
    out: Path  # what it wrote

    ticks: float = 0  # a second, where it can be told
    note: str = ""
    bytes_a_minute: float = 0


def cpu_seconds(pid):
    """By the kernel's own count, to the nanosecond, of all its threads."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def resident(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])


class Sampler:
    """One of the programs, with some of its options."""

    def __init__(self, name, *options):
        self.name = " ".join([name, *options])
        self.options = options

    def command(self, pid, hz, seconds, out):
        raise NotImplementedError

    def read(self, watch, seconds, threads):
        """Fills in what its output tells."""

    def missing(self):
        """Why it cannot be run here; empty when it can."""
        return ""

    def start(self, pid, hz, seconds, folder):
        """(process, its output): it samples for so many whole seconds, or until it is interrupted."""
        out = Path(folder) / "sampler.out"
        out.unlink(missing_ok=True)
        command = [str(part) for part in self.command(pid, hz, seconds, out)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT), out

    def watch(self, pid, folder, hz=1000, seconds=2.0, threads=3, settled=SETTLED):
        """What it takes from `settled` seconds after its start on."""
        whole = int(settled + seconds + 1)
        begin = time.monotonic()
        process, out = self.start(pid, hz, whole, folder)
        time.sleep(settled)
        first, at = cpu_seconds(process.pid), time.monotonic()
        time.sleep(seconds)
        used = (cpu_seconds(process.pid) - first) / (time.monotonic() - at)
        watch = Watch(used, resident(process.pid), out)
        sampled = self.end(process, begin + whole) - begin
        if not out.exists():
            raise SystemExit(f"{self.name} wrote nothing: {self.said}")
        self.read(watch, min(whole, sampled), threads)
        return watch

    def end(self, process, expected):
        """Waits for the end, and asks for it when it is overdue: who is late may go on for all the samples that were asked for."""
        ended = None
        try:
            self.said = process.communicate(timeout=max(0, expected - time.monotonic()) + 0.5)[0]
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            ended = time.monotonic()
            self.said = process.communicate(timeout=SLOWEST)[0]
        self.said = self.said.decode(errors="replace")
        return ended or time.monotonic()


class Gilspy(Sampler):
    def command(self, pid, hz, seconds, out):
        rate = ["-r", hz] if hz else []
        return [harness.GILSPY, "attach", "--pid", pid, "-d", seconds, "-q", "-f", "json", "-o", out,
                "--recording", out.with_suffix(".gilspy"), *rate, *self.options]  # fmt: skip

    def read(self, watch, seconds, threads):
        summary = json.loads(watch.out.read_text())
        watch.summary, sampling = summary, summary["sampling"]
        watch.ticks = sampling["achieved_hz"]
        watch.note = f"{sampling['missed']} missed, {sampling['stacks'] / sampling['ticks']:.2f} stacks a tick"
        watch.bytes_a_minute = watch.out.with_suffix(".gilspy").stat().st_size * 60 / summary["wall_seconds"]


class PySpy(Sampler):
    def command(self, pid, hz, seconds, out):
        return [PEERS / "py-spy", "record", "-r", hz, "-d", seconds, "--idle", "-f", "raw", "-o", out,
                "-p", pid, *self.options]  # fmt: skip

    def read(self, watch, seconds, threads):
        # One line a stack, with how many samples had it; with --idle a sample is one thread's.
        samples = sum(int(line.rpartition(" ")[2]) for line in watch.out.read_text(errors="replace").splitlines())
        watch.ticks = samples / threads / seconds

    def missing(self):
        return "" if (PEERS / "py-spy").exists() else f"{PEERS / 'py-spy'} is missing (tools/get_targets)"


class Austin(Sampler):
    def command(self, pid, hz, seconds, out):
        return [PEERS / "austin", "-i", max(1, int(1e6 / hz)), "-x", seconds, "-o", out, "-p", pid]

    def read(self, watch, seconds, threads):
        watch.bytes_a_minute = watch.out.stat().st_size * 60 / seconds
        # A sample is one thread's.
        watch.ticks = sum(1 for _ in mojo.stacks(watch.out.read_bytes())) / threads / seconds

    def missing(self):
        return "" if (PEERS / "austin").exists() else f"{PEERS / 'austin'} is missing (tools/get_targets)"


class Python315(Sampler):
    """CPython 3.15's profiling.sampling, which can only watch a process of the very same Python."""

    # Debian sid's files alone have no locale that setlocale() would take.
    PROGRAM = "import locale, profiling.sampling.cli as cli; locale.setlocale = lambda *_: 'C'; cli.main()"
    python = f"{harness.PYTHONS}/bin/python3.15-sid"

    def command(self, pid, hz, seconds, out):
        return [self.python, "-c", self.PROGRAM, "attach", "-a", "-r", hz, "-d", seconds, "--collapsed", "-o", out, pid]

    def read(self, watch, seconds, threads):
        found = re.search(r"Sample rate: ([\d.]+)", self.said)
        watch.ticks = float(found[1]) if found else 0

    def missing(self):
        if not os.path.exists(self.python):
            return f"{self.python} is missing (tools/get_pythons debian)"
        return ""


class Speeds:
    """How fast a target that answers with its progress goes, alone and watched, in turns."""

    def __init__(self, target, seconds):
        self.target, self.seconds = target, seconds
        self.alone = self.loops_per_second()

    def _progress(self):
        self.target.process.stdin.write(b"?\n")
        self.target.process.stdin.flush()
        said = json.loads(self.target.process.stdout.readline())
        return said["loops"], said["at"]

    def loops_per_second(self):
        loops, at = self._progress()
        time.sleep(self.seconds)
        loops_after, at_after = self._progress()
        return (loops_after - loops) / (at_after - at)

    def watched_by(self, sampler, hz, folder):
        """Its speed then, of the mean of what it is right before and right after."""
        process, _ = sampler.start(self.target.pid, hz, int(SETTLED + self.seconds + 1), folder)
        time.sleep(SETTLED)
        watched = self.loops_per_second()
        sampler.end(process, 0)
        before, self.alone = self.alone, self.loops_per_second()
        return watched / ((before + self.alone) / 2)


def ptrace_calls(sampler, pid, folder):
    """How often it stops or traces the target, and how often it reads its memory, in two seconds: as strace sees it."""
    trace = Path(folder) / "strace.out"
    out = Path(folder) / "traced.out"
    command = ["strace", "-f", "-qq", "-o", trace, "-e", "trace=ptrace,kill,tkill,tgkill,process_vm_writev,process_vm_readv"]
    command += sampler.command(pid, 100, 2, out)
    done = subprocess.run([str(part) for part in command], capture_output=True, timeout=SLOWEST)
    calls = trace.read_text(errors="replace")
    stops = len(re.findall(r"\bptrace\(PTRACE_(?:ATTACH|SEIZE|INTERRUPT)|\bt?g?kill\(\d+, SIGSTOP", calls))
    writes = len(re.findall(r"\bprocess_vm_writev\(|PTRACE_POKE", calls))
    reads = len(re.findall(r"\bprocess_vm_readv\(", calls))
    if done.returncode and not reads:
        raise SystemExit(f"{sampler.name}: {done.stderr.decode(errors='replace')}")
    return stops, writes, reads
