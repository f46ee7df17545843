"""-o -: the result goes to stdout, and nothing else does."""

import json

import harness
import pytest
from terminal import on_a_terminal

USAGE = 2
FORMATS = ["summary", "json", "html", "chrome", "perfetto", "gecko", "speedscope", "flamegraph", "collapsed", "csv", "pprof"]


@pytest.mark.parametrize("form", FORMATS)
def test_a_dash_is_stdout(recording, tmp_path, form):
    out = tmp_path / "out"
    to_file = harness.gilspy("report", recording, "-f", form, "-o", out)
    to_stdout = harness.gilspy("report", recording, "-f", form, "-o", "-", cwd=tmp_path)
    assert (to_file.returncode, to_stdout.returncode) == (0, 0), to_stdout.stderr
    assert to_stdout.stdout == out.read_bytes()
    assert not (tmp_path / "-").exists()


def test_of_a_comparison_too(recording, tmp_path):
    result = harness.gilspy("diff", recording, recording, "-f", "json", "-o", "-", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)
    assert not (tmp_path / "-").exists()


def test_what_is_said_besides_goes_to_stderr(any_python, start, tmp_path):
    target = start(any_python, "forever.py", 2)
    result = harness.gilspy("attach", "--pid", target.pid, "-d", 0.5, "-f", "json", "-o", "-", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["process"]["pid"] == target.pid
    assert b"sampling CPython" in result.stderr


def test_a_recorded_program_that_says_nothing(any_python, tmp_path):
    code = "import time; time.sleep(0.3)"
    result = harness.gilspy("record", "-f", "json", "-o", "-", "--", any_python.path, "-c", code, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["sampling"]["ticks"] > 0


def test_a_file_of_that_name_can_still_be_had(recording, tmp_path):
    result = harness.gilspy("report", recording, "-f", "json", "-o", "./-", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (0, b""), result.stderr
    assert json.loads((tmp_path / "-").read_text())


@pytest.mark.parametrize("form", ["perfetto", "pprof"])
@pytest.mark.parametrize("output", [[], ["-o", "-"]])
def test_bytes_are_not_for_a_terminal(recording, form, output):
    status, said = on_a_terminal("report", recording, "-f", form, *output)
    assert status == USAGE
    assert said.decode().splitlines() == [f"gilspy: {form} is not for a terminal: name a file with -o, or send it on with |"]


def test_text_is(recording):
    status, said = on_a_terminal("report", recording, "-f", "collapsed", "-o", "-")
    assert status == 0 and said
