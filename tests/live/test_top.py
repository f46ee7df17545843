"""gilspy top, driven in a real terminal (tmux): keys, sizes, ends, and what it leaves behind."""

import json
import os
import re
import shutil
import signal

import harness
import pytest
from terminal import Terminal

pytestmark = pytest.mark.skipif(not shutil.which("tmux"), reason="tmux is missing")


@pytest.fixture
def terminal(tmp_path):
    opened = []

    def open_terminal(**options):
        opened.append(Terminal(tmp_path, **options))
        return opened[-1]

    yield open_terminal
    for one in opened:
        one.end()


@pytest.fixture
def top(start, terminal, any_python, tmp_path):
    """gilspy top on two threads that fight for the GIL, drawn in a terminal."""

    class Session:
        target = start(any_python, "forever.py")
        terminal = None

        def open(self, **options):
            self.terminal = terminal(**options)
            self.terminal.run(f"cd {tmp_path}")
            self.modes = self.terminal.modes("before")
            self.run()
            return self.terminal

        def run(self, options=""):
            self.terminal.run(f"clear; {harness.GILSPY} top --pid {self.target.pid} {options}")
            self.terminal.wait_for("Worst", "crunch-0", "crunch-1", "MainThread")
            self.pid = self.terminal.foreground()

        def assert_terminal_is_as_before(self):
            self.terminal.wait_until(lambda _: self.terminal.foreground() is None, "gilspy's end")
            assert not self.terminal.alternate()
            assert self.terminal.cursor()
            assert self.terminal.modes("after") == self.modes

    return Session()


def percent(line_start, screen):
    """The figure in a line such as "held [###] 99.1 %"."""
    return float(re.search(rf"^{line_start} .*?([\d.]+) %", screen, re.M)[1])


def row_of(name, screen):
    return next(line for line in screen.split("\n") if line.lstrip("▶> ").startswith(name + " "))


def test_shows_what_the_workload_does(top):
    terminal = top.open()
    terminal.wait_for("Worst blocker: crunch in forever.py")
    terminal.wait_until(lambda screen: re.search(r" last [2-9]\.", screen), "two seconds of it")
    screen = terminal.screen()
    # Two threads of pure Python: the GIL is always held and always wanted, by each half of the time.
    assert percent("held", screen) > 80
    assert percent("contended", screen) > 80
    for name in ("crunch-0", "crunch-1"):
        row = row_of(name, screen)
        assert str(top.target.threads[name]) in row
        hold, wait = [float(figure) for figure in re.findall(r"\d+\.\d", row)[:2]]
        assert 25 < hold < 75 and 25 < wait < 75, row
    row = row_of("MainThread", screen)
    assert "io: read" in row and float(re.findall(r"\d+\.\d", row)[3]) > 90
    # It was there before it was watched.
    up, last = re.search(r"up ([\d.]+) s  last ([\d.]+) s", screen).groups()
    assert float(last) <= float(up) < float(last) + harness.PATIENCE
    terminal.type("q")
    top.assert_terminal_is_as_before()


def test_keys(top):
    terminal = top.open()
    terminal.type("2")
    terminal.wait_for("waited for", "in function")
    terminal.press("Down")
    terminal.press("Enter")
    terminal.wait_for("threading.py")
    terminal.type("/main")
    terminal.wait_for("filter: main_")
    terminal.press("Enter")
    terminal.wait_until(lambda screen: "crunch-0" not in screen, "the filter")
    terminal.press("Escape")
    terminal.wait_for("crunch-0", "MainThread")
    terminal.type("w")
    terminal.wait_for("since start,")
    terminal.type("w")
    terminal.wait_for(" last ")
    terminal.type("h")
    terminal.wait_for("write the window as a .gilspy recording")
    terminal.type("x")
    terminal.wait_for("crunch-0")
    terminal.type("r")
    terminal.wait_for("the window begins anew", "ms ")
    terminal.type("q")
    top.assert_terminal_is_as_before()


