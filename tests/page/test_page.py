"""The report page in a real browser, against what other formats say of the same recording."""

import re

import pytest

ACTIVITIES = ["holding_running", "holding_blocked", "waiting", "running", "blocked", "runnable", "unknown"]
SECONDS = [activity + "_seconds" for activity in ACTIVITIES]
# What the chrome trace calls them.
TRACE_NAMES = {
    "holding, running": 0, "holding, blocked": 1, "waiting for the GIL": 2, "running without the GIL": 3,
    "blocked": 4, "runnable": 5, "unknown": 6,
}  # fmt: skip


def set_range(page, begin, end):
    """Selects a range by its fields, and waits for the figures."""
    page.fill("#range-from", f"{begin:.6f}")
    page.press("Enter")
    page.fill("#range-to", f"{end:.6f}")
    page.press("Enter")
    return figures(page, begin, end)


def figures(page, begin, end):
    units = page.evaluate("page.recording.second")
    return page.wait_for(
        f"""page.figures && Math.abs(page.figures.from - {begin * units}) <= 2
          && Math.abs(page.figures.to - {end * units}) <= 2 && !document.body.classList.contains('busy')
          && {{...page.figures.gils[0], wall: page.figures.wall_seconds,
               threads: page.figures.threads.map((t) => Array.from(t.times, (u) => u / page.recording.second)),
               blame: page.figures.blame.pairs.map((p) => [p.holder && p.holder.tid, p.waiter.tid,
                                                           page.recording.seconds(p.units)]),
               potential: page.figures.potentialOn(page.recording.facts.cores)}}""",
        f"the figures of {begin} to {end} s",
    )


def number(text):
    return float(re.search(r"[\d.]+", text)[0])


def test_the_top_says_what_json_says(two_threads, shown):
    page = shown(two_threads)
    gil = two_threads.json["gil"]
    assert page.text("#verdict") == two_threads.json["verdict"]["text"]
    assert number(page.text("[data-figure=held_share] b")) == round(100 * gil["held_share"], 1)
    assert number(page.text("[data-figure=contended_share] b")) == round(100 * gil["contended_share"], 1)
    assert page.evaluate("page.recording.summary.gil") == gil
    rows = page.evaluate("Array.from(document.querySelectorAll('#threads tbody tr'), (r) => r.innerText)")
    assert len(rows) == len(two_threads.json["threads"])
    crunch = two_threads.thread("crunch-0")
    alive = sum(crunch[key] for key in SECONDS)
    row = next(row for row in rows if "crunch-0" in row).split()
    assert row[1] == str(crunch["tid"])
    held = crunch["holding_running_seconds"] + crunch["holding_blocked_seconds"]
    assert float(row[4]) == pytest.approx(100 * held / alive, abs=0.06)
    assert float(row[5]) == pytest.approx(100 * crunch["waiting_seconds"] / alive, abs=0.06)


def test_what_the_page_computes_of_the_whole_run_is_what_json_says(mixed, shown):
    """The figures of a range, asked of all of the run, are computed from the packed intervals."""
    page = shown(mixed)
    computed = figures(page, 0, mixed.json["wall_seconds"])
    gil = mixed.json["gil"]
    for name in ("held_share", "contended_share", "unknown_share"):
        assert computed[name] == pytest.approx(gil[name], abs=2e-4), name
    for name in ("wait_seconds", "longest_hold_seconds", "longest_wait_seconds"):
        assert computed[name] == pytest.approx(gil[name], abs=2e-3), name
    assert computed["handoffs"] == gil["handoffs"]
    # The page counts in microseconds: a wait of the switch interval to the microsecond is on either side of it.
    assert computed["forced_handoffs"] == pytest.approx(gil["forced_handoffs"], abs=2)
    assert computed["potential"] == pytest.approx(gil["potential"], abs=1e-2)
    for seconds, thread in zip(computed["threads"], mixed.json["threads"]):
        assert seconds == pytest.approx([thread[key] for key in SECONDS], abs=1e-3), thread["name"]


def test_blame_is_what_json_says(mixed, shown):
    page = shown(mixed)
    computed = figures(page, 0, mixed.json["wall_seconds"])["blame"]
    expected = {}
    for row in mixed.json["blame"]:
        key = (row["holder_tid"] or None, row["waiter_tid"])
        expected[key] = expected.get(key, 0) + row["seconds"]
    assert {(holder, waiter): seconds for holder, waiter, seconds in computed} == pytest.approx(expected, abs=2e-3)


