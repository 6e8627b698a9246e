"""Access to the page, and its connection when the stream ends and comes back."""

import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest
from streams import wait_until
from web_stream import OpenPage, Served, served

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

OPENS = """address => new Promise(done => {
  const socket = new WebSocket(address);
  socket.onmessage = () => done("open");
  socket.onerror = () => done("refused");
})"""


@pytest.fixture(scope="module")
def guarded(model: Path, clip: Path) -> Iterator[Served]:
    """A stream that others than this machine could reach."""
    arguments = ("classify", "--model", model, "--source", clip, "--loop", "--realtime")
    with served(*arguments, sink="web:0.0.0.0:0") as running:
        yield running


def test_the_printed_address_opens_the_page_and_hides_its_token(
    open_page: OpenPage, guarded: Served
) -> None:
    assert "?token=" in guarded.url
    page = open_page(guarded.local)
    expect(page.locator("#link")).to_have_text("Live")
    assert page.url == f"http://127.0.0.1:{guarded.port}/"
    assert page.evaluate("document.cookie") == "", "scripts do not see the token"
    page.reload()
    expect(page.locator("#link")).to_have_text("Live")


@pytest.mark.parametrize("query", ["", "?token=guessed"])
def test_without_the_right_token_there_is_no_page(
    open_page: OpenPage, guarded: Served, query: str
) -> None:
    page = open_page(f"http://127.0.0.1:{guarded.port}/{query}")
    expect(page.locator("#stage")).to_have_count(0)
    expect(page.locator("body")).to_contain_text("that the program printed")


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[str]:
    """A page of another origin: another port of the same machine."""
    (tmp_path / "index.html").write_text("<p>Free images")
    handler = partial(_Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Log nothing."""


def test_scripts_of_another_page_are_refused(
    open_page: OpenPage, stream: Served, foreign: str
) -> None:
    address = f"ws://127.0.0.1:{stream.port}/ws"
    assert open_page(stream.url).evaluate(OPENS, address) == "open"
    page = open_page(foreign)
    with page.expect_console_message(lambda message: "WebSocket" in message.text) as caught:
        assert page.evaluate(OPENS, address) == "refused"
    assert "403" in caught.value.text


def test_the_page_comes_back_with_the_stream(open_page: OpenPage, model: Path, clip: Path) -> None:
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


def test_a_stream_that_ended_is_told_from_one_that_was_lost(
    open_page: OpenPage, model: Path, clip: Path
) -> None:
    with served("classify", "--model", model, "--source", clip, "--loop", "--realtime") as running:
        page = open_page(running.url)
        expect(page.locator("#link")).to_have_text("Live")
        running.process.terminate()
        expect(page.locator("#link")).to_have_text("Ended")
        expect(page.locator("#veil-text")).to_contain_text("resumes when")
        running.process.wait(20)
    page.wait_for_timeout(1500)  # in which it tries in vain to connect again
    expect(page.locator("#link")).to_have_text("Ended")


def test_a_still_image_stays_on_the_page_until_the_program_is_stopped(
    open_page: OpenPage, model: Path, tmp_path: Path
) -> None:
    photo = tmp_path / "red.png"
    cv2.imwrite(str(photo), np.full((60, 80, 3), (40, 40, 200), np.uint8))
    results = tmp_path / "out.jsonl"
    sinks = ("--sink", f"jsonl:{results}")
    with served("classify", "--model", model, "--source", photo, *sinks) as running:
        wait_until(lambda: results.is_file() and results.read_text())
        page = open_page(running.url)  # after all has been done
        expect(page.locator("#link")).to_have_text("Ended")
        expect(page.locator("#veil-title")).to_have_text("The stream has ended")
        expect(page.locator("#summary")).to_contain_text("red")
        pixel = "document.getElementById('image').getContext('2d').getImageData(70, 50, 1, 1).data"
        red, _, blue, _ = page.evaluate(f"[...{pixel}]")
        assert red > blue + 100
        expect(page.get_by_role("button", name="Pause")).to_be_disabled()
        expect(page.get_by_role("button", name="Snapshot")).to_be_enabled()
        assert running.process.poll() is None
        running.process.terminate()
        assert running.process.wait(20) == 0
        expect(page.locator("#veil-text")).to_contain_text("resumes when")


def test_a_page_whose_token_is_no_longer_right_says_so(
    open_page: OpenPage, model: Path, clip: Path
) -> None:
    arguments = ("classify", "--model", model, "--source", clip, "--loop", "--realtime")
    with served(*arguments, sink="web:0.0.0.0:0") as first:
        page = open_page(first.local)
        expect(page.locator("#link")).to_have_text("Live")
        first.process.kill()
        expect(page.locator("#link")).to_have_text("Reconnecting")
    with served(*arguments, sink=f"web:0.0.0.0:{first.port}"):
        expect(page.locator("#link")).to_have_text("Refused", timeout=30_000)
        expect(page.locator("#veil-text")).to_contain_text("that the program printed")


def test_a_ninth_viewer_hears_why_there_is_no_image(open_page: OpenPage, stream: Served) -> None:
    first = open_page(stream.url)
    first.evaluate("() => { window.more = Array.from({length: 7}, () => new WebSocket('/ws')) }")
    expect(first.locator("#facts")).to_contain_text("8 viewers")
    page = open_page(stream.url)
    expect(page.locator("#veil-text")).to_contain_text("at most 8")
    first.context.close()
    expect(page.locator("#link")).to_have_text("Live")
