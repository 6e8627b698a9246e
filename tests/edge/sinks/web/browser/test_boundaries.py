"""Lines and zones are drawn on the page of a track task, act at once, and outlive a reload."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pages
import pytest
from streams import Runtime
from web_stream import OpenPage

from edge.results import Detection, Detections
from edge.tasks.task import TaskSettings
from edge.tasks.track.tracker import Tracker

pytest.importorskip("lap", reason="the extra 'track' is not installed")
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

PERIOD = 40
"""Frames in which the person goes down and up again: from y = 90 to 190, of 240."""

HOSTILE = "<img src=x onerror=alert(1)>"


@dataclass(frozen=True)
class Walking:
    """Stands for a detector that sees a person walk down and up."""

    threshold: float = 0.4
    runtime: Any = field(default_factory=lambda: Runtime(0.0, "cpu", None))
    notes: tuple[str, ...] = ()
    finds_points: bool = False

    def preprocess(self, _: Any) -> tuple[Any, ...]:
        return ()

    def postprocess(self, _: Any, frame: Any) -> Detections:
        feet = 90.0 + 5 * abs((frame.index + PERIOD // 2) % PERIOD - PERIOD // 2)
        return Detections((Detection("person", 0, 0.9, (100.0, feet - 60, 130.0, feet)),))

    def label(self, _: int) -> str:
        return "person"

    def settings(self) -> TaskSettings:
        return TaskSettings(self.threshold, None, ())

    def with_settings(self, settings: TaskSettings) -> "Walking":
        return replace(self, threshold=settings.score or 0.0)


@pytest.fixture
def tracking(tmp_path: Path) -> Iterator[pages.Page]:
    task = Tracker.from_detector(Walking(), (), "static")  # type: ignore[arg-type]
    with pages.page(tmp_path, "synthetic:320x240@30", task=task) as page:
        yield page


class Stage:
    """Points of the frame on the screen."""

    def __init__(self, page: "sync_api.Page") -> None:
        expect(page.locator("#stage[data-is=live]")).to_be_visible()
        expect(page.locator("#overlay")).to_have_attribute("viewBox", "0 0 320 240")
        script = "e => { const m = e.getScreenCTM(); return [m.a, m.e, m.f] }"
        self._mouse = page.mouse
        self._scale, self._left, self._top = page.locator("#overlay").evaluate(script)

    def at(self, x: float, y: float) -> tuple[float, float]:
        return self._left + self._scale * x, self._top + self._scale * y

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        self._mouse.move(*self.at(*start))
        self._mouse.down()
        self._mouse.move(*self.at(*end), steps=3)
        self._mouse.up()


def test_lines_and_zones_are_drawn_with_the_mouse(
    open_page: OpenPage, tracking: pages.Page
) -> None:
    page = open_page(tracking.url)
    stage = Stage(page)
    options, names = page.locator("#options"), page.locator("#boundaries-list input")

    page.get_by_role("button", name="Line", exact=True).click()
    stage.drag((20, 140), (300, 140))
    expect(names).to_be_focused()
    page.keyboard.type("front door")  # in place of the usual name
    page.keyboard.press("Enter")
    expect(options).to_have_text("--line 'front door:20,140,300,140'")
    counts = page.locator("#boundaries-list p")
    expect(counts).to_have_text(re.compile(r"[1-9]\d* ?in"))
    expect(page.locator("#events-list li").first).to_contain_text("crossed front door")

    page.get_by_role("button", name="Rectangle").click()
    page.keyboard.press("Escape")
    stage.drag((10, 10), (60, 60))
    expect(names).to_have_count(1)

    page.get_by_role("button", name="Polygon").click()
    for point in ((150, 20), (300, 20), (300, 200), (150, 20)):
        page.mouse.click(*stage.at(*point))
    expect(names).to_have_count(2)
    names.nth(1).fill(HOSTILE)
    page.keyboard.press("Enter")
    expect(names.nth(1)).to_have_attribute("aria-label", f"Name of zone {HOSTILE}")
    assert page.locator("#boundaries img").count() == 0
    expect(options).to_contain_text(f"--zone '{HOSTILE}:150,20,300,20,300,200'")

    page.get_by_role("button", name="Move front door", exact=True).click()
    stage.drag((20, 140), (40, 130))
    expect(options).to_contain_text("door:40,130,300,140")
    page.locator(".handle").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    expect(options).to_contain_text("door:43,129,300,140")
    page.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Swap in and out of front door").click()
    expect(options).to_contain_text("door:300,140,43,129")
    page.get_by_role("button", name=f"Remove {HOSTILE}").click()
    expect(names).to_have_count(1)

    boundaries = tracking.control.settings.boundaries
    assert boundaries is not None
    assert [(each.name, each.points) for each in boundaries] == [
        ("front door", ((300, 140), (43, 129)))
    ]
    events = page.locator("#events-list li").all_inner_texts()
    page.reload()
    expect(page.locator("#events-list")).to_contain_text(events[-1].split("\n")[-1])
    assert page.locator("#events-list li").count() >= len(events)
    expect(names).to_have_value("front door")


def test_a_finger_and_a_keyboard_draw_on_a_phone(open_page: OpenPage, tracking: pages.Page) -> None:
    page = open_page(tracking.url, viewport={"width": 390, "height": 844}, has_touch=True)
    stage = Stage(page)
    names = page.locator("#boundaries-list input")
    page.get_by_role("button", name="Polygon").tap()
    touch = page.locator("#overlay").evaluate("e => getComputedStyle(e).touchAction")
    assert touch == "none", "the page must not scroll under a finger that draws"
    for point in ((60, 100), (250, 100), (250, 200), (64, 104)):
        page.touchscreen.tap(*stage.at(*point))
    expect(names).to_have_value("zone 1")
    page.get_by_role("button", name="Line", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".handle").first).to_be_focused()
    expect(page.locator("#options")).to_contain_text("--line 'line 1:80,120,240,120'")
    page.keyboard.press("Escape")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
