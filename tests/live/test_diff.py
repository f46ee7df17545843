"""gilspy diff: two recordings side by side."""

import json

import harness
import pytest


def diff(a, b, *arguments):
    return harness.gilspy("diff", a, b, *arguments)


def recorded(python, folder, threads):
    """A recording at a rate that a busy machine keeps as well: one that misses ticks is refused."""
    file = folder / f"{threads}.gilspy"
    result = harness.gilspy(
        "record", "-q", "-r", 200, "--recording", file, "-o", file.with_suffix(".txt"),
        "--", python.path, *harness.workload("two_threads.py", 2, threads),
    )  # fmt: skip
    assert result.returncode == 0, result.stderr.decode()
    return file


@pytest.fixture(scope="module")
def two_threads(tmp_path_factory, any_python):
    return recorded(any_python, tmp_path_factory.mktemp("diff"), 2)


@pytest.fixture(scope="module")
def four_threads(tmp_path_factory, any_python):
    return recorded(any_python, tmp_path_factory.mktemp("diff"), 4)


def test_a_run_and_itself(two_threads):
    result = diff(two_threads, two_threads, "-f", "json")
    assert result.returncode == 0, result.stderr.decode()
    data = json.loads(result.stdout)
    assert data["notes"] == []
    for change in data["figures"].values():
        assert change.get("a") == change.get("b")
    for row in data["threads"] + [f[w] for f in data["functions"] for w in ("hold", "blame")]:
        for change in row.values():
            if isinstance(change, dict):
                assert change["a"] == change["b"]


def test_two_against_four_threads(two_threads, four_threads):
    result = diff(two_threads, four_threads, "-f", "json")
    assert result.returncode == 0, result.stderr.decode()
    data = json.loads(result.stdout)
    # The command lines differ in the number of threads. One thread waits for one that holds, or three do.
    assert any("command" in note for note in data["notes"])
    wait = data["figures"]["wait_per_second"]
    assert wait["a"] == pytest.approx(1, abs=0.3) and wait["b"] == pytest.approx(3, abs=0.7)
    threads = {row["name"]: row for row in data["threads"]}
    assert threads["crunch-3"]["threads"] == {"a": 0, "b": 1}
    crunch = next(row for row in data["functions"] if row["function"] == "crunch")
    assert crunch["blame"]["self"]["b"] > 2 * crunch["blame"]["self"]["a"]


def test_text(two_threads, four_threads, tmp_path):
    out = tmp_path / "diff.txt"
    # By blame: crunch holds the GIL throughout in both, but keeps one thread waiting in one, three in the other.
    result = diff(two_threads, four_threads, "--weight", "blame", "-o", out)
    assert result.returncode == 0, result.stderr.decode()
    text = out.read_text()
    assert "GIL held" in text and "crunch (two_threads.py)" in text and "points" in text


def test_refuses_what_says_too_little(two_threads, any_python, tmp_path):
    short = tmp_path / "short.gilspy"
    harness.gilspy("record", "-q", "--recording", short, "--", any_python.path, *harness.workload("exits.py", 100))
    result = diff(two_threads, short)
    assert result.returncode == 1
    assert "cannot compare" in result.stderr.decode() and "(B)" in result.stderr.decode()
    assert result.stdout == b""


@pytest.mark.parametrize("arguments", [["-f", "chrome"], ["--weight", "heavy"]])
def test_wrong_words(two_threads, arguments):
    assert diff(two_threads, two_threads, *arguments).returncode == 2
