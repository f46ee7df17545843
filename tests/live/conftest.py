"""Fixtures of the live tests. A test that takes `python` runs once for every Python of harness.py that has a
GIL, one that takes `any_build` for those without it too, and one that takes `free_threaded` for these alone."""

import os

import harness
import pytest


def pytest_generate_tests(metafunc):
    rows = {
        "python": harness.SUPPORTED_PYTHONS,
        "any_build": harness.SUPPORTED_PYTHONS + harness.WITHOUT_GIL,
        "free_threaded": harness.WITHOUT_GIL,
    }
    for name in rows.keys() & set(metafunc.fixturenames):
        parameters = [
            pytest.param(
                python,
                id=python.id,
                marks=[pytest.mark.skip(reason=python.missing)] if python.missing else [],
            )
            for python in harness.pythons(rows[name])
        ]
        metafunc.parametrize(name, parameters)


@pytest.fixture(scope="session", autouse=True)
def built_gilspy():
    """Every test needs the program; a missing one is an error, never a reason to skip."""
    if not os.access(harness.GILSPY, os.X_OK):
        pytest.exit(f"no gilspy at {harness.GILSPY}: build it, or say where with GILSPY_BIN", 1)
    return harness.GILSPY


@pytest.fixture(scope="session")
def any_python():
    """For what does not depend on the version of the target."""
    for python in harness.pythons():
        if not python.missing:
            return python
    pytest.skip("no supported Python on this machine")


@pytest.fixture
def start(tmp_path):
    """start(python, "blocked.py", 30): runs a workload until the test ends; returns when it is ready."""
    targets = []

    def start_workload(python, name, *arguments):
        return start_command([python.path, *harness.workload(name, *arguments)])

    def start_command(command, **options):
        targets.append(harness.Target(command, tmp_path, **options))
        return targets[-1]

    start_workload.command = start_command
    yield start_workload
    for target in targets:
        target.end()


@pytest.fixture
def start_gilspy():
    """start_gilspy("attach", ...): gilspy in the background, gone when the test ends."""
    started = []

    def begin(*arguments):
        started.append(harness.start_gilspy(*arguments))
        return started[-1]

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def recording(tmp_path_factory, any_python):
    """A recording of a second of two threads that fight for the GIL, for tests of what reads one."""
    file = tmp_path_factory.mktemp("recording") / "two_threads.gilspy"
    result = harness.gilspy(
        "record", "-q", "--recording", file, "-f", "json", "-o", file.with_suffix(".json"),
        "--", any_python.path, *harness.workload("two_threads.py", 1),
    )  # fmt: skip
    assert result.returncode == 0, result.stderr.decode()
    return file
