"""The page's own camera as the source of the stream."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from web_stream import FOREIGN_HOST, OpenPage, Served, served

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect


@pytest.fixture(scope="module")
def watching(model: Path) -> Iterator[Served]:
    """A stream that sees with the camera of its page."""
    with served("classify", "--model", model, "--source", "browser") as running:
        yield running


def test_the_images_of_the_camera_are_classified(open_page: OpenPage, watching: Served) -> None:
    page = open_page(watching.url)
    page.get_by_role("button", name="Use this camera").click()
    expect(page.locator("#link")).to_have_text("Live")
    expect(page.locator("#summary")).to_contain_text("red")
    expect(page.locator("#summary")).to_contain_text("blue")
    page.get_by_role("button", name="Stop camera").click()
    expect(page.get_by_role("button", name="Use this camera")).to_be_visible()
    page.get_by_role("button", name="Use this camera").click()
    expect(page.locator("#link")).to_have_text("Live")


def test_the_camera_goes_on_after_a_pause(open_page: OpenPage, watching: Served) -> None:
    page = open_page(watching.url)
    page.get_by_role("button", name="Use this camera").click()
    expect(page.locator("#link")).to_have_text("Live")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#link")).to_have_text("Paused")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#summary")).to_contain_text("red")
    expect(page.locator("#summary")).to_contain_text("blue")


TWO_CAMERAS = """
const devices = navigator.mediaDevices;
const list = devices.enumerateDevices.bind(devices);
const unplugged = {kind: "videoinput", deviceId: "gone", label: "Unplugged"};
devices.enumerateDevices = async () => [...await list(), unplugged];
"""


def test_another_camera_can_be_chosen(open_page: OpenPage, watching: Served) -> None:
    page = open_page("about:blank")
    page.add_init_script(TWO_CAMERAS)
    page.goto(watching.url)
    page.get_by_role("button", name="Use this camera").click()
    expect(page.locator("#link")).to_have_text("Live")
    page.get_by_role("button", name="Front or back camera").click()
    expect(page.locator("#summary")).to_contain_text("red")
    expect(page.locator("#summary")).to_contain_text("blue")
    page.get_by_label("Camera", exact=True).select_option("Unplugged")
    expect(page.get_by_text("That camera is no longer available.")).to_be_visible()
    page.get_by_role("button", name="Use this camera").click()
    expect(page.locator("#link")).to_have_text("Live")


def test_only_one_page_is_the_camera(open_page: OpenPage, watching: Served) -> None:
    viewer, other = open_page(watching.url), open_page("about:blank")
    other.add_init_script("window.createImageBitmap = () => new Promise(() => {})")
    other.goto(watching.url)  # and never learns that there are images already
    page = open_page(watching.url)
    page.get_by_role("button", name="Use this camera").click()
    expect(page.locator("#link")).to_have_text("Live")
    expect(viewer.locator("#link")).to_have_text("Live")
    expect(viewer.get_by_role("button", name="Use this camera")).to_be_hidden()
    other.get_by_role("button", name="Use this camera").click()
    expect(other.locator(".notice[data-code=browser-camera-in-use]")).to_be_visible()
    expect(other.get_by_role("button", name="Stop camera")).to_be_hidden()
    expect(page.locator("#link")).to_have_text("Live")


def test_a_snapshot_before_the_first_image_is_refused_in_words(
    open_page: OpenPage, model: Path
) -> None:
    with served("classify", "--model", model, "--source", "browser") as running:
        page = open_page(running.url)
        page.get_by_role("button", name="Snapshot").click()
        expect(page.locator(".notice[data-code=no-frame-yet]")).to_be_visible()


def test_a_browser_that_may_not_use_its_camera_says_so(
    open_page: OpenPage, watching: Served
) -> None:
    page = open_page("about:blank")
    page.add_init_script(
        "navigator.mediaDevices.getUserMedia = () =>"
        " Promise.reject(new DOMException('', 'NotAllowedError'))"
    )
    page.goto(watching.url)
    page.get_by_role("button", name="Use this camera").click()
    expect(page.get_by_text("Camera access was denied")).to_be_visible()
    expect(page.get_by_role("button", name="Use this camera")).to_be_visible()


def test_plain_http_from_another_machine_gets_the_tunnel_that_helps(
    open_page: OpenPage, model: Path
) -> None:
    with served(
        "classify", "--model", model, "--source", "browser", sink="web:0.0.0.0:0"
    ) as running:
        address = urlsplit(running.url)._replace(netloc=f"{FOREIGN_HOST}:{running.port}").geturl()
        page = open_page(address, viewport={"width": 390, "height": 844})
        expect(page.locator("#camera-refused")).to_be_visible()
        expect(page.get_by_role("button", name="Use this camera")).to_be_hidden()
        command = f"ssh -L {running.port}:{FOREIGN_HOST}:{running.port} USER@{FOREIGN_HOST}"
        expect(page.locator("#tunnel")).to_have_text(command)
        page.get_by_role("button", name="Copy").click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        page.locator("#tunnel-open").scroll_into_view_if_needed()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
