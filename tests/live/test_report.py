"""gilspy report: what a recording turns into can be opened by others."""

import json
import re
import xml.etree.ElementTree as ElementTree

import harness
import pytest

WEIGHTS = ["hold", "wait", "blame", "cpu", "wall"]


def report(recording, *arguments):
    result = harness.gilspy("report", recording, *arguments)
    assert result.returncode == 0, result.stderr.decode()
    return result.stdout.decode()


def test_the_summary_goes_to_stdout(recording):
    text = report(recording)
    assert "GIL" in text
    assert "crunch-0" in text


def test_json(recording):
    summary = harness.Summary(json.loads(report(recording, "-f", "json")))
    assert summary.data["schema"] == 1
    assert {"crunch-0", "crunch-1"} <= {thread.name for thread in summary.threads}


def test_chrome(recording):
    trace = json.loads(report(recording, "-f", "chrome"))
    events = trace["traceEvents"]
    assert {"ph", "pid", "tid"} <= set(events[0])
    names = {e["args"]["name"] for e in events if e["ph"] == "M" and e["name"] == "thread_name"}
    assert any("crunch-0" in name for name in names)
    # On CLOCK_MONOTONIC in microseconds: inside the run that the summary tells of.
    start = json.loads(report(recording, "-f", "json"))["clock"]["start_monotonic_ns"] / 1000
    assert min(e["ts"] for e in events if e["ph"] != "M") >= start - 1


def test_speedscope(recording):
    file = json.loads(report(recording, "-f", "speedscope"))
    assert file["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    frames = len(file["shared"]["frames"])
    assert file["profiles"]
    for profile in file["profiles"]:
        if profile["type"] == "sampled":
            assert len(profile["samples"]) == len(profile["weights"])
            assert all(0 <= frame < frames for sample in profile["samples"] for frame in sample)
        else:
            assert all(0 <= event["frame"] < frames for event in profile["events"])


@pytest.mark.parametrize("weight", WEIGHTS)
def test_collapsed(recording, weight):
    lines = report(recording, "-f", "collapsed", "--weight", weight).splitlines()
    stacks = [re.fullmatch(r"(.+) (\d+)", line) for line in lines]
    assert lines and all(stacks)
    assert any("crunch" in stack[1] for stack in stacks)


def test_collapsed_counts_microseconds(recording):
    lines = report(recording, "-f", "collapsed", "--weight", "hold").splitlines()
    seconds = sum(int(line.rpartition(" ")[2]) for line in lines) / 1e6
    summary = harness.Summary(json.loads(report(recording, "-f", "json")))
    held = sum(thread.held * thread.seconds for thread in summary.threads)
    assert seconds == pytest.approx(held, rel=0.02)


@pytest.mark.parametrize("weight", WEIGHTS)
def test_flamegraph(recording, weight):
    svg = ElementTree.fromstring(report(recording, "-f", "flamegraph", "--weight", weight))
    assert svg.tag.endswith("svg")
    assert "crunch" in ElementTree.tostring(svg, encoding="unicode")


NAMES = [
    "out.html", "out.svg", "out.json", "out.trace.json", "out.speedscope.json", "out.gecko.json", "out.collapsed",
]  # fmt: skip
BEGINNINGS = {
    "out.pftrace": b"\x0a",  # field 1 of Perfetto's Trace
    "out.perfetto-trace": b"\x0a",
    "out.pb.gz": b"\x1f\x8b",  # gzip
    "out.csv": b"start_s,end_s,pid,tid,thread,state,",
}


@pytest.mark.parametrize("name", NAMES)
def test_the_outputs_name_tells_the_format(recording, tmp_path, name):
    assert report(recording, "-o", tmp_path / name) == ""
    text = (tmp_path / name).read_text()
    if name.endswith(".json"):
        json.loads(text)
    elif name.endswith(".svg"):
        ElementTree.fromstring(text)
    elif name.endswith(".html"):
        assert text.startswith("<!doctype html>") and text.endswith("</html>\n")
    else:
        assert re.fullmatch(r".+ \d+", text.splitlines()[0])


def test_a_recording_cut_short_is_still_reported(recording, tmp_path):
    # Whole frames are kept, and a second of samples makes two or three.
    data = recording.read_bytes()
    cut = tmp_path / "cut.gilspy"
    cut.write_bytes(data[:-7])
    result = harness.gilspy("report", cut, "-f", "json")

    assert result.returncode == 0, result.stderr.decode()
    assert harness.Summary(json.loads(result.stdout)).threads
    assert result.stderr  # and says so


@pytest.mark.parametrize("name", BEGINNINGS)
def test_the_outputs_name_tells_the_other_formats(recording, tmp_path, name):
    assert report(recording, "-o", tmp_path / name) == ""
    assert (tmp_path / name).read_bytes().startswith(BEGINNINGS[name])


def summary_of(recording, *arguments):
    return harness.Summary(json.loads(report(recording, "-f", "json", *arguments)))


def test_the_parts_of_a_run_add_up(recording):
    whole = summary_of(recording)
    parts = [
        summary_of(recording, "--to", 0.4),
        summary_of(recording, "--from", 0.4, "--to", 0.7),
        summary_of(recording, "--from", 0.7),
    ]
    assert [part.wall for part in parts[:2]] == [pytest.approx(0.4), pytest.approx(0.3)]
    assert sum(part.wall for part in parts) == pytest.approx(whole.wall)
    start = whole.data["clock"]["start_monotonic_ns"]
    assert parts[1].data["clock"]["start_monotonic_ns"] == start + 400_000_000
    for name in ("crunch-0", "crunch-1"):
        for key in harness.ACTIVITIES:
            expected = whole.thread(name).row[key]
            found = sum(part.thread(name).row[key] for part in parts)
            assert found == pytest.approx(expected, abs=1e-6), (name, key)
    for key in ("wait_seconds", "handoffs"):
        assert sum(part.gil[key] for part in parts) == pytest.approx(whole.gil[key], abs=1e-6)
    ticks = sum(part.data["sampling"]["ticks"] for part in parts)
    assert ticks == pytest.approx(whole.data["sampling"]["ticks"], abs=3)


@pytest.mark.parametrize("by", ["name", "tid"])
def test_a_thread_by_itself(recording, by):
    whole = summary_of(recording)
    thread = whole.thread("crunch-0")
    part = summary_of(recording, "--thread", thread.name if by == "name" else thread.tid)
    assert [row.row for row in part.threads] == [thread.row]
    assert part.gil == whole.gil
    assert {row["holder"] for row in part.data["blame"]} >= {"crunch-0", "crunch-1"}


def test_a_state_by_itself(recording):
    whole = summary_of(recording)
    lines = report(recording, "-f", "collapsed", "--state", "waiting").splitlines()
    seconds = sum(int(line.rpartition(" ")[2]) for line in lines) / 1e6
    assert seconds == pytest.approx(sum(t.row["waiting_seconds"] for t in whole.threads), abs=1e-4)
    part = summary_of(recording, "--state", "waiting")
    assert all(thread.row["blocked_seconds"] == 0 for thread in part.threads)


@pytest.mark.parametrize(
    "arguments, word",
    [
        (["--from", "900"], "900 s"),
        (["--from", "2", "--to", "1"], "--to"),
        (["--from", "-1"], "--from"),
        (["--thread", "nobody"], "crunch-0"),
        (["--state", "dreaming"], "holding-blocked"),
    ],
)
def test_a_part_that_is_not_there(recording, arguments, word):
    result = harness.gilspy("report", recording, *arguments)
    assert result.returncode == 2
    assert word in result.stderr.decode()
    assert result.stdout == b""
