"""Make README's pictures in .github/ again: ``make pictures``. It needs Chromium and Playwright.

- ``track.webp`` moves: the tracker on a drawn street;
- ``web.png``: the page of the sink ``web`` on the same street;
- ``report.png``: the report of ``make quickstart``, which has to have run.

``pictures.json`` keeps sizes and the layout of the pages. Tests compare it with the pages of today,
by layout and not by pixels: where they differ, the pictures are out of date.
"""

import json
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import chromium
import cv2
import drawn_street
import numpy as np
import pages
from numpy.typing import NDArray

import edge

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from edge.tasks.track.tracker import Tracker

FOLDER = Path(__file__).parents[2] / ".github"
LAYOUT = "pictures.json"
REPORT = Path("runs/quickstart/out/report.html")
SECONDS = 5
"""How long the page of the web sink has run before it is photographed."""

SCREENS = {"report.png": (1000, 1180), "web.png": (1280, 860)}
GATE = "gate:320,190,320,350"

Layout = dict[str, list[int]]

_LANDMARKS = {
    "report.png": ("header h1", ".verdict", ".figures", "#variants", "table.variants", ".broad"),
    "web.png": ("header h1", "#stage", "[role=toolbar]", ".right .card", ".tiles", ".tile"),
}
_MEASURE = """selectors => selectors.flatMap(selector => [...document.querySelectorAll(selector)]
  .map(e => [e, e.getBoundingClientRect()])
  .filter(([e, box]) => box.width)
  .map(([e, box]) => [
    [selector, e.id || e.dataset.key || (e.getAttribute('class') ?? '').split(' ')[0]].join(' '),
    [box.x, box.y, box.width].map(Math.round)]))"""


def main() -> int:
    """Write the pictures and their layout."""
    if chromium.path() is None:
        print("expected Chromium, found none: apt-get install chromium, or set EDGE_CHROMIUM")
        return 2
    if not REPORT.is_file():
        print(f"expected {REPORT}, found none: run make quickstart")
        return 2
    FOLDER.mkdir(exist_ok=True)
    frames = list(street())
    write_moving(FOLDER / "track.webp", frames)
    with chromium.launched() as browser:
        layouts = {
            "report.png": photograph_report(browser, FOLDER / "report.png"),
            "web.png": photograph_stream(browser, FOLDER / "web.png", SECONDS),
        }
    text = json.dumps(layouts, indent=1).replace("\n   ", " ").replace("\n  ]", " ]")
    (FOLDER / LAYOUT).write_text(text + "\n", encoding="utf-8")
    return 0


def tracker() -> "Tracker":
    """The task of the pictures, on the boxes of the drawn street."""
    detector: Any = drawn_street.StreetDetector()
    return edge.Tracker.from_detector(detector, [edge.Line.parse(GATE)], "static")


def street() -> Iterator[NDArray[np.uint8]]:
    """The frames of the drawn street with tracks, trails and counts."""
    task = tracker()
    for frame in drawn_street.frames():
        result = task.postprocess((), frame)
        yield task.draw(frame.image.copy(), result)


def write_moving(path: Path, frames: list[NDArray[np.uint8]]) -> None:
    """Write frames as an animated WebP that starts again and again."""
    animation = cv2.Animation()
    animation.frames = frames
    animation.durations = [round(1000 / drawn_street.FPS)] * len(frames)
    if not cv2.imwriteanimation(str(path), animation, [cv2.IMWRITE_WEBP_QUALITY, 55]):
        raise RuntimeError(f"OpenCV could not write {path}")


def photograph(browser: "Browser", url: str, path: Path, seconds: float = 0) -> Layout:
    """Photograph a page after some seconds, and return where its landmarks are."""
    width, height = SCREENS[path.name]
    page = browser.new_page(
        viewport={"width": width, "height": height}, color_scheme="light", reduced_motion="reduce"
    )
    page.goto(url)
    time.sleep(seconds)
    page.screenshot(path=path)
    measured = page.evaluate(_MEASURE, list(_LANDMARKS[path.name]))
    page.close()
    layout: Layout = {}
    for name, box in measured:
        layout[f"{name} {sum(key.startswith(name) for key in layout) + 1}"] = box
    return layout


def photograph_report(browser: "Browser", path: Path) -> Layout:
    """Photograph the report of the quickstart, in whatever folder that ran."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        text = REPORT.read_text(encoding="utf-8")
        page.write_text(re.sub(r"(/[\w.+-]+)+/(?=runs/quickstart)", "", text), encoding="utf-8")
        return photograph(browser, page.as_uri(), path)


def photograph_stream(browser: "Browser", path: Path, seconds: float) -> Layout:
    """Photograph the page of the sink web on the drawn street."""
    with stream() as url:
        return photograph(browser, url, path, seconds)


@contextmanager
def stream() -> Iterator[str]:
    """The address of a page that shows the drawn street over and over."""
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "street.avi"
        write_clip(clip)
        with pages.page(Path(folder), str(clip), task=tracker(), loop=True) as page:
            yield page.url


def write_clip(path: Path) -> None:
    """Write the drawn street as a video."""
    writer = cv2.VideoWriter(
        str(path), cv2.VideoWriter.fourcc(*"MJPG"), drawn_street.FPS, drawn_street.SIZE
    )
    for frame in drawn_street.frames():
        writer.write(frame.image)
    writer.release()


if __name__ == "__main__":
    sys.exit(main())
