"""Programs with a Python inside: embedded in C, several in one process, PyInstaller's, uWSGI's workers."""

import json
import re
import socket
import threading
import urllib.request
from pathlib import Path

import harness
import programs
import pytest


def each(found):
    return [
        pytest.param(
            program,
            id=program.id,
            marks=[pytest.mark.skip(reason=program.missing)] if program.missing else [],
        )
        for program in found
    ]


def needs(program):
    if program.missing:
        pytest.skip(program.missing)
    return program


def stacks_of(pid):
    result = harness.gilspy("dump", "--pid", pid, "--json")
    assert result.returncode == 0, result.stderr.decode()
    return {
        thread["tid"]: [[f["function"], f["file"], f["line"]] for f in thread.get("stack", [])]
        for thread in json.loads(result.stdout)["threads"]
    }


def assert_sees_what_cpython_sees(target, pid):
    found = stacks_of(pid)
    for tid, stack in target.details["stacks"].items():
        assert found[int(tid)] == stack


@pytest.mark.parametrize("program", each([*programs.embedded(), programs.frozen(), programs.uwsgi()]))
def test_its_stacks_are_those_that_cpython_itself_sees(program, start):
    target = start.command(program.run("lines.py", 60))
    assert_sees_what_cpython_sees(target, target.details["pid"])


@pytest.mark.parametrize("program", each(programs.embedded()))
def test_embedded_is_found_the_way_it_was_linked(program, start):
    target = start.command(program.run("lines.py", 60))
    line, _ = programs.doctor(target.pid)
    _, kind, how = programs.parse_finding(line)

    assert "CPython %d.%d." % program.minor in line
    assert kind == program.kind
    assert program.how in how


def test_the_parent_of_a_frozen_program_names_its_child(start):
    program = needs(programs.frozen())
    target = start.command(program.run("blocked.py", 60))
    child = target.details["pid"]
    assert child != target.pid
    for command in (["attach", "-d", 1], ["dump"]):
        result = harness.gilspy(*command, "--pid", target.pid)
        assert result.returncode == 3
        assert re.search(rf"its child {child} is", result.stderr.decode())


def test_record_follows_a_frozen_program_to_its_child(tmp_path):
    program = needs(programs.frozen())
    out = tmp_path / "out.json"
    result = harness.gilspy("record", "-f", "json", "-o", out, "--", *program.run("two_threads.py", 2))
    assert result.returncode == 0, result.stderr.decode()
    summary = harness.read_summary(out)
    assert summary.data["process"]["python"].startswith("3.12.")
    assert summary.gil["held_share"] > 0.9


IDLE = "import time\ntime.sleep(60)\n"


class Several:
    """pyenv's 3.9 and 3.12 in one process."""

    def __init__(self, start, tmp_path):
        self.program = needs(programs.several())
        self.start = start
        self.idle = tmp_path / "idle.py"
        self.idle.write_text(IDLE)
        self.lines = harness.workload("lines.py")[0]

    def run(self, how, *pythons):
        """pythons: (minor, script)"""
        arguments = []
        for minor, script in pythons:
            home = programs.pyenv(minor)
            if home is None:
                pytest.skip("no pyenv build of %d.%d" % minor)
            arguments += [programs.libpython(home, minor), home, script]
        return self.start.command([*self.program.command, how, *arguments])


@pytest.fixture
def several(start, tmp_path):
    return Several(start, tmp_path)


def test_of_two_libpythons_the_one_that_runs_is_found(several):
    target = several.run("local", ((3, 9), "-"), ((3, 12), several.lines))
    line, more = programs.doctor(target.pid)
    assert "CPython 3.12." in line
    assert not any("not watched" in text for text in more)
    assert_sees_what_cpython_sees(target, target.pid)


def test_of_two_that_run_the_busier_one_is_watched_and_the_other_named(several, tmp_path):
    for pythons in (((3, 9), (3, 12)), ((3, 12), (3, 9))):
        target = several.run("local", (pythons[0], several.idle), (pythons[1], several.lines))
        line, more = programs.doctor(target.pid)
        assert "CPython %d.%d." % pythons[1] in line
        assert "not watched: CPython %d.%d." % pythons[0] in more[0]
        assert_sees_what_cpython_sees(target, target.pid)
        attached = harness.gilspy("attach", "--pid", target.pid, "-d", 0.5, "-o", tmp_path / "out.json")
        assert "not watched: CPython %d.%d." % pythons[0] in attached.stderr.decode()


def test_the_same_libpython_loaded_twice_is_found_where_it_runs(several):
    for unused_first in (True, False):
        pythons = [((3, 9), "-"), ((3, 9), several.lines)]
        target = several.run("namespace", *(pythons if unused_first else [*pythons[1:]]))
        assert_sees_what_cpython_sees(target, target.pid)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def test_requests_in_uwsgi_workers(start):
    """Prefork with threads: every worker that serves a request shows it, by the tid that serves it."""
    program = needs(programs.uwsgi())
    port = free_port()
    application = harness.ROOT / "tests" / "programs" / "application.py"
    target = start.command(
        [program.command[0], "--master", "--processes", 2, "--threads", 2, "--http-socket", f"127.0.0.1:{port}",
         "--wsgi-file", application, "--die-on-term"],
        wait_ready=False,
    )  # fmt: skip
    harness.wait_for(lambda: can_connect(port), "uWSGI to listen")
    requests = [threading.Thread(target=get, args=(f"http://127.0.0.1:{port}/wait",)) for _ in range(4)]
    for request in requests:
        request.start()
    workers = harness.wait_for(lambda: children_of(target.pid, 2), "two workers")

    def waiting():
        """{worker: tids of threads inside a request}"""
        found = {}
        for worker in workers:
            for tid, stack in stacks_of(worker).items():
                if "wait_for_the_end" in [frame[0] for frame in stack]:
                    found.setdefault(worker, set()).add(tid)
        return found if sum(len(tids) for tids in found.values()) == 4 else None

    found = harness.wait_for(waiting, "four requests in the workers' stacks")
    assert sorted(len(tids) for tids in found.values()) == [2, 2]
    target.end()
    for request in requests:
        request.join(timeout=harness.PATIENCE)


def can_connect(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def get(url):
    try:
        urllib.request.urlopen(url, timeout=harness.PATIENCE)
    except OSError:
        pass  # the test ends the server while it waits


def children_of(pid, count):
    children = []
    for task in (Path("/proc") / str(pid) / "task").iterdir():
        children += [int(child) for child in (task / "children").read_text().split()]
    return children if len(children) == count else None
