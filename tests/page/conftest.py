"""Fixtures of the browser tests: recordings of real runs, their pages, and a browser to look at them."""

import json
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "live"))

import browser as browsers
import harness


@pytest.fixture(scope="session")
def browser():
    if browsers.missing():
        pytest.skip(browsers.missing())
    if not os.access(harness.GILSPY, os.X_OK):
        pytest.exit(f"no gilspy at {harness.GILSPY}: build it, or say where with GILSPY_BIN", 1)
    started = browsers.Browser()
    yield started
    started.close()


class Report:
    """A recording, its page, and the same run as other formats tell it."""

    def __init__(self, recording):
        self.recording = recording
        self.page = recording.with_suffix(".html")
        self.output("-o", self.page)
        self.json = json.loads(self.output("-f", "json"))
        self.trace = json.loads(self.output("-f", "chrome"))

    def output(self, *arguments):
        result = harness.gilspy("report", self.recording, *arguments)
        assert result.returncode == 0, result.stderr.decode()
        return result.stdout

    def thread(self, name):
        found = [thread for thread in self.json["threads"] if thread["name"] == name]
        assert len(found) == 1, name
        return found[0]


def record(folder, name, *arguments):
    python = next(python for python in harness.pythons() if not python.missing)
    file = folder / f"{name}.gilspy"
    result = harness.gilspy(
        "record", "-q", "--recording", file, "-f", "json", "-o", os.devnull,
        "--", python.path, *harness.workload(f"{name}.py", *arguments),
    )  # fmt: skip
    assert result.returncode == 0, result.stderr.decode()
    return Report(file)


@pytest.fixture(scope="session")
def two_threads(tmp_path_factory, browser):
    return record(tmp_path_factory.mktemp("page"), "two_threads", 2)


@pytest.fixture(scope="session")
def mixed(tmp_path_factory, browser):
    return record(tmp_path_factory.mktemp("page"), "mixed", 3)


@pytest.fixture
def shown(browser):
    """shown(report): its page is open; when the test is over, nothing may have gone wrong in it."""

    def show(report, **options):
        browser.open(report.page, **options)
        return browser

    yield show
    assert browser.problems() == []