def test_functions_are_blamed_as_json_blames_them(mixed, shown):
    page = shown(mixed)
    computed = page.evaluate("Object.fromEntries(page.figures.blockers.map((b) => [b.function, b.seconds]))")
    expected = {}
    for row in mixed.json["blame"]:
        if row["holder_tid"]:
            function = row.get("function", "")
            expected[function] = expected.get(function, 0) + row["seconds"]
    for function, seconds in expected.items():
        # Only moments at which a sample and a change of state fall into one unit can differ.
        assert computed[function] == pytest.approx(seconds, abs=0.01), function


def trace_intervals(report, tid, syscall=None):
    """[(begin, end, activity)] of a thread in the chrome trace, in seconds since the run began."""
    start = report.json["clock"]["start_monotonic_ns"] / 1000
    events = report.trace["traceEvents"]
    tracks = {e["tid"] for e in events if e["name"] == "thread_name" and str(tid) in e["args"]["name"]}
    rows = [
        event for event in events
        if event["ph"] == "X" and event["tid"] in tracks and event["cat"] == "state"
        and syscall in (None, event["args"].get("syscall"))
    ]  # fmt: skip
    return [
        (
            (row["ts"] - start) / 1e6,
            (row["ts"] + row["dur"] - start) / 1e6,
            next(index for name, index in TRACE_NAMES.items() if row["name"].startswith(name)),
        )
        for row in rows
    ]


def test_lanes_are_drawn_where_the_recording_has_them(two_threads, shown):
    """Colours of the pixels in the middle of each interval, at a zoom where intervals are boxes."""
    page = shown(two_threads)
    thread = two_threads.thread("crunch-0")
    intervals = trace_intervals(two_threads, thread["tid"])
    assert len(intervals) > 50
    begin, end = 1.0, 1.2
    page.evaluate(f"page.input.show({begin} * page.recording.second, {end} * page.recording.second)")
    page.wait_for("!page.timeline.waiting", "the timeline to be drawn")
    looked_at = [row for row in intervals if begin < row[0] and row[1] < end and row[1] - row[0] > 0.002]
    assert len(looked_at) >= 10
    for state_begin, state_end, activity in looked_at:
        # A little off its edges: both edges are in the right place when both pixels have its colour.
        for at in (state_begin + 0.0004, state_end - 0.0004):
            assert pixel(page, thread["tid"], at) == page.evaluate(
                f"page.timeline.palette.activities[{activity}]"
            ), (state_begin, state_end, activity)


def pixel(page, tid, at):
    """The colour of a lane at a moment, as #rrggbb; near its upper edge, where no text is."""
    return page.evaluate(
        f"""(() => {{
          const t = page.timeline, lane = page.recording.lanes.find((lane) => lane.tid === {tid});
          const x = t.frame(t.canvas).x({at} * page.recording.second), y = t.laneTop(lane) + 1;
          const copy = document.createElement('canvas').getContext('2d', {{willReadFrequently: true}});
          copy.drawImage(t.canvas, x * devicePixelRatio, y * devicePixelRatio, 1, 1, 0, 0, 1, 1);
          const data = copy.getImageData(0, 0, 1, 1).data;
          return '#' + Array.from(data.slice(0, 3), (v) => v.toString(16).padStart(2, '0')).join('');
        }})()"""
    )


def test_a_range_recomputes_every_figure(two_threads, shown):
    page = shown(two_threads)
    begin, end = 0.5, 1.3
    computed = set_range(page, begin, end)
    assert computed["wall"] == pytest.approx(end - begin, abs=1e-5)
    for index, thread in enumerate(two_threads.json["threads"]):
        expected = [0.0] * len(ACTIVITIES)
        for state_begin, state_end, activity in trace_intervals(two_threads, thread["tid"]):
            expected[activity] += max(0, min(state_end, end) - max(state_begin, begin))
        assert computed["threads"][index] == pytest.approx(expected, abs=1e-4), thread["name"]
    assert "in-range" in page.evaluate("document.getElementById('cards').className")
    assert number(page.text("[data-figure=held_share] b")) == round(100 * computed["held_share"], 1)
    assert "0.5" in page.evaluate("document.getElementById('flame-title').dataset.range")

    page.click("[data-key=Escape]")
    figures(page, 0, two_threads.json["wall_seconds"])
    assert number(page.text("[data-figure=held_share] b")) == round(100 * two_threads.json["gil"]["held_share"], 1)


def test_dragging_selects_a_range(two_threads, shown):
    page = shown(two_threads)
    box = page.box("#overlay")
    left, width = page.evaluate("[page.timeline.left, page.timeline.width]")
    y = box["y"] + box["height"] / 2
    page.mouse(
        ("move", box["x"] + left + width / 4, y), ("down",),
        ("move", box["x"] + left + width / 3, y), ("move", box["x"] + left + width / 2, y), ("up",),
    )  # fmt: skip
    wall = page.evaluate("page.recording.seconds(page.recording.end)")
    selected = page.evaluate("[page.timeline.range.from, page.timeline.range.to].map((u) => page.recording.seconds(u))")
    assert selected == pytest.approx([wall / 4, wall / 2], abs=wall / width * 1.5)
    figures(page, *selected)


