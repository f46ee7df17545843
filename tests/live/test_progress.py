"""Progress while recording: on a terminal only, and gone at the end."""

import re

import harness
import pytest
from terminal import on_a_terminal

LINE = re.compile(rb"gilspy: \d+ s, \d+ ticks, GIL held \d+ %, \d+ threads? waiting")


def test_attach(any_python, start, tmp_path):
    target = start(any_python, "forever.py", 2)
    out = tmp_path / "out.json"
    status, output = on_a_terminal("attach", "--pid", target.pid, "-d", "2.5", "-o", out)
    assert status == 0, output
    assert len(LINE.findall(output)) >= 2
    assert output.endswith(b"\r\x1b[K")  # erased


def test_record_keeps_the_programs_output_whole(any_python, tmp_path):
    code = (
        "import sys, time\n"
        "for number in range(25):\n"
        "    print('begin', end='', flush=True); time.sleep(0.1); print('-end', number)\n"
    )
    status, output = on_a_terminal(
        "record", "-o", tmp_path / "out.json", "--", any_python.path, "-c", code
    )
    assert status == 0, output
    assert LINE.search(output)
    # What gilspy wrote goes to the bottom row and comes back: cut out, the program's own output is left.
    written = re.sub(rb"(\x1bD\x1b\[1A)?\x1b7.*?\x1b8", b"", output, flags=re.S)
    expected = b"".join(b"begin-end %d\r\n" % number for number in range(25))
    assert written == expected
    assert output.rindex(b"\x1b[r\x1b8") > output.rindex(b"gilspy: ")  # the whole screen scrolls again


@pytest.mark.parametrize("how", ["quiet", "no size", "low"])
def test_record_without(any_python, tmp_path, how):
    command = ["record", "-o", tmp_path / "out.json", "--", any_python.path, "-c", "import time; time.sleep(1.5)"]
    if how == "quiet":
        command.insert(1, "-q")
    status, output = on_a_terminal(*command, rows=2 if how == "low" else 24, columns=0 if how == "no size" else 100)
    assert status == 0, output
    assert output == b""


def test_silent_in_a_pipe(any_python, tmp_path):
    result = harness.gilspy(
        "record", "-o", tmp_path / "out.json", "--", any_python.path, "-c", "import time; time.sleep(1.5)"
    )
    assert result.returncode == 0
    assert result.stderr == b"" and result.stdout == b""
