"""Each format in the program that people open it with: it says what `-f json` says."""

import csv
import io
import json
import re
from collections import defaultdict

import harness
import other_tools
import pytest

# The timeline's names of what -f json calls *_seconds.
STATES = {
    "holding, running": "holding_running_seconds",
    "holding, blocked": "holding_blocked_seconds",
    "waiting for the GIL": "waiting_seconds",
    "running without the GIL": "running_seconds",
    "blocked": "blocked_seconds",
    "runnable": "runnable_seconds",
    "unknown": "unknown_seconds",
}


def report(recording, out, *arguments):
    result = harness.gilspy("report", recording, "-o", out, *arguments)
    assert result.returncode == 0, result.stderr.decode()
    return out


@pytest.fixture(scope="module")
def summary(recording, tmp_path_factory):
    out = tmp_path_factory.mktemp("summary") / "summary.json"
    return harness.read_summary(report(recording, out))


def seconds_by_thread(summary):
    """{(tid, state): seconds}, without those that are 0."""
    return {
        (thread.tid, state): thread.row[key]
        for thread in summary.threads
        for state, key in STATES.items()
        if thread.row[key] > 0
    }


def assert_same_times(found, summary):
    expected = seconds_by_thread(summary)
    assert set(found) == set(expected)
    for key, seconds in expected.items():
        assert found[key] == pytest.approx(seconds, abs=2e-9 + 1e-6 * seconds), key


STATE_SLICES = """
    select thread.tid as tid, thread.name as thread, slice.name as state, sum(dur) as ns, count() as n
    from slice join thread_track on slice.track_id = thread_track.id join thread using (utid)
    where slice.depth = 0 group by 1, 3"""
ERRORS = "select name, value from stats where severity in ('error', 'data_loss') and value > 0"


@pytest.fixture(scope="module")
def trace(recording, tmp_path_factory):
    return report(recording, tmp_path_factory.mktemp("perfetto") / "run.pftrace")


def test_perfetto_states(trace, summary):
    states, errors, process = other_tools.query_trace(
        trace, STATE_SLICES, ERRORS, "select pid from process where pid > 0"
    )
    assert errors == []
    assert process == [{"pid": summary.data["process"]["pid"]}]
    assert_same_times({(row["tid"], row["state"]): row["ns"] / 1e9 for row in states}, summary)
    names = {row["tid"]: row["thread"] for row in states}
    assert names == {thread.tid: thread.name for thread in summary.threads}


def test_perfetto_gil(trace, summary):
    held, counters = other_tools.query_trace(
        trace,
        """select sum(dur) as ns from slice join process_track on slice.track_id = process_track.id
           where process_track.name = 'GIL' and slice.name != 'unknown'""",
        """select process_counter_track.name as name, max(value) as most from counter
           join process_counter_track on counter.track_id = process_counter_track.id group by 1""",
    )
    assert held[0]["ns"] / 1e9 == pytest.approx(summary.gil["held_share"] * summary.wall, abs=1e-6)
    most = {row["name"]: row["most"] for row in counters}
    assert most["GIL hand-offs"] == summary.gil["handoffs"]
    assert 1 <= most["GIL waiters"] <= len(summary.threads)


def test_perfetto_arrows(trace):
    """From a wait to a hold of another thread, at a time that both have in common."""
    (flows, waits) = other_tools.query_trace(
        trace,
        """select w.name as wait, h.name as hold, wt.utid = ht.utid as same,
                  w.ts < h.ts + h.dur and h.ts < w.ts + w.dur as meet
           from flow join slice w on flow.slice_out = w.id
           join slice mark on flow.slice_in = mark.id join slice h on mark.parent_id = h.id
           join thread_track wt on w.track_id = wt.id join thread_track ht on h.track_id = ht.id""",
        "select count() as n from slice where name = 'waiting for the GIL'",
    )
    assert 0.9 * waits[0]["n"] <= len(flows) <= waits[0]["n"]
    for flow in flows:
        assert flow["wait"] == "waiting for the GIL"
        assert flow["hold"].startswith("holding")
        assert (flow["same"], flow["meet"]) == (0, 1)


def test_perfetto_stacks(trace, summary):
    samples, frames = other_tools.query_trace(
        trace,
        "select count() as n from perf_sample",
        """select f.name as function, m.name as file, count() as n from perf_sample
           join thread using (utid) join stack_profile_callsite c on perf_sample.callsite_id = c.id
           join stack_profile_frame f on c.frame_id = f.id join stack_profile_mapping m on f.mapping = m.id
           where thread.name like 'crunch-%' group by 1, 2 order by n desc limit 1""",
    )
    assert 0 < samples[0]["n"] <= summary.data["sampling"]["stacks"]
    assert frames[0]["function"] == "crunch"
    assert frames[0]["file"].endswith("two_threads.py")


