"""`viztracer --combine result.json gil.json`: our tracks over VizTracer's functions, on one clock.

That they lie on one clock is shown by what both saw: a C function that keeps the GIL lies inside the time in
which its thread holds it, one that sleeps or receives lies inside the time in which its thread is blocked.
Moved by some milliseconds they fit worse.
"""

import bisect
import json
from collections import defaultdict

import harness
import other_tools
import pytest

STATE_TRACKS = 1 << 29  # src/export/chrome.cpp: a thread's states have this above its tid


def combined(tmp_path, name, *arguments):
    other_tools.need(other_tools.PYTHON)
    result, gil, both = (tmp_path / f"{part}.json" for part in ("result", "gil", "both"))
    recorded = harness.gilspy(
        "record", "-q", "-f", "chrome", "-o", gil, "--",
        other_tools.PYTHON, "-m", "viztracer", "--quiet", "-o", result, *harness.workload(name, *arguments),
        env={"PYTHONPATH": str(other_tools.PACKAGES)},
    )  # fmt: skip
    assert recorded.returncode == 0, recorded.stderr.decode()
    other_tools.viztracer("--combine", result, gil, "-o", both)
    return result, gil, both


def spans(events, wanted):
    """{tid: [[begin, end], ...]} in microseconds, sorted, none overlapping another."""
    found = defaultdict(list)
    for event in events:
        if event["ph"] == "X" and wanted(event):
            found[event["tid"]].append([event["ts"], event["ts"] + event["dur"]])
    merged = {}
    for tid, list_ in found.items():
        merged[tid] = []
        for begin, end in sorted(list_):
            if merged[tid] and begin <= merged[tid][-1][1]:
                merged[tid][-1][1] = max(end, merged[tid][-1][1])
            else:
                merged[tid].append([begin, end])
    return merged


def common(ours, theirs, shift):
    """How much of `ours`, moved by so many microseconds, lies inside of `theirs`."""
    total = 0
    begins = [begin for begin, _ in theirs]
    for begin, end in ours:
        begin, end = begin + shift, end + shift
        index = max(0, bisect.bisect_right(begins, begin) - 1)
        while index < len(theirs) and theirs[index][0] < end:
            total += max(0, min(end, theirs[index][1]) - max(begin, theirs[index][0]))
            index += 1
    return total


def agreement(both, functions, state):
    """{shift in ms: share of the functions' time in which gilspy saw that state}"""
    events = json.loads(both.read_text())["traceEvents"]
    calls = spans(
        events,
        lambda e: e.get("cat") == "fee" and e["name"].split(" ")[0].split(".")[-1] in functions,
    )
    states = {
        tid - STATE_TRACKS: list_
        for tid, list_ in spans(
            events, lambda e: e.get("cat") == "state" and e["name"].startswith(state)
        ).items()
    }
    whole = sum(end - begin for list_ in calls.values() for begin, end in list_)
    assert whole > 0
    shares = {}
    for shift in (-20, -10, -5, -2, 0, 2, 5, 10, 20):
        time = sum(common(states.get(tid, []), list_, shift * 1000) for tid, list_ in calls.items())
        shares[shift] = time / whole
    return shares


def assert_one_clock(shares, least):
    assert shares[0] >= least, shares
    assert all(shares[shift] < shares[0] for shift in shares if shift != 0), shares


def test_two_threads(tmp_path):
    result, gil, both = combined(tmp_path, "two_threads.py", 2)
    # sum() is C code that does not let go of the GIL.
    shares = agreement(both, {"sum"}, "holding")
    assert_one_clock(shares, 0.85)
    assert shares[5] < 0.7 and shares[-5] < 0.7  # a switch interval away it is the other one's turn


def test_threads_with_http_requests(tmp_path):
    result, gil, both = combined(tmp_path, "http_requests.py", 2)
    assert_one_clock(agreement(both, {"recv_into", "sleep"}, "blocked"), 0.8)


def test_same_process_and_threads_in_perfetto(tmp_path):
    result, gil, both = combined(tmp_path, "two_threads.py", 1)
    errors, processes, threads = other_tools.query_trace(
        both,
        "select name, value from stats where severity in ('error', 'data_loss') and value > 0",
        "select distinct upid from thread join thread_track using (utid) where upid is not null",
        """select thread.name as name, thread.tid as tid, count() as n, min(ts) as first, max(ts + dur) as last
           from slice join thread_track on slice.track_id = thread_track.id join thread using (utid)
           group by 1, 2""",
    )
    assert errors == []
    assert len(processes) == 1
    rows = {row["name"]: row for row in threads}
    for name in ("crunch-0", "crunch-1"):
        functions = rows[name]  # VizTracer's, on the thread's own track
        states = rows[f"{name} ({functions['tid']}): state"]  # ours, beside it
        assert states["tid"] == functions["tid"] + STATE_TRACKS
        assert states["first"] <= functions["first"] + 20_000_000
        assert states["last"] >= functions["last"] - 20_000_000
    # Nothing was moved: every event of ours is in the combined file as it was.
    ours = [json.dumps(e, sort_keys=True) for e in json.loads(gil.read_text())["traceEvents"]]
    all_ = {json.dumps(e, sort_keys=True) for e in json.loads(both.read_text())["traceEvents"]}
    assert [event for event in ours if event not in all_] == []


@pytest.mark.parametrize("name", ["result", "gil"])
def test_clocks_are_the_same(tmp_path, name):
    """Both files by themselves are in CLOCK_MONOTONIC microseconds, of now."""
    import time

    before = time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6
    files = dict(zip(("result", "gil", "both"), combined(tmp_path, "two_threads.py", 0.5)))
    after = time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6
    times = [e["ts"] for e in json.loads(files[name].read_text())["traceEvents"] if e["ph"] == "X"]
    assert before <= min(times) <= max(times) <= after
