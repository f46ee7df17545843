"""The programs that people open our files with, as tools/get_readers fetched them. A test of one that is not
here is skipped, and says so."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import harness
import pytest

READERS = Path(os.environ.get("GILSPY_READERS", harness.ROOT / "build" / "readers"))
SCRIPTS = Path(__file__).resolve().parent / "readers"
NODE_MODULES = READERS / "node" / "node_modules"
PACKAGES = READERS / "python" / "packages"
PYTHON = READERS / "python" / "python"


def need(path):
    if not Path(path).exists():
        pytest.skip(f"no {path}: tools/get_readers gets it")


def run(command, env=(), **options):
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        timeout=harness.PATIENCE * 2,
        env={**os.environ, **dict(env)},
        **options,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-2000:]
    return done.stdout.decode()


def query_trace(trace, *queries):
    """What Perfetto's trace_processor answers to each query: a list of rows."""
    need(PYTHON)
    command = [PYTHON, SCRIPTS / "trace_query.py", trace, *queries]
    return json.loads(run(command, {"PYTHONPATH": str(PACKAGES)}))


def viztracer(*arguments):
    need(PYTHON)
    return run([PYTHON, "-m", "viztracer", *arguments], {"PYTHONPATH": str(PACKAGES)})


class FirefoxProfiler:
    """A file in the Firefox Profiler's own processing, by its command line."""

    def __init__(self, file, folder):
        self.node = NODE_MODULES / "node" / "bin" / "node"
        self.script = NODE_MODULES / "@firefox-devtools" / "profiler-cli" / "dist" / "profiler-cli.js"
        need(self.node)
        need(self.script)
        self.env = {"PROFILER_CLI_SESSION_DIR": str(folder), "PROFILER_CLI_NO_SYMBOLICATE": "1"}
        self._call("load", file)

    def _call(self, *arguments):
        return run([self.node, self.script, *arguments], self.env)

    def ask(self, *arguments):
        return json.loads(self._call(*arguments, "--json"))

    def stop(self):
        self._call("stop", "--all")


def pprof(file, *arguments):
    if shutil.which("go"):
        return run(["go", "tool", "pprof", *arguments, file])
    if shutil.which("pprof"):
        return run(["pprof", *arguments, file])
    pytest.skip("no go: its pprof is not here")


def speedscope(file, screenshot=""):
    """What speedscope's page shows of a file, in Chromium."""
    need(NODE_MODULES / "speedscope")
    if not shutil.which("chromium"):
        pytest.skip("no chromium: pages are not opened")
    node = shutil.which("node") or NODE_MODULES / "node" / "bin" / "node"
    command = [node, SCRIPTS / "speedscope.js", NODE_MODULES / "speedscope", file, screenshot]
    return json.loads(run(command, {"NODE_PATH": str(NODE_MODULES)}))
