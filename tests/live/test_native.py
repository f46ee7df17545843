"""--native: the C functions stand among the Python ones, where they were called."""

import json

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
    """[(frames, microseconds)] of the workload's thread, and the summary's data."""
    recording = tmp_path / "run.gilspy"
    result = harness.gilspy(
        "attach", "--pid", target.pid, "-d", 1, "-q", "--native", *options,
        "--recording", recording, "-f", "json", "-o", tmp_path / "out.json",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr.decode()
    collapsed = harness.gilspy("report", recording, "-f", "collapsed")
    assert collapsed.returncode == 0, collapsed.stderr.decode()
    stacks = []
    for line in collapsed.stdout.decode().splitlines():
        frames, _, time = line.rpartition(" ")
        thread, *functions = frames.split(";")
        if thread.startswith(what + " "):
            stacks.append((functions, int(time)))
    assert stacks
    return stacks, json.loads((tmp_path / "out.json").read_text())


def share(stacks, is_one):
    return sum(time for frames, time in stacks if is_one(frames)) / sum(time for _, time in stacks)


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
