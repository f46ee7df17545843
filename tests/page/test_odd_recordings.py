"""The page of recordings that are not like most. None may break it: see odd_recordings.cpp."""

import os
import re
import subprocess

import conftest
import harness
import pytest

ODD_RECORDINGS = os.environ.get(
    "ODD_RECORDINGS", str(harness.ROOT / "build" / "release" / "tests" / "page" / "odd_recordings")
)


@pytest.fixture
def odd(tmp_path, shown):
    def show(kind):
        file = tmp_path / f"{kind}.gilspy"
        subprocess.run([ODD_RECORDINGS, kind, file], check=True, timeout=harness.PATIENCE)
        report = conftest.Report(file)
        return report, shown(report)

    return show


def use_everything(page):
    """Zooms, selects, walks and draws every flame graph: nothing of it may end in an error."""
    page.evaluate("page.timeline.overlay.focus()")
    for key in ("ArrowDown", "ArrowRight", "w", "d", "Enter", "m", "f", "r", "0", "Escape"):
        page.press(key)
    page.evaluate("for (const weight of Object.keys(WEIGHTS)) page.flame.choose(weight)")
    page.evaluate("document.querySelectorAll('button').forEach((button) => button.click())")


@pytest.mark.parametrize("kind", ["hostile", "gil_off", "two_gils", "exec", "stacks", "cut", "nothing"])
def test_it_opens_and_can_be_used(odd, kind):
    report, page = odd(kind)
    assert page.text("#verdict") == report.json["verdict"]["text"]
    use_everything(page)


def test_hostile_names_stay_text(odd):
    _, page = odd("hostile")
    use_everything(page)
    assert page.evaluate("window.broken === undefined")
    assert page.evaluate("document.images.length") == 0
    # They are there, to be read, in the table, the flame graph and the panel.
    for selector in ("#threads", "#flame", "#run", "#about", "#blockers"):
        assert "<script>window.broken = 1</script>" in page.text(selector), selector
    assert "\u202e" not in page.text("body")


def test_hostile_names_stay_text_without_scripts(odd, browser):
    report, _ = odd("hostile")
    browser.open(report.page, script=False)
    assert browser.evaluate("document.images.length") == 0
    assert "<script>window.broken = 1</script>" in browser.text("body")


def test_a_gil_that_is_off_is_said_to_be(odd):
    _, page = odd("gil_off")
    assert page.text("#cards").startswith("off")
    assert page.evaluate("page.timeline.shownLanes.length") == 1


def test_each_gil_has_its_figures_and_its_lane(odd):
    report, page = odd("two_gils")
    assert len(report.json["gils"]) == 2
    assert page.evaluate("page.timeline.heads.filter((row) => row.kind === 'gil').length") == 2
    # Nobody waits for the GIL of another interpreter.
    assert page.evaluate("page.figures.blame.pairs.every((p) => !p.holder || p.holder.gil === p.waiter.gil)")


def test_ids_that_were_used_again_are_lanes_of_their_own(odd):
    report, page = odd("exec")
    assert [thread["tid"] for thread in report.json["threads"]] == [1000, 1001, 1000, 1002]
    lanes = page.evaluate("page.recording.lanes.map((l) => [l.tid, l.track.begins[0], l.track.begins[l.track.count]])")
    assert lanes[0][:2] == [1000, 0] and lanes[2][0] == 1000
    assert lanes[0][2] <= 500_000 and lanes[2][1] >= 510_000
    seconds = page.evaluate(
        "page.figures.threads.map((t) => Array.from(t.times, (u) => page.recording.seconds(u)))"
    )
    for times, thread in zip(seconds, report.json["threads"]):
        assert times[0] == pytest.approx(thread["holding_running_seconds"], abs=1e-5)


@pytest.mark.parametrize("weight", ["hold", "wait", "blame", "cpu", "wall"])
def test_every_stack_has_the_time_that_collapsed_gives_it(odd, weight):
    report, page = odd("stacks")
    expected = {}
    for line in report.output("-f", "collapsed", "--weight", weight).decode().splitlines():
        stack, _, microseconds = line.rpartition(" ")
        function = re.search(r"step_\d+", stack)
        name = function[0] if function else "[no Python stack]"
        expected[name] = expected.get(name, 0) + int(microseconds)
    assert len(expected) >= 6
    page.evaluate(f"page.flame.choose('{weight}')")
    shown = page.evaluate("Object.fromEntries([...page.flame.tree.root.children.values()].map((n) => [n.name, n.units]))")
    assert shown == pytest.approx(expected, abs=2)