def window(page):
    return page.evaluate("[page.timeline.from, page.timeline.to]")


def test_keys_zoom_and_move(two_threads, shown):
    page = shown(two_threads)
    page.evaluate("page.timeline.overlay.focus()")
    everything = window(page)
    page.press("w")
    page.press("w")
    zoomed = window(page)
    assert zoomed[1] - zoomed[0] == pytest.approx((everything[1] - everything[0]) * 4 / 9)
    page.press("d")
    moved = window(page)
    assert moved[0] > zoomed[0] and moved[1] - moved[0] == pytest.approx(zoomed[1] - zoomed[0])
    page.press("a")
    assert window(page) == pytest.approx(zoomed)
    page.press("s")
    assert window(page)[1] - window(page)[0] == pytest.approx((everything[1] - everything[0]) * 2 / 3)
    page.press("0")
    assert window(page) == everything


def test_the_wheel_zooms_around_the_pointer(two_threads, shown):
    page = shown(two_threads)
    box = page.box("#overlay")
    left, width = page.evaluate("[page.timeline.left, page.timeline.width]")
    x, y = box["x"] + left + width * 0.75, box["y"] + box["height"] / 2
    before = window(page)
    page.mouse(("move", x, y), ("wheel", 0, -100))
    assert window(page) == before  # the page scrolls until the timeline is in use
    page.evaluate("window.scrollTo(0, 0)")
    page.mouse(("move", x, y), ("down",), ("up",), ("wheel", 0, -100))
    after = page.wait_for(
        f"page.timeline.to - page.timeline.from < {before[1] - before[0]} && [page.timeline.from, page.timeline.to]",
        "the zoom",
    )
    under = before[0] + 0.75 * (before[1] - before[0])
    assert after[0] + 0.75 * (after[1] - after[0]) == pytest.approx(under, rel=2e-3)


def test_arrows_walk_and_say_where_they_are(two_threads, shown):
    page = shown(two_threads)
    page.evaluate("page.timeline.overlay.focus()")
    page.press("ArrowDown")
    first = page.text("#selected")
    page.press("ArrowRight")
    second = page.text("#selected")
    assert first != second
    page.press("ArrowLeft")
    assert page.text("#selected") == first
    page.press("ArrowDown")
    assert page.text("#selected").split()[0] != first.split()[0]
    page.press("m")
    assert page.evaluate("document.getElementById('range-from').value") != ""


def test_a_wait_says_who_held_the_gil_and_shows_it(two_threads, shown):
    page = shown(two_threads)
    waits = [
        row for row in trace_intervals(two_threads, two_threads.thread("crunch-0")["tid"], "futex")
        if row[2] == 2 and row[0] > 0.5 and row[1] - row[0] > 0.003
    ]  # fmt: skip
    begin, end, _ = waits[0]
    page.evaluate(f"page.input.show({begin - 0.01} * page.recording.second, {end + 0.01} * page.recording.second)")
    page.wait_for("!page.timeline.waiting", "the timeline to be drawn")
    box = page.box("#overlay")
    x, y = page.evaluate(
        f"""(() => {{
          const t = page.timeline, lane = page.recording.lanes.find((lane) => lane.label === 'crunch-0');
          return [t.frame(t.canvas).x({(begin + end) / 2} * page.recording.second), t.laneTop(lane) + 8];
        }})()"""
    )
    page.mouse(("move", box["x"] + x, box["y"] + y))
    tip = page.wait_for("!document.getElementById('tip').hidden && document.getElementById('tip').innerText", "the tip")
    assert "crunch-0 waiting for the GIL" in tip
    assert re.search(r"Held meanwhile by\s+crunch-1 .* in crunch \(two_threads.py:\d+\)", tip)
    assert "futex" in tip
    # Between the two lanes there is an arrow.
    drawn = page.evaluate(
        f"""(() => {{
          const t = page.timeline, lanes = page.recording.lanes;
          const y = ['crunch-0', 'crunch-1'].map((name) => t.laneTop(lanes.find((lane) => lane.label === name)));
          const data = t.overlay.getContext('2d').getImageData(({x} - 3) * devicePixelRatio,
            (Math.min(...y) + 20) * devicePixelRatio, 6, 1).data;
          return data.some((value) => value > 0);
        }})()"""
    )
    assert drawn