def test_sorts_by_the_column_of_choice(top):
    terminal = top.open()
    names = ["MainThread", "crunch-0", "crunch-1"]

    def in_order(wanted):
        return lambda screen: [
            name for line in screen.split("\n") for name in names
            if line.lstrip("▶> ").startswith(name + " ")
        ] == wanted  # fmt: skip

    terminal.type("<<<")  # hold, now, tid, thread: by name
    terminal.wait_until(in_order(names), "threads by name")
    terminal.type("i")
    terminal.wait_until(in_order(names[::-1]), "threads by name, backwards")
    terminal.type("q")


def test_a_pause_keeps_the_figures(top):
    terminal = top.open()
    terminal.type(" ")
    paused = terminal.wait_for("PAUSED")
    terminal.type("2")
    terminal.wait_for("waited for")
    uptime = re.search(r"up (.*?)  last (.*?) ", paused)[0]
    assert uptime in terminal.screen()
    terminal.type(" ")
    terminal.wait_until(lambda screen: "PAUSED" not in screen and uptime not in screen, "going on")
    terminal.type("q")


@pytest.mark.parametrize("columns, rows", [(60, 20), (80, 24), (200, 50)])
def test_fits_every_size_at_once(top, columns, rows):
    terminal = top.open()
    terminal.resize(columns, rows)
    terminal.wait_until(
        lambda screen: len(screen.split("\n")) == rows and "q quit" in screen.split("\n")[-1],
        "the last line at the bottom",
    )
    screen = terminal.screen()
    assert "Worst" in screen and "1 functions" in screen
    assert all(len(line) <= columns for line in screen.split("\n"))
    terminal.type("q")


def test_a_recording_of_the_window(top, tmp_path):
    terminal = top.open()
    terminal.wait_until(lambda text: re.search(r" last [1-9]\.", text), "a second of it")
    terminal.type(" ")
    screen = terminal.wait_for("PAUSED")
    terminal.type("p")
    terminal.wait_for("wrote the last")
    terminal.type("p")
    harness.wait_for(lambda: len(list(tmp_path.glob("*.gilspy"))) == 2, "a second recording")
    for recording in tmp_path.glob("*.gilspy"):
        report = harness.gilspy("report", recording, "-f", "json")
        assert (report.returncode, report.stderr) == (0, b"")
        summary = harness.Summary(json.loads(report.stdout))
        assert summary.data["process"]["pid"] == top.target.pid
        # The same figures as on the screen, from what was written.
        assert 100 * summary.gil["held_share"] == pytest.approx(percent("held", screen), abs=0.051)
        for name in ("crunch-0", "crunch-1"):
            shown = [float(figure) for figure in re.findall(r"\d+\.\d", row_of(name, screen))[:2]]
            thread = summary.thread(name)
            assert shown == pytest.approx([100 * thread.held, 100 * thread.waited], abs=0.051)
    terminal.type("q")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGSEGV, signal.SIGABRT])
def test_the_terminal_comes_back_after(top, number):
    terminal = top.open()
    assert terminal.alternate()
    os.kill(top.pid, number)
    top.assert_terminal_is_as_before()
    top.target.assert_runs_on()


def test_ctrl_c_ends_it(top):
    terminal = top.open()
    terminal.press("C-c")
    top.assert_terminal_is_as_before()


def test_suspended_and_back(top):
    terminal = top.open()
    terminal.press("C-z")
    terminal.wait_for("Stopped")
    assert not terminal.alternate()
    assert terminal.modes("stopped") == top.modes
    terminal.run("fg")
    terminal.wait_for("Worst blocker", "crunch-0", "1 functions")
    assert terminal.alternate()
    terminal.type("q")
    top.assert_terminal_is_as_before()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_last_view_stays_when_the_target_ends(top, number):
    terminal = top.open()
    top.target.send(number)
    screen = terminal.wait_for("the process has ended", "ENDED")
    assert "Worst blocker" in screen and "crunch-0" in screen
    terminal.type("2")  # it can still be looked at
    terminal.wait_for("waited for")
    terminal.type("q")
    top.assert_terminal_is_as_before()


def test_a_launched_program_and_its_output(terminal, any_python, tmp_path):
    window = terminal(columns=100, rows=30)
    window.run(f"export TMPDIR={tmp_path}")
    command = " ".join([any_python.path, *harness.workload("two_threads.py", 1)])
    window.run(f"clear; {harness.GILSPY} top -- {command}")
    screen = window.wait_for("ENDED", "exit status 0")
    assert "Worst blocker" in screen and '{"crunch-0":' not in screen
    window.type("q")
    window.wait_for("the program's output is in")
    (output,) = tmp_path.glob("gilspy-top-*.log")
    assert sorted(json.loads(output.read_text())) == ["crunch-0", "crunch-1"]


