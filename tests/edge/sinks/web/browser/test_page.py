"""The page in a real browser: it shows the stream, and each of its controls acts on it."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from web_stream import OpenPage, Served

from edge.draw.labels import color_of

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect
Page = sync_api.Page

FRAME = "document.getElementById('image').toDataURL()"


@pytest.fixture(autouse=True)
def as_before(page: Page, stream: Served) -> Iterator[None]:
    """Tests share the stream, so each leaves it as it was; the server has to know it, too."""
    yield
    if page.get_by_role("button", name="Resume").is_visible():
        page.get_by_role("button", name="Resume").click()
    if page.locator("#classes-all").is_enabled():
        page.locator("#classes-all").click()
    page.get_by_label("Minimum score").fill("0")
    settings = {"score": 0.0, "classes": None, "boundaries": None}
    plain = {"paused": False, "recording": None, "settings": settings}

    def so() -> bool:
        state = page.request.get(f"{stream.url}api/state").json()
        return {key: state[key] for key in plain} == plain

    _until(page, so)


def test_the_image_moves_and_results_change(page: Page) -> None:
    summary = page.locator("#summary")
    expect(summary).to_contain_text("red")
    first = page.evaluate(FRAME)
    expect(summary).to_contain_text("blue")
    _until(page, lambda: page.evaluate(FRAME) != first)
    expect(page.locator("#rows li").first).to_contain_text("blue")
    expect(page.locator("#rows li")).to_have_count(3)
    expect(page.get_by_role("heading", level=1)).to_contain_text("colors.tflite")
    expect(page).to_have_title("classify · colors.tflite")


def test_the_image_has_the_colors_of_the_stream(page: Page) -> None:
    pixel = (
        "[...document.getElementById('image').getContext('2d')"
        ".getImageData(300, 100, 1, 1).data.slice(0, 3)]"
    )

    def is_red() -> bool:
        red, _, blue = page.evaluate(pixel)
        return bool(red > blue + 100)

    _until(page, is_red)
    _until(page, lambda: not is_red())


def test_things_have_the_colors_that_they_have_in_the_image(page: Page) -> None:
    script = "import('/static/colors.js').then(colors => [...Array(50).keys()].map(colors.color))"
    drawn = [color_of(number) for number in range(50)]
    assert page.evaluate(script) == [f"rgb({red} {green} {blue})" for blue, green, red in drawn]


@pytest.mark.parametrize(
    ("result", "rows"),
    [
        ({"value": 7}, []),
        ({"events": [{"label": "dog"}], "things": []}, []),
        ({"things": [{"label": "dog", "index": 2, "score": 0.5}]}, [["dog", 0.5]]),
        ({"count": 2, "things": [{"label": "a", "share": 0.25}, {"label": "b"}]},
         [["a", 0.25], ["b", 1]]),
    ],
)  # fmt: skip
def test_results_of_a_new_task_have_rows(page: Page, result: object, rows: object) -> None:
    script = (
        "async result => (await import('/static/results.js')).rowsOf(result)"
        ".map(({label, share}) => [label, share])"
    )
    assert page.evaluate(script, result) == rows


def test_pause_holds_the_image_and_resume_lets_it_go(page: Page) -> None:
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#link")).to_have_text("Paused")
    expect(page.locator("#stage[data-is=paused]")).to_be_visible()
    page.wait_for_timeout(200)  # the last image may still be on its way
    held = page.evaluate(FRAME)
    page.wait_for_timeout(400)
    assert page.evaluate(FRAME) == held
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#link")).to_have_text("Live")
    _until(page, lambda: page.evaluate(FRAME) != held)


def test_pause_is_seen_by_all_viewers(page: Page, open_page: OpenPage, stream: Served) -> None:
    other = open_page(stream.url)
    expect(other.locator("#link")).to_have_text("Live")
    page.get_by_role("button", name="Pause").click()
    expect(other.locator("#link")).to_have_text("Paused")


def test_snapshot_saves_the_image(page: Page, tmp_path: Path) -> None:
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Snapshot").click()
    saved = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(saved)
    assert saved.suffix == ".jpg"
    image = cv2.imread(str(saved))
    assert image is not None
    assert image.shape == (240, 320, 3)


def test_a_recording_can_be_downloaded_and_plays(
    page: Page, tmp_path: Path, recordings: Path
) -> None:
    page.get_by_role("button", name="Record").click()
    expect(page.locator("#recording")).to_be_visible()
    expect(page.locator("#recording-time")).to_have_text("0:01")
    page.get_by_role("button", name="Stop recording").click()
    expect(page.locator("#recording")).to_be_hidden()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download").click()
    saved = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(saved)
    assert (recordings / saved.name).is_file()
    video = cv2.VideoCapture(str(saved))
    images = []
    while (read := video.read())[0]:
        images.append(read[1])
    video.release()
    assert len(images) > 10
    assert not np.array_equal(images[0], images[-1])


def test_the_dot_of_a_recording_blinks_unless_motion_is_unwanted(
    page: Page, open_page: OpenPage, stream: Served
) -> None:
    blinks = "getComputedStyle(document.querySelector('#recording .dot')).animationName"
    assert page.evaluate(blinks) == "none"
    assert open_page(stream.url, reduced_motion="no-preference").evaluate(blinks) == "blink"


def test_the_threshold_acts_and_is_seen_by_all_viewers(
    page: Page, open_page: OpenPage, stream: Served
) -> None:
    other = open_page(stream.url)
    page.get_by_label("Minimum score").fill("1")
    expect(page.locator("#score-value")).to_have_text("100 %")
    expect(page.locator("#summary")).to_have_text("unknown")
    expect(other.get_by_label("Minimum score")).to_have_value("1")
    page.get_by_label("Minimum score").fill("0.25")
    expect(other.locator("#score-value")).to_have_text("25 %")
    expect(page.locator("#summary")).not_to_have_text("unknown")


def test_the_class_filter_acts_and_lets_itself_be_undone(page: Page) -> None:
    expect(page.locator("#classes-count")).to_have_text("all shown")
    page.get_by_role("checkbox", name="green").check()
    expect(page.locator("#rows li")).to_have_count(1)
    expect(page.locator("#summary")).to_contain_text("green")
    expect(page.locator("#classes-count")).to_have_text("only 1 of 3")
    page.get_by_role("checkbox", name="blue").check()
    expect(page.locator("#rows li")).to_have_count(2)
    expect(page.locator("#classes-list li")).to_have_text(["blue", "green", "red"])
    page.get_by_role("checkbox", name="blue").uncheck()
    expect(page.locator("#classes-list li")).to_have_text(["green", "blue", "red"])
    expect(page.get_by_role("checkbox", name="blue")).to_be_focused()
    page.get_by_role("button", name="Show all").click()
    expect(page.locator("#rows li")).to_have_count(3)
    expect(page.get_by_role("checkbox", name="green")).not_to_be_checked()


def test_classes_are_found_by_a_part_of_their_name(page: Page) -> None:
    search = page.get_by_label("Search classes")
    search.fill("RE")
    expect(page.get_by_role("checkbox", name="red")).to_be_visible()
    expect(page.get_by_role("checkbox", name="green")).to_be_visible()
    expect(page.get_by_role("checkbox", name="blue")).to_be_hidden()
    search.fill("zebra")
    expect(page.get_by_text("No matching classes.")).to_be_visible()


def test_statistics_are_read_off_by_mouse_and_keyboard_and_outlive_a_reload(page: Page) -> None:
    graph, facts = page.locator("#graph"), page.locator("#facts")
    speed = page.locator("[data-key=fps] b")
    expect(speed).to_have_text(re.compile(r"^\d+\.\d$"))
    expect(facts).to_have_text(re.compile(r"^now · cpu · 0 dropped · 1 viewer"))
    page.wait_for_timeout(3000)  # for three more figures
    page.reload()
    start = time.monotonic()
    expect(speed).to_have_text(re.compile(r"^\d+\.\d$"))
    graph.focus()
    page.keyboard.press("Home")
    expect(facts).to_have_text(re.compile(r"^\d+ s ago"))
    oldest = int(facts.inner_text().partition(" ")[0])
    assert oldest > time.monotonic() - start, "figures from before the reload"
    expect(page.locator("#spoken")).to_contain_text("s ago: ")
    page.keyboard.press("End")
    graph.blur()
    expect(facts).to_have_text(re.compile(r"^now"))
    page.locator("[data-key=fps] canvas").hover(position={"x": 1, "y": 10})
    expect(facts).to_have_text(re.compile(r"s ago"))


def test_light_and_dark_follow_the_system_until_they_are_chosen(page: Page) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Light or dark").click()
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    assert page.evaluate(ground) == dark
    page.get_by_role("button", name="Light or dark").click()
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(ground) == dark


def test_every_control_has_a_key(page: Page) -> None:
    page.keyboard.press("Space")
    expect(page.locator("#link")).to_have_text("Paused")
    page.keyboard.press("Space")
    expect(page.locator("#link")).to_have_text("Live")
    with page.expect_download():
        page.keyboard.press("s")
    page.keyboard.press("r")
    expect(page.locator("#recording")).to_be_visible()
    page.keyboard.press("r")
    expect(page.locator("#recording")).to_be_hidden()
    page.keyboard.press("+")
    expect(page.locator("#score-value")).to_have_text("5 %")
    page.keyboard.press("-")
    expect(page.locator("#score-value")).to_have_text("0 %")
    page.keyboard.press("d")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.keyboard.press("f")
    expect(page.locator("#stage:fullscreen")).to_be_visible()
    page.keyboard.press("f")
    expect(page.locator("#stage:fullscreen")).to_have_count(0)
    page.keyboard.press("/")
    expect(page.get_by_label("Search classes")).to_be_focused()
    page.keyboard.type("s r")  # typing is no command
    expect(page.get_by_label("Search classes")).to_have_value("s r")
    expect(page.locator("#recording")).to_be_hidden()


def test_help_lists_the_keys_and_closes_by_escape(page: Page) -> None:
    page.keyboard.press("?")
    help_ = page.get_by_role("dialog", name="Keyboard")
    expect(help_).to_contain_text("Take a snapshot")
    page.keyboard.press("Escape")
    expect(help_).to_be_hidden()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    expect(help_).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(help_).to_be_hidden()


def test_whatever_has_the_focus_shows_it(page: Page) -> None:
    seen = []
    for _ in range(9):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate(
                "[document.activeElement.id, getComputedStyle(document.activeElement).outlineStyle]"
            )
        )
    assert [identity for identity, _ in seen] == [
        "theme", "help", "full", "pause", "snapshot", "record", "score-range", "classes-search",
        "",
    ]  # fmt: skip
    assert {outline for _, outline in seen} <= {"solid", "auto"}


def test_a_phone_shows_all_of_it_without_scrolling_sideways(
    open_page: OpenPage, stream: Served
) -> None:
    page = open_page(stream.url, viewport={"width": 390, "height": 844}, has_touch=True)
    expect(page.locator("#stage[data-is=live]")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for name in ("Pause", "Snapshot", "Record"):
        box = page.get_by_role("button", name=name).bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44
        assert box["y"] + box["height"] <= 844, "a thumb reaches it without scrolling"


def test_the_images_go_on_in_a_page_that_was_hidden(page: Page) -> None:
    """A page that nobody sees asks for no images; when it is seen again they come."""
    hide = (
        "value => { Object.defineProperty(document, 'hidden', {value, configurable: true});"
        " document.dispatchEvent(new Event('visibilitychange')) }"
    )
    page.evaluate(hide, True)
    page.wait_for_timeout(300)
    held = page.evaluate(FRAME)
    page.wait_for_timeout(300)
    assert page.evaluate(FRAME) == held
    page.evaluate(hide, False)
    _until(page, lambda: page.evaluate(FRAME) != held)


def _until(page: Page, so: Callable[[], bool]) -> None:
    """Images tell nobody that they have come: look again and again."""
    for _ in range(200):
        if so():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it never came")