def test_chrome_in_perfetto(recording, summary, tmp_path):
    trace = report(recording, tmp_path / "run.trace.json")
    states, errors = other_tools.query_trace(trace, STATE_SLICES, ERRORS)
    assert errors == []
    found = {}
    for row in states:
        if row["thread"].endswith(": state"):
            found[int(re.search(r"\((\d+)\)", row["thread"])[1]), row["state"]] = row["ns"] / 1e9
    assert_same_times(found, summary)


def test_firefox_profiler(recording, summary, tmp_path):
    profiler = other_tools.FirefoxProfiler(report(recording, tmp_path / "run.gecko.json"), tmp_path / "sessions")
    try:
        threads = profiler.ask("thread", "list")["threads"]
        handles = {thread["tid"]: thread["threadHandle"] for thread in threads}
        found = {}
        for thread in summary.threads:
            samples = profiler.ask("thread", "samples", "--thread", handles[thread.tid], "--include-idle")
            for category in samples["categoryBreakdown"]["categories"]:
                found[thread.tid, category["name"]] = category["samples"] / 1e3
        assert_same_times(found, summary)

        tid = summary.thread("crunch-0").tid
        markers = profiler.ask("thread", "markers", "--thread", handles[tid])
        waits = {row["markerName"]: row for row in markers["byType"]}["waiting for the GIL"]
        mean = waits["durationStats"]["avg"] / 1e3
        assert waits["count"] * mean == pytest.approx(
            summary.thread("crunch-0").row["waiting_seconds"], rel=1e-6
        )
        assert {marker["label"].split(" ")[0] for marker in waits["topMarkers"]} <= {"crunch-1", "MainThread"}
    finally:
        profiler.stop()


def test_pprof(recording, summary, tmp_path):
    file = report(recording, tmp_path / "run.pb.gz")
    sums = {
        "hold": ["holding_running_seconds", "holding_blocked_seconds"],
        "wait": ["waiting_seconds"],
        "cpu": ["holding_running_seconds", "running_seconds"],
        "wall": list(STATES.values()),
    }
    for weight, keys in sums.items():
        text = other_tools.pprof(file, f"-sample_index={weight}", "-unit=ns", "-top", "-nodefraction=0")
        total = float(re.search(r"of ([\d.]+)ns total", text)[1]) / 1e9
        expected = sum(thread.row[key] for thread in summary.threads for key in keys)
        assert total == pytest.approx(expected, rel=1e-6), weight
    blame = other_tools.pprof(file, "-sample_index=blame", "-unit=ns", "-top", "-lines")
    top = blame[blame.index("flat%") :].splitlines()[1]
    assert "crunch" in top and "two_threads.py" in top
    assert "crunch-0" in other_tools.pprof(file, "-sample_index=hold", "-tags")


def test_speedscope(recording, summary, tmp_path):
    shown = other_tools.speedscope(report(recording, tmp_path / "run.speedscope.json"))
    assert shown["errors"] == [] and shown["requests"] == []
    assert "two_threads.py" in shown["title"]
    lengths = {}
    for profile in shown["profiles"]:
        number, unit = re.fullmatch(r"([\d.]+)(m?s)", profile["length"]).groups()
        lengths[profile["name"]] = float(number) / (1000 if unit == "ms" else 1)
    assert lengths == {
        f"{thread.name} ({thread.tid})": pytest.approx(thread.seconds, abs=0.006)
        for thread in summary.threads
    }
    assert "main" in {function["name"] for function in shown["functions"]}


def test_csv(recording, summary, tmp_path):
    text = report(recording, tmp_path / "run.csv").read_text()
    times = defaultdict(float)
    last = {}
    tids = {thread.tid for thread in summary.threads}
    for row in csv.DictReader(io.StringIO(text)):
        tid = int(row["tid"])
        start, end = float(row["start_s"]), float(row["end_s"])
        assert start == last.get(tid, start)  # no gap
        last[tid] = end
        times[tid, row["state"]] += end - start
        assert not row["holder_tid"] or (row["gil"] == "waiting" and int(row["holder_tid"]) in tids)
    found = {key: pytest.approx(value, abs=1e-4) for key, value in times.items()}
    assert seconds_by_thread(summary) == found
