"""README's pictures show the pages of today: by their layout, not by pixels.

Where one of these fails because a page has changed, ``make pictures`` makes them again.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import chromium
import cv2
import pictures
import pytest
from conversion import Conversion

REPOSITORY = Path(__file__).parents[1]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
STORED: dict[str, pictures.Layout] = json.loads(
    (pictures.FOLDER / pictures.LAYOUT).read_text(encoding="utf-8")
)
ACROSS = 100
DOWN = {"report.png": 700, "web.png": 250}
"""Pixels by which a landmark may be elsewhere: other fonts, figures and advice, another moment."""

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    if chromium.path() is None:
        pytest.skip("no Chromium: set EDGE_CHROMIUM")
    with chromium.launched() as browser:
        yield browser


def compare(picture: str, today: pictures.Layout) -> None:
    stored = STORED[picture]
    assert list(today) == list(stored), "make pictures"
    for name, (left, top, width) in today.items():
        assert abs(left - stored[name][0]) <= ACROSS, name
        assert abs(width - stored[name][2]) <= ACROSS, name
        assert abs(top - stored[name][1]) <= DOWN[picture], name


def test_readme_shows_each_picture_with_a_text() -> None:
    shown = dict(re.findall(r"!\[([^\]]+)\]\(\.github/([^)]+)\)", README))
    files = {path.name for path in pictures.FOLDER.iterdir() if path.suffix in (".png", ".webp")}
    assert set(shown.values()) == files
    assert all(len(text) > 30 for text in shown)


@pytest.mark.parametrize("name", pictures.SCREENS)
def test_a_picture_has_the_size_of_its_screen(name: str) -> None:
    height, width = cv2.imread(str(pictures.FOLDER / name)).shape[:2]
    assert (width, height) == pictures.SCREENS[name]


def test_the_moving_picture_is_small_and_moves() -> None:
    path = pictures.FOLDER / "track.webp"
    assert path.stat().st_size < 1_000_000
    shown, animation = cv2.imreadanimation(str(path))
    assert shown
    assert len(animation.frames) == pictures.drawn_street.SCENE.frames
    assert animation.frames[0].shape[1::-1] == pictures.drawn_street.SIZE
    assert (animation.frames[0] != animation.frames[-1]).any()


def test_the_tracker_counts_on_the_drawn_street() -> None:
    task = pictures.tracker()
    for frame in pictures.drawn_street.frames():
        result = task.postprocess((), frame)
    assert min(result.counts["gate"][side] for side in ("in", "out")) >= 2


def test_the_report_is_laid_out_as_in_its_picture(
    browser: "sync_api.Browser", tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    path.write_text(Conversion(per_class=80).page(), encoding="utf-8")
    today = pictures.photograph(browser, path.as_uri(), tmp_path / "report.png")
    compare("report.png", today)


def test_the_web_page_is_laid_out_as_in_its_picture(
    browser: "sync_api.Browser", tmp_path: Path
) -> None:
    today = pictures.photograph_stream(browser, tmp_path / "web.png", pictures.SECONDS)
    compare("web.png", today)