@pytest.mark.parametrize("answer, ends", [("t", True), ("l", False)])
def test_quitting_asks_what_becomes_of_a_launched_program(terminal, any_python, tmp_path, answer, ends):
    window = terminal()
    window.run(f"export TMPDIR={tmp_path}")
    command = " ".join([any_python.path, *harness.workload("two_threads.py", 30)])
    window.run(f"clear; {harness.GILSPY} top -- {command}")
    screen = window.wait_for("Worst blocker", "crunch-0")
    pid = int(re.search(r"pid (\d+)", screen)[1])
    window.type("q")
    window.wait_for("t ends it")
    window.type("x")  # goes on
    window.wait_until(lambda text: "t ends it" not in text, "the question to go")
    window.type("q" + answer)
    window.wait_until(lambda _: window.foreground() is None, "gilspy's end")
    ended = os.pidfd_open(pid) if os.path.exists(f"/proc/{pid}") else None
    try:
        if ends:
            harness.wait_for(lambda: not os.path.exists(f"/proc/{pid}"), "the program's end")
        else:
            assert ended is not None
    finally:
        if ended is not None:
            if not ends:
                signal.pidfd_send_signal(ended, signal.SIGKILL)
            os.close(ended)


def test_no_color(top):
    color = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-7]|9[0-7])m")
    terminal = top.open()
    assert color.search(terminal.styled())
    terminal.type("q")
    top.assert_terminal_is_as_before()
    terminal.run("export NO_COLOR=1")
    top.run()
    assert not color.search(terminal.styled())
    # The states are letters instead.
    terminal.wait_until(lambda screen: re.search(r"[Hw]{3}", row_of("crunch-0", screen)), "a strip")
    terminal.type("q")


def test_ascii_where_the_locale_is_not_utf8(top):
    top.terminal = terminal = top.open(env={"LC_ALL": "C"})
    assert terminal.screen().isascii()
    terminal.type("q")


def test_once_is_plain_text(start, any_python):
    target = start(any_python, "forever.py")
    result = harness.gilspy("top", "--pid", target.pid, "--once", "-w", "1", env={"LC_ALL": "C.UTF-8"})
    text = result.stdout.decode()
    assert result.returncode == 0 and result.stderr == b""
    assert "\x1b" not in text and "Worst blocker" in text and "crunch-1" in text
    assert percent("held", text) > 80


def test_a_dumb_terminal_gets_plain_text(terminal, start, any_python):
    target = start(any_python, "forever.py")
    window = terminal(env={"TERM": "dumb"}, rows=40)
    window.run(f"clear; {harness.GILSPY} top --pid {target.pid} -w 1; echo over-$?")
    screen = window.wait_for("over-0")
    assert "Worst blocker" in screen and not window.alternate()


def test_three_hundred_threads(terminal, start, any_python):
    target = start(any_python, "crowd.py", 300)
    window = terminal()
    window.run(f"clear; {harness.GILSPY} top --pid {target.pid}")
    # The busy ones come first; the first and the last of the others are a key away.
    screen = window.wait_for("Worst blocker", "busy-0", "busy-1")
    assert screen.index("busy-") < screen.index("idle-")
    window.type("<<<")  # by name
    window.wait_for("idle-1 ")
    window.type("i")
    window.wait_for("idle-99 ")
    window.press("End")
    window.wait_for("MainThread")
    window.type("/idle-250")
    window.press("Enter")
    window.wait_for("idle-250")
    window.type("q")
    window.wait_until(lambda _: window.foreground() is None, "gilspy's end")


@pytest.mark.parametrize("arguments, status", [
    ([], 2), (["--pid", "1", "--", "true"], 2), (["--pid", "999999999"], 5),
    (["--once", "--", "true"], 3),
])  # fmt: skip
def test_says_what_is_wrong(arguments, status):
    result = harness.gilspy("top", *arguments)
    assert result.returncode == status, result.stderr
    assert len(result.stderr.decode().splitlines()) == 1
