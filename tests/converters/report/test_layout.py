"""report.html as a browser lays it out, on a screen and on a phone."""

from collections.abc import Iterator
from pathlib import Path

import chromium
import pytest
from conversion import Conversion

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

SCREEN, PHONE = 1200, 390
LONG = ("Golden delicious apple from the garden", "Pineapple", "Strawberry, a basket of 250 g")

TORN = """() => {
  const torn = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.parentElement.closest('style, svg, .pairs, .matrix')) continue;
    for (const word of node.data.matchAll(/(--)?[\\p{L}\\d]+(\\.\\w+)?/gu)) {
      const range = document.createRange();
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map(r => Math.round(r.top))).size > 1)
        torn.push(word[0]);
    }
  }
  return torn;
}"""
"""The words that are broken over lines."""

SCROLLING = """() => [...document.querySelectorAll('.scroll')]
    .filter(e => e.scrollWidth > e.clientWidth + 1)
    .map(e => [e.getAttribute('aria-label'), getComputedStyle(e).backgroundImage])"""

SVG_LABELS = """kind => [...document.querySelectorAll(`.pareto .${kind} text`)].map(
    t => [t.textContent, ...['left', 'top', 'right', 'bottom']
          .map(side => t.getBoundingClientRect()[side])])"""


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    if chromium.path() is None:
        pytest.skip("no Chromium: set EDGE_CHROMIUM")
    with chromium.launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with long names of classes and files, twelve classes and five variants."""
    names = tuple(f"{LONG[number % 3]} {number}" for number in range(12))
    audit = {
        "broken": ((f"photos/IMG_20261130_{'1' * 9}_{'HDR_' * 12}x.jpg", "empty, 0 bytes"),),
    }
    conversion = Conversion(
        classes=names, per_class=8, wrong=4, audit=audit, recipes=("channels-50", "magnitude-75")
    )
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(conversion.page(), encoding="utf-8")
    return path


@pytest.mark.parametrize("width", [SCREEN, PHONE])
def test_no_word_is_broken_and_the_page_does_not_scroll_sideways(
    browser: "sync_api.Browser", report: Path, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 844})
    page.goto(report.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate(TORN) == []


def test_a_table_that_scrolls_has_a_shadow_at_its_edge(
    browser: "sync_api.Browser", report: Path
) -> None:
    page = browser.new_page(viewport={"width": PHONE, "height": 844})
    page.goto(report.as_uri())
    scrolling = dict(page.evaluate(SCROLLING))
    assert {"Variants", "Confusion matrix of magnitude-75"} <= scrolling.keys()
    assert all(image.count("linear-gradient") == 4 for image in scrolling.values())


@pytest.mark.parametrize(("width", "kind"), [(SCREEN, "broad"), (PHONE, "slim")])
def test_labels_of_variants_do_not_run_together(
    browser: "sync_api.Browser", report: Path, width: int, kind: str
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 844})
    page.goto(report.as_uri())
    variants = ("float32", "float16", "int8", "channels-50", "magnitude-75")
    boxes = {name: box for name, *box in page.evaluate(SVG_LABELS, kind) if name in variants}
    assert len(boxes) == 5
    for name, (left, top, right, bottom) in boxes.items():
        for other, box in boxes.items():
            apart = box[0] - right > 2 or left - box[2] > 2 or box[1] > bottom or top > box[3]
            assert apart or name == other, (name, other)
