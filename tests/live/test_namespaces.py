"""Targets that see other files, other process ids or other users than gilspy; files that are gone."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import harness
import programs
import pytest

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can make these namespaces")

# Without these /proc/PID/map_files cannot be opened: what a user who is not root has.
WITHOUT_MAP_FILES = ("setpriv", "--bounding-set=-sys_admin,-checkpoint_restore")
AS_ANYBODY = pytest.mark.parametrize("prefix", [(), WITHOUT_MAP_FILES], ids=["root", "no-map_files"])

# In a mount namespace of its own: FOLDER becomes an empty file system with a copy of the rest of the
# arguments' first, and the rest is run.
COPY_AND_RUN = 'mount -t tmpfs tmpfs "$1" && cp -r "$2" "$1" && shift 2 && exec "$@"'


def ids_inside(path):
    for line in Path(path, "status").read_text().splitlines():
        if line.startswith("NSpid:"):
            return [int(number) for number in line.split()[1:]]
    raise AssertionError(f"no NSpid in {path}")


def descendants(pid):
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


def pid_outside(target):
    """Of the process that announced itself under a pid of its own namespace."""
    for pid in descendants(target.pid):
        ids = ids_inside(f"/proc/{pid}")
        if len(ids) > 1 and ids[-1] == target.details["pid"]:
            return pid
    raise AssertionError("it is not among the descendants")


def dumped(pid, prefix=()):
    result = subprocess.run(
        [*prefix, harness.GILSPY, "dump", "--json", "--pid", str(pid)],
        capture_output=True, timeout=harness.PATIENCE,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr.decode()
    return json.loads(result.stdout)["threads"]


def assert_stacks(target, pid, prefix=()):
    """By the thread ids that the target announced, which are those of its own namespace."""
    found = {}
    for thread in dumped(pid, prefix):
        inside = ids_inside(f"/proc/{pid}/task/{thread['tid']}")[-1]
        found[inside] = [[f["function"], f["file"], f["line"]] for f in thread.get("stack", [])]
    for tid, stack in target.details["stacks"].items():
        assert found[int(tid)] == stack


@AS_ANYBODY
def test_in_another_pid_namespace(python, start, prefix):
    target = start.command(
        ["unshare", "--mount", "--pid", "--fork", "--mount-proc", python.path, *harness.workload("lines.py", 60)]
    )
    pid = pid_outside(target)
    assert pid != target.details["pid"]
    assert_stacks(target, pid, prefix)


def test_in_another_user_namespace(python, start):
    if python.in_chroot:
        pytest.skip("chroot needs a privilege that a user namespace does not give over this file system")
    target = start.command(
        ["unshare", "--user", "--map-root-user", python.path, *harness.workload("lines.py", 60)]
    )
    assert_stacks(target, target.pid)


def private_python(minor, folder):
    """(command, library): pyenv's Python with a libpython that only it sees, in FOLDER."""
    home = programs.pyenv(minor)
    if home is None:
        pytest.skip("no pyenv build of %d.%d" % minor)
    library = programs.libpython(home, minor)
    python = home / "bin" / ("python%d.%d" % minor)
    return library, ["env", f"LD_LIBRARY_PATH={folder}", python]


@pytest.fixture
def folder(tmp_path):
    """Where a target has files that nobody else has."""
    path = tmp_path / "private"
    path.mkdir()
    return path


@AS_ANYBODY
@pytest.mark.parametrize("minor", [(3, 9), (3, 12)], ids=str)
def test_a_libpython_that_only_the_target_sees(start, folder, prefix, minor):
    library, python = private_python(minor, folder)
    # Under the same name there is something else outside, which must not even be opened.
    os.mkfifo(folder / library.name)
    target = start.command(
        ["unshare", "--mount", "sh", "-c", COPY_AND_RUN, "sh", folder, library,
         *python, *harness.workload("lines.py", 60)]
    )  # fmt: skip
    line, _ = programs.doctor(target.pid, *prefix)
    file, _, how = programs.parse_finding(line)
    assert file == str(folder / library.name)
    assert how == "symbol _PyRuntime"
    assert_stacks(target, target.pid, prefix)


@AS_ANYBODY
@pytest.mark.parametrize("minor", [(3, 7), (3, 9), (3, 12), (3, 13)], ids=str)
@pytest.mark.parametrize("instead", ["nothing", "another", "fifo"])
def test_a_libpython_that_is_gone_from_the_disk(start, folder, prefix, minor, instead):
    library, python = private_python(minor, folder)
    copy = folder / library.name
    shutil.copy(library, copy)
    target = start.command([*python, *harness.workload("lines.py", 60)])
    copy.unlink()
    if instead == "another":
        shutil.copy(programs.libpython(programs.pyenv((3, 10)), (3, 10)), copy)
    if instead == "fifo":
        os.mkfifo(copy)
    line, _ = programs.doctor(target.pid, *prefix)
    file, kind, how = programs.parse_finding(line)
    assert file.startswith(str(copy))
    assert kind == ("shared, file gone" if prefix else "shared")
    assert how == ("symbol _PyRuntime in memory" if prefix else "symbol _PyRuntime")
    assert f"CPython {full_version(library)} " in line
    assert_stacks(target, target.pid, prefix)


def full_version(library):
    """3.9.18, from ~/.pyenv/versions/3.9.18/lib/..."""
    return library.parents[1].name


def test_symbols_from_a_debug_file_that_only_the_target_has(start, folder, tmp_path):
    """By build id, as distributions install them."""
    stripped = programs.TARGETS / "embedded-3.9-stripped"
    if not stripped.exists():
        pytest.skip(f"no {stripped}: tools/get_targets embedded makes it")
    moved = shutil.copy(stripped, tmp_path / "moved")  # away from what its debug link names
    notes = subprocess.run(["readelf", "-n", moved], capture_output=True, check=True).stdout.decode()
    build_id = notes.split("Build ID:")[1].split()[0]
    run = ("mount -t tmpfs tmpfs /usr/lib/debug && mkdir -p /usr/lib/debug/.build-id/$1 && "
           'cp "$2" "/usr/lib/debug/.build-id/$1/$3.debug" && shift 3 && exec "$@"')  # fmt: skip
    target = start.command(
        ["unshare", "--mount", "sh", "-c", run, "sh", build_id[:2], f"{stripped}.debug", build_id[2:],
         moved, *harness.workload("lines.py", 60)]
    )  # fmt: skip
    line, _ = programs.doctor(target.pid)
    debug = f"/usr/lib/debug/.build-id/{build_id[:2]}/{build_id[2:]}.debug"
    assert programs.parse_finding(line)[2] == f"symbol _PyRuntime of {debug}, by build id"
    assert not Path(debug).exists()
    assert_stacks(target, target.pid)


@AS_ANYBODY
def test_files_of_an_overlay(start, folder, prefix):
    """As in a container: maps may have other inode numbers than stat."""
    library, _ = private_python((3, 12), folder)
    _, python = private_python((3, 12), folder / "merged")
    script = ('mount -t tmpfs tmpfs "$1" && cd "$1" && mkdir lower upper work merged && cp "$2" lower && '
              "mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged && "
              'cd / && shift 2 && exec "$@"')  # fmt: skip
    target = start.command(
        ["unshare", "--mount", "sh", "-c", script, "sh", folder, library, *python,
         *harness.workload("lines.py", 60)]
    )  # fmt: skip
    line, _ = programs.doctor(target.pid, *prefix)
    assert programs.parse_finding(line)[1:] == ("shared", "symbol _PyRuntime")
    assert_stacks(target, target.pid, prefix)
