"""Who is let in, and what the page does when the stream goes away and comes back."""

import re
from pathlib import Path

import pytest
from web_stream import Served, served

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

OPENS = """address => new Promise(done => {
  const socket = new WebSocket(address);
  socket.onmessage = () => done("open");
  socket.onerror = () => done("refused");
})"""


@pytest.fixture(scope="module")
def guarded(model: Path, clip: Path):  # type: ignore[no-untyped-def]
    """A stream that others than this machine could reach."""
    arguments = ("classify", "--model", model, "--source", clip, "--loop", "--realtime")
    with served(*arguments, sink="web:0.0.0.0:0") as running:
        yield running


def test_the_printed_address_opens_the_page_and_hides_its_token(open_page, guarded: Served) -> None:  # type: ignore[no-untyped-def]
    assert "?token=" in guarded.url
    page = open_page(guarded.local)
    expect(page.locator("#link")).to_have_text("Live")
    assert page.url == f"http://127.0.0.1:{guarded.port}/"
    assert page.evaluate("document.cookie") == "", "scripts do not see the token"
    page.reload()
    expect(page.locator("#link")).to_have_text("Live")


@pytest.mark.parametrize("query", ["", "?token=guessed"])
def test_without_the_right_token_there_is_no_page(open_page, guarded: Served, query: str) -> None:  # type: ignore[no-untyped-def]
    page = open_page(f"http://127.0.0.1:{guarded.port}/{query}")
    expect(page.locator("#stage")).to_have_count(0)
    expect(page.locator("body")).to_contain_text("the whole address that the program printed")


def test_scripts_of_another_page_are_refused(open_page, stream: Served) -> None:  # type: ignore[no-untyped-def]
    address = f"ws://127.0.0.1:{stream.port}/ws"
    assert open_page(stream.url).evaluate(OPENS, address) == "open"
    page = open_page("about:blank")
    page.route("**/foreign", lambda route: route.fulfill(body="<p>", content_type="text/html"))
    page.goto(f"http://localhost:{stream.port}/foreign")
    assert page.evaluate(OPENS, address) == "refused"


def test_the_page_comes_back_with_the_stream(open_page, model: Path, clip: Path) -> None:  # type: ignore[no-untyped-def]
    arguments = ("classify", "--model", model, "--source", clip, "--loop", "--realtime")
    with served(*arguments) as first:
        page = open_page(first.url)
        expect(page.locator("#link")).to_have_text("Live")
        first.process.kill()
        expect(page.locator("#link")).to_have_text("Reconnecting")
        expect(page.locator("#veil-text")).to_have_text(re.compile(r"Trying again in \d+ s\."))
        expect(page.get_by_role("button", name="Pause")).to_be_disabled()
    with served(*arguments, sink=f"web:127.0.0.1:{first.port}"):
        expect(page.locator("#link")).to_have_text("Live", timeout=30_000)
        expect(page.get_by_role("button", name="Pause")).to_be_enabled()


def test_a_stream_that_ended_is_told_from_one_that_was_lost(open_page, model: Path, clip: Path) -> None:  # type: ignore[no-untyped-def]
    with served("classify", "--model", model, "--source", clip, "--loop", "--realtime") as running:
        page = open_page(running.url)
        expect(page.locator("#link")).to_have_text("Live")
        running.process.terminate()
        expect(page.locator("#link")).to_have_text("Ended")
        expect(page.locator("#veil-text")).to_contain_text("This page goes on when")
        running.process.wait(20)
    page.wait_for_timeout(1500)  # in which it tries in vain to connect again
    expect(page.locator("#link")).to_have_text("Ended")


def test_a_page_whose_token_is_no_longer_right_says_so(open_page, model: Path, clip: Path) -> None:  # type: ignore[no-untyped-def]
    arguments = ("classify", "--model", model, "--source", clip, "--loop", "--realtime")
    with served(*arguments, sink="web:0.0.0.0:0") as first:
        page = open_page(first.local)
        expect(page.locator("#link")).to_have_text("Live")
        first.process.kill()
        expect(page.locator("#link")).to_have_text("Reconnecting")
    with served(*arguments, sink=f"web:0.0.0.0:{first.port}"):
        expect(page.locator("#link")).to_have_text("Refused", timeout=30_000)
        expect(page.locator("#veil-text")).to_contain_text("that the program printed")


def test_a_ninth_viewer_hears_why_there_is_no_picture(open_page, stream: Served) -> None:  # type: ignore[no-untyped-def]
    first = open_page(stream.url)
    for _ in range(7):
        first.context.new_page().goto(stream.url)
    expect(first.locator("#facts")).to_contain_text("8 viewers")
    page = open_page(stream.url)
    expect(page.locator("#veil-text")).to_contain_text("8 visitors are here already")
    first.context.close()
    expect(page.locator("#link")).to_have_text("Live")
