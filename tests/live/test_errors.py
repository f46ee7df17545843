"""Every error ends with its own status, and one line that names the cause and the next step."""

import os
import re
import shutil
import subprocess

import harness
import pytest

OTHER, USAGE, UNSUPPORTED, PERMISSION, GONE = 1, 2, 3, 4, 5


def assert_fails(result, *statuses):
    """It ended with one of these; returns its only line."""
    message = result.stderr.decode()
    assert result.returncode in statuses, message
    assert result.stdout == b""
    assert len(message.strip().splitlines()) == 1, message
    return message


def test_no_such_process():
    child = subprocess.Popen(["true"])
    child.wait()  # its pid was free a moment ago, and pids are not given out again that soon
    message = assert_fails(harness.gilspy("attach", "--pid", child.pid, "-d", 1), GONE)
    assert str(child.pid) in message


def test_a_process_that_is_no_python(start):
    target = start.command(["sleep", "60"], wait_ready=False)
    harness.wait_for(lambda: command_name(target.pid) == "sleep", "sleep to start")
    message = assert_fails(harness.gilspy("attach", "--pid", target.pid, "-d", 1), UNSUPPORTED)
    assert "not a Python" in message


def command_name(pid):
    with open(f"/proc/{pid}/comm") as file:
        return file.read().strip()


def test_a_wrapper_whose_child_is_the_python_names_it(start, any_python):
    forever = " ".join([any_python.path, *harness.workload("forever.py")])
    # "; true" keeps the shell from becoming the Python itself.
    target = start.command(["/bin/sh", "-c", f"{forever}; true"])
    assert target.details["pid"] != target.pid
    message = assert_fails(harness.gilspy("attach", "--pid", target.pid, "-d", 1), UNSUPPORTED)
    assert re.search(rf"\b{target.details['pid']}\b", message)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody who may not look")
def test_no_permission(start, any_python, tmp_path_factory):
    target = start(any_python, "forever.py")
    # "nobody" may not reach into every build folder, so it gets a copy where all may go.
    folder = tmp_path_factory.mktemp("nobody")
    for part in (folder, folder.parent, folder.parent.parent):
        part.chmod(0o755)
    copy = shutil.copy(harness.GILSPY, folder / "gilspy")
    result = subprocess.run(
        [copy, "attach", "--pid", str(target.pid), "-d", "1"],
        capture_output=True, timeout=harness.PATIENCE, user="nobody", cwd="/",
    )  # fmt: skip
    assert_fails(result, PERMISSION)


@pytest.mark.parametrize("arguments", [[], ["attach"], ["attach", "--pid", "1", "--no-such-option"], ["fly"]])
def test_usage(arguments):
    assert_fails(harness.gilspy(*arguments), USAGE)


def test_an_unknown_format(recording):
    message = assert_fails(harness.gilspy("report", recording, "-f", "papyrus"), USAGE)
    assert "papyrus" in message


def test_an_output_folder_that_does_not_exist(recording, tmp_path):
    out = tmp_path / "nowhere" / "out.json"
    message = assert_fails(harness.gilspy("report", recording, "-f", "json", "-o", out), OTHER, USAGE)
    assert "nowhere" in message


def test_a_missing_output_folder_is_found_before_the_program_runs(any_python, tmp_path):
    mark = tmp_path / "it-ran"
    code = f"open({str(mark)!r}, 'w')"
    out = tmp_path / "nowhere" / "out.json"
    assert_fails(harness.gilspy("record", "-o", out, "--", any_python.path, "-c", code), OTHER, USAGE)
    assert not mark.exists()


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_a_recording_that_could_not_be_read_again(any_python, tmp_path, kind):
    mark, recording = tmp_path / "it-ran", tmp_path / "run.gilspy"
    if kind == "pipe":
        os.mkfifo(recording)
    elif kind == "folder":
        recording.mkdir()
    else:
        recording.symlink_to("/dev/null")
    code = f"open({str(mark)!r}, 'w')"
    result = harness.gilspy("record", "--recording", recording, "--", any_python.path, "-c", code)
    assert str(recording) in assert_fails(result, USAGE)
    assert not mark.exists()


def test_a_recording_that_does_not_exist(tmp_path):
    result = harness.gilspy("report", tmp_path / "none.gilspy")
    assert "none.gilspy" in assert_fails(result, OTHER, USAGE)


FOREIGN = {"empty": b"", "json": b"{}", "elf": b"\x7fELF" + bytes(1000), "text": b"gilspy\n" * 500}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_file_that_is_no_recording(tmp_path, kind):
    file = tmp_path / "foreign.gilspy"
    file.write_bytes(FOREIGN[kind])
    assert_fails(harness.gilspy("report", file), OTHER)