def test_flame_graphs_add_up_and_can_be_searched(mixed, shown):
    page = shown(mixed)
    thread = mixed.thread("compute")
    sums = {
        "hold": thread["holding_running_seconds"] + thread["holding_blocked_seconds"],
        "wait": thread["waiting_seconds"],
        "cpu": thread["holding_running_seconds"] + thread["running_seconds"],
        "wall": sum(thread[key] for key in SECONDS),
        "blame": sum(row["seconds"] for row in mixed.json["blame"] if row["holder_tid"] == thread["tid"]),
    }
    for weight, seconds in sums.items():
        page.evaluate(
            f"page.flame.chooseThread(page.recording.lanes.find((lane) => lane.label === 'compute'), '{weight}')"
        )
        assert page.evaluate("page.flame.tree.root.units / page.recording.second") == pytest.approx(seconds, abs=2e-3), weight
    page.evaluate("page.flame.chooseThread(null, 'hold')")
    page.fill("#flame-search", "summing")
    held = page.evaluate("page.flame.tree.root.units / page.recording.second")
    summing = mixed.thread("summing")
    # The thread's hold is in summing() but for its first moments, in threading.
    share = (summing["holding_running_seconds"] + summing["holding_blocked_seconds"]) / held
    assert number(page.text("#flame-found")) / 100 == pytest.approx(share, abs=0.02)
    assert page.evaluate("document.querySelectorAll('.frame.found').length") == 1


def test_a_click_zooms_the_flame_graph(mixed, shown):
    page = shown(mixed)
    frame = "Array.from(document.querySelectorAll('#flame .frame')).find((frame) => frame.textContent === 'compute')"
    before = page.evaluate(f"{frame}.offsetWidth")
    page.evaluate(f"{frame}.click()")
    assert page.evaluate(f"{frame}.offsetWidth") > before
    assert page.evaluate(f"{frame}.offsetWidth / document.getElementById('flame').offsetWidth") == pytest.approx(1, abs=0.01)
    page.press("ArrowUp")
    assert page.evaluate("document.activeElement.textContent") != "compute"
    page.press("Escape")
    assert page.evaluate(f"{frame}.offsetWidth") == before


def test_findings_lead_to_their_places(mixed, shown):
    """The workload was made so that these are there: see mixed.py."""
    page = shown(mixed)
    found = page.evaluate("page.recording.facts.findings")
    titles = [finding["kind"] + ": " + finding["title"] for finding in found]
    for expected in (
        r"^long hold: summing .* in summing \(mixed\.py:\d+\)",
        r"^convoy: echo-",
        r"^held across a system call: sleeper .*nanosleep",
    ):
        assert any(re.search(expected, title) for title in titles), (expected, titles)
    for index, finding in enumerate(found):
        page.evaluate(f"document.querySelectorAll('#findings button')[{index}].click()")
        begin, end = window(page)
        assert begin <= finding["begin"] and finding["end"] <= end
        lane = page.evaluate("page.timeline.selected.lane.index")
        assert lane == finding["lane"]
        assert page.text("#selected") != ""


def test_the_legend_filters(two_threads, shown):
    page = shown(two_threads)
    tid = two_threads.thread("crunch-0")["tid"]
    begin, end, _ = next(row for row in trace_intervals(two_threads, tid) if row[2] == 2 and row[1] - row[0] > 0.003)
    page.evaluate(f"page.input.show({begin - 0.02} * page.recording.second, {end + 0.02} * page.recording.second)")
    page.wait_for("!page.timeline.waiting", "the timeline to be drawn")
    waiting = page.evaluate("page.timeline.palette.activities[2]")
    assert pixel(page, tid, (begin + end) / 2) == waiting
    page.click("#legend .waiting")
    page.wait_for("!page.timeline.waiting", "the timeline to be drawn")
    assert pixel(page, tid, (begin + end) / 2) != waiting


def test_the_matrix_shows_who_waited_for_whom(two_threads, shown):
    page = shown(two_threads)
    table = page.evaluate(
        "Array.from(document.querySelectorAll('#matrix tr'), (row) => Array.from(row.children, (cell) => cell.innerText))"
    )
    holders = table[0][1:]
    row = next(row for row in table if row[0] == "crunch-0")
    cell = row[1 + holders.index("crunch-1")]
    blamed = sum(
        blame["seconds"] for blame in two_threads.json["blame"]
        if (blame["waiter"], blame["holder"]) == ("crunch-0", "crunch-1")
    )  # fmt: skip
    value, unit = cell.split()
    assert float(value) * {"s": 1, "ms": 1e-3}[unit] == pytest.approx(blamed, rel=0.01)


def test_without_scripts_there_is_the_summary(two_threads, browser):
    browser.open(two_threads.page, script=False)
    assert two_threads.json["verdict"]["text"] in browser.text("body")
    assert "crunch-0" in browser.text("noscript pre")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [800, 1280])
def test_nothing_is_wider_than_the_window(mixed, shown, dark, width):
    page = shown(mixed, width=width, dark=dark)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
