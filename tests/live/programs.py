"""Programs with a Python inside: what tools/get_targets has made, as Pythons to run workloads with."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import harness

TARGETS = Path(os.environ.get("GILSPY_TARGETS", harness.ROOT / "build" / "targets"))
EMBEDDED_MINORS = ((3, 7), (3, 9), (3, 11), (3, 12), (3, 13))

# How each is linked, and so what gilspy has to find: (kind, how), "" where it does not depend on that.
EMBEDDED_KINDS = {
    "shared": ("shared", "symbol _PyRuntime"),
    "shared-nopie": ("shared", "symbol _PyRuntime"),
    "static": ("static, PIE", "symbol _PyRuntime"),
    "static-nopie": ("static, not PIE", "symbol _PyRuntime"),
    "stripped": ("static, not PIE, stripped", ""),
}


@dataclass(frozen=True)
class Program:
    """Something that runs a Python script: `command` comes before the script."""

    id: str
    minor: tuple
    command: tuple
    missing: str = ""  # why
    kind: str = ""  # by its design
    how: str = ""

    def run(self, script, *arguments):
        """The command line that runs a workload."""
        path, *rest = harness.workload(script, *arguments)
        if self.id.endswith("uwsgi"):
            rest = ["--pyargv", " ".join(rest)]
        return [*self.command, path, *rest]


def _program(id, minor, name, *arguments, **expected):
    path = TARGETS / name
    missing = "" if path.exists() else f"no {path}: tools/get_targets makes it"
    return Program(id, minor, (str(path), *arguments), missing, **expected)


def embedded():
    found = []
    for minor in EMBEDDED_MINORS:
        dotted = "%d.%d" % minor
        for link, (kind, how) in EMBEDDED_KINDS.items():
            # What exports no names can import nothing that is written in C, and 3.7 needs ctypes to
            # know its threads' ids.
            if link == "stripped" and minor < (3, 8):
                continue
            if link == "stripped":
                # The section came with 3.11; before that only the debug file knows.
                how = "section .PyRuntime" if minor >= (3, 11) else "by debug link"
            name = f"embedded-{dotted}-{link}"
            found.append(_program(f"{dotted}-embedded-{link}", minor, name, kind=kind, how=how))
    return found


def frozen():
    return _program("3.12-pyinstaller", (3, 12), "frozen/frozen", kind="shared, stripped")


def uwsgi():
    return _program("3.11-uwsgi", (3, 11), "uwsgi", "--master", "--enable-threads", "--socket", "127.0.0.1:0",
                    "--die-on-term", "--pyrun", kind="shared")  # fmt: skip


def several():
    return _program("several", (), "several")


def pyenv(minor):
    """The folder of pyenv's build, or None."""
    for python in harness.pythons():
        if python.id.endswith("-pyenv") and python.minor == minor and not python.missing:
            return Path(python.path).parents[1]
    return None


def libpython(home, minor):
    suffix = "m" if minor < (3, 8) else ""
    return home / "lib" / ("libpython%d.%d%s.so.1.0" % (*minor, suffix))


def doctor(pid, *prefix):
    """What `gilspy doctor` says of its Python: (whole line, further lines)."""
    result = subprocess.run(
        [*prefix, harness.GILSPY, "doctor", "--pid", str(pid)], capture_output=True, timeout=harness.PATIENCE
    )
    lines = result.stdout.decode().splitlines()
    at = next((i for i, line in enumerate(lines) if " Python: " in line), None)
    assert at is not None, lines
    return lines[at], lines[at + 1 :]


def parse_finding(line):
    """(file, kind, how) of a good finding of doctor's."""
    assert line.startswith("ok "), line
    place, how = line.rsplit("), found by ", 1)
    file, kind = place.split(" in ", 1)[1].rsplit(" (", 1)
    return file, kind, how
