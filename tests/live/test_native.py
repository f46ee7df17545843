"""--native: the C functions stand among the Python ones, where they were called."""

import ctypes
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
import time

import harness
import pytest

# What a workload's thread does most of the time, as its source says: the C function, or where the file that has it is
# stripped of names, the Python method that it implements, or the nearest exported function.
FUNCTIONS = {
    "regex": ("sre_ucs1_match", "match()"),
    "sort": ("list_sort", "list_sort_impl", "sort()"),
    "deflate": ("deflate",),
    "sha256": ("SHA256_Update", "EVP_DigestUpdate", "update_64"),
    "usleep": ("clock_nanosleep", "usleep"),
}


def stacks_of(target, what, tmp_path, *options):
    """[(frames, microseconds)] of the workload's thread, and the summary's data.

    Of two seconds: the names of a library are read beside, which takes 0.2 s on a busy machine.
    """
    recording = tmp_path / "run.gilspy"
    result = harness.gilspy(
        "attach", "--pid", target.pid, "-d", 2, "-q", "--native", *options,
        "--recording", recording, "-f", "json", "-o", tmp_path / "out.json",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr.decode()
    return collapsed_stacks(recording, what), json.loads((tmp_path / "out.json").read_text())


def collapsed_stacks(recording, what, *options):
    """[(frames, microseconds)] of a recording's thread."""
    collapsed = harness.gilspy("report", recording, "-f", "collapsed", *options)
    assert collapsed.returncode == 0, collapsed.stderr.decode()
    stacks = []
    for line in collapsed.stdout.decode().splitlines():
        frames, _, duration = line.rpartition(" ")
        thread, *functions = frames.split(";")
        if thread.startswith(what + " "):
            stacks.append((functions, int(duration)))
    assert stacks
    return stacks


def share(stacks, is_one):
    return sum(took for frames, took in stacks if is_one(frames)) / sum(took for _, took in stacks)


@pytest.mark.parametrize("what", FUNCTIONS)
def test_shows_the_function_that_works(python, what, start, tmp_path):
    if python.in_chroot:
        pytest.skip("what its libraries call their functions is not known here")
    target = start(python, "native.py", what, 60)
    stacks, summary = stacks_of(target, what, tmp_path)

    def is_called_from_work(frames):
        """The innermost Python function, and above it the wanted one."""
        at = max((i for i, frame in enumerate(frames) if "(native.py:" in frame), default=len(frames))
        return any(frame.split(" ")[0] in FUNCTIONS[what] for frame in frames[at + 1 :])

    assert share(stacks, is_called_from_work) > 0.8, stacks
    assert summary["sampling"]["native_stacks"] > 0
    target.assert_runs_on()


def test_finds_the_eval_loops(python, start, tmp_path):
    """Of stripped files too, and where a compiler has put most of its code in another place."""
    target = start(python, "native.py", "regex", 60)
    _, summary = stacks_of(target, "regex", tmp_path)
    sampling = summary["sampling"]
    assert sampling["native_broken"] < 0.1 * sampling["native_stacks"], sampling


def test_follows_a_sleeping_thread_through_libffi(python, start, tmp_path):
    """Its ffi_call needs a register that the kernel does not tell of a thread that sleeps."""
    if python.in_chroot:
        pytest.skip("what its libraries call their functions is not known here")
    target = start(python, "native.py", "usleep", 60)
    stacks, _ = stacks_of(target, "usleep", tmp_path)

    def is_followed(frames):
        names = [frame.split(" ")[0] for frame in frames]
        call = names.index("ffi_call") if "ffi_call" in names else len(names)
        return "(native.py:" in "".join(frames[:call]) and any(name in FUNCTIONS["usleep"] for name in names[call:])

    assert share(stacks, is_followed) > 0.8, stacks


def perf_events_of(process):
    """Copies of its descriptors of perf events."""
    pidfd_getfd = 438
    pidfd = os.pidfd_open(process.pid)
    copies = []
    for name in os.listdir(f"/proc/{process.pid}/fd"):
        if os.readlink(f"/proc/{process.pid}/fd/{name}") == "anon_inode:[perf_event]":
            copy = ctypes.CDLL(None, use_errno=True).syscall(pidfd_getfd, pidfd, int(name), 0)
            assert copy >= 0, os.strerror(ctypes.get_errno())
            copies.append(copy)
    os.close(pidfd)
    return copies


def test_asks_anew_when_the_kernel_does_not_answer(any_python, start, start_gilspy, tmp_path):
    """An event that ends before it has made its copy must not be the end of the thread's native stacks."""
    disable = 0x2401  # PERF_EVENT_IOC_DISABLE
    target = start(any_python, "native.py", "regex", 60)
    recording = tmp_path / "run.gilspy"
    begun = time.monotonic()
    gilspy = start_gilspy("attach", "--pid", target.pid, "-d", 60, "-q", "--native", "--recording", recording)
    harness.wait_for(lambda: perf_events_of(gilspy), "its perf events")
    events = perf_events_of(gilspy)
    for _ in range(100_000):  # some of them while a copy is due
        for event in events:
            fcntl.ioctl(event, disable)
    for event in events:
        os.close(event)
    later = time.monotonic() - begun
    size = harness.wait_for_flush(gilspy, recording)
    for _ in range(3):
        size = harness.wait_for_flush(gilspy, recording, size)
    gilspy.send_signal(signal.SIGINT)
    status, _, errors = harness.finish(gilspy)
    assert status == 0, errors
    stacks = collapsed_stacks(recording, "regex", "--from", later)
    assert share(stacks, lambda frames: any(name.split(" ")[0] in FUNCTIONS["regex"] for name in frames)) > 0.8, stacks


@pytest.fixture(scope="module")
def spin(tmp_path_factory):
    """A C library with debug information: (its file, the line where its function begins, the one where that works)."""
    source = harness.ROOT / "tests" / "programs" / "spin.c"
    library = tmp_path_factory.mktemp("spin") / "spin.so"
    compiler = shutil.which("cc") or pytest.skip("no C compiler")
    subprocess.run([compiler, "-g", "-O1", "-shared", "-fPIC", "-o", library, source], check=True)
    lines = source.read_text().splitlines()
    begin = next(i for i, line in enumerate(lines, 1) if line.startswith("void spin("))
    return library, begin, next(i for i, line in enumerate(lines, 1) if line.endswith("// here"))


def test_names_the_source_of_c_code(python, spin, start, tmp_path):
    """Its file and line, where there is debug information: in stacks and in what is found."""
    if python.in_chroot:
        pytest.skip("its library would have to lie in the chroot")
    library, begin, line = spin
    script = tmp_path / "hog.py"
    script.write_text(
        "import ctypes, threading\n"
        f"spin = ctypes.PyDLL({str(library)!r}).spin\n"
        "def hog():\n"
        "    while True: spin(50)\n"
        "def wait():\n"
        "    while True: sum(range(1000))\n"
        "for work in (hog, wait): threading.Thread(target=work, name=work.__name__).start()\n"
    )
    target = start.command([python.path, str(script)], wait_ready=False)
    harness.wait_for(lambda: b"hog" in harness.gilspy("dump", "--pid", target.pid).stdout, "its threads")
    stacks, summary = stacks_of(target, "hog", tmp_path)

    # Also of the stacks from before the lines of its functions were read.
    spins = {frame for frames, _ in stacks for frame in frames if frame.startswith("spin ")}
    assert f"spin (spin.c:{line})" in spins, stacks
    assert spins <= {f"spin (spin.c:{at})" for at in range(begin, line + 3)}
    # How often a busy machine lets its function be seen is not the question here.
    texts = [finding["text"] for finding in summary["findings"] if "in spin" in finding["text"]]
    assert all(re.search(r"in spin \(spin\.c:\d+\), called from hog \(hog\.py:4\)", text) for text in texts), texts
    for row in summary["blame"]:
        if row.get("native_function") == "spin":
            assert (row["native_library"], row["native_line"]) == ("spin.so", begin)
            assert row["native_file"] == str(harness.ROOT / "tests" / "programs" / "spin.c")

    def dump_shows_it():
        return f"spin.c:{line}" in harness.gilspy("dump", "--pid", target.pid, "--native").stdout.decode()

    harness.wait_for(dump_shows_it, "a look while it works")


def test_puts_c_functions_between_python_ones(python, start, tmp_path):
    """threading's run() is called by Python, the callback of sorted() by C."""
    if python.in_chroot:
        pytest.skip("its script would have to lie in the chroot")
    script = tmp_path / "callback.py"
    script.write_text(
        "def key(number):\n"
        "    total = 0\n"
        "    for i in range(2000): total += i\n"
        "    return total\n"
        "numbers = list(range(1000))\n"
        "while True: sorted(numbers, key=key)\n"
    )
    target = start.command([python.path, str(script)], wait_ready=False)
    recording = tmp_path / "run.gilspy"
    harness.wait_for(lambda: harness.gilspy("dump", "--pid", target.pid).returncode == 0, "a Python")
    result = harness.gilspy("attach", "--pid", target.pid, "-d", 1, "-q", "--native", "--recording", recording)
    assert result.returncode == 0, result.stderr.decode()
    lines = harness.gilspy("report", recording, "-f", "collapsed").stdout.decode().splitlines()
    stacks = []
    for line in lines:
        frames, _, time = line.rpartition(" ")
        stacks.append((frames.split(";"), int(time)))

    def is_in_order(frames):
        names = [frame.split(" ")[0] for frame in frames]
        sort = next((i for i, name in enumerate(names) if name in FUNCTIONS["sort"]), None)
        return sort is not None and "<module>" in names[:sort] and "key" in names[sort:]

    assert share(stacks, is_in_order) > 0.8, stacks


@pytest.mark.parametrize("what", ["regex", "usleep"])
def test_folds_cpythons_trampolines(python, what, start, tmp_path):
    """With -X perf each Python function is called by code of its own, which no frame description is for."""
    if python.minor < (3, 12):
        pytest.skip("it has none")
    target = start.command([python.path, "-X", "perf", *harness.workload("native.py", what, 60)])
    try:
        stacks, summary = stacks_of(target, what, tmp_path)
    finally:
        Path(f"/tmp/perf-{target.pid}.map").unlink(missing_ok=True)

    assert not [frames for frames, _ in stacks if any("py::" in frame or "trampoline" in frame for frame in frames)]
    # Followed past all of them to the thread's first function, they are not broken.
    assert summary["sampling"]["native_broken"] < 0.2 * summary["sampling"]["native_stacks"]
    target.assert_runs_on()


# loop: dec %rdi; jnz loop; ret
SPIN = b"\x48\xff\xcf\x75\xfb\xc3"


def test_names_the_code_of_a_jit(python, start, tmp_path):
    """By what it has written for perf, under the number that the process has for itself."""
    if python.in_chroot:
        pytest.skip("its script would have to lie in the chroot")
    script = tmp_path / "jit.py"
    script.write_text(
        "import ctypes, mmap, os, threading\n"
        "room = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS,\n"
        "                 mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)\n"
        f"room[64:{64 + len(SPIN)}] = {SPIN!r}\n"
        "at = ctypes.addressof(ctypes.c_char.from_buffer(room)) + 64\n"
        f"open({str(tmp_path)!r} + '/map', 'w').write('%x {len(SPIN):x} made by a jit\\n' % at)\n"
        f"os.rename({str(tmp_path)!r} + '/map', '/tmp/perf-%d.map' % os.getpid())\n"
        "spin = ctypes.PYFUNCTYPE(None, ctypes.c_long)(at)\n"
        "def work():\n"
        "    while True: spin(10000000)\n"
        "threading.Thread(target=work, name='work').start()\n"
    )
    target = start.command([python.path, str(script)], wait_ready=False)
    written = Path(f"/tmp/perf-{target.pid}.map")
    try:
        harness.wait_for(lambda: b"work" in harness.gilspy("dump", "--pid", target.pid).stdout, "its thread")
        stacks, _ = stacks_of(target, "work", tmp_path)

        def is_shown(frames):
            return frames[-1].startswith("made by a jit ") and "work (jit.py:10)" in frames

        assert share(stacks, is_shown) > 0.8, stacks
    finally:
        written.unlink(missing_ok=True)
