"""A real Chromium whose camera is a file, and a stream that shows colors."""

from collections.abc import Iterator
from pathlib import Path

import chromium
import pytest
from web_stream import (
    FOREIGN_HOST,
    OpenPage,
    Served,
    served,
    write_clip,
    write_fake_camera,
    write_model,
)

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator["sync_api.Browser"]:
    if chromium.path() is None:
        pytest.skip("no Chromium: set EDGE_CHROMIUM")
    clip = write_fake_camera(tmp_path_factory.mktemp("camera") / "camera.mjpeg")
    arguments = [
        "--disable-background-networking",
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={clip}",
        f"--host-resolver-rules=MAP {FOREIGN_HOST} 127.0.0.1",
    ]
    with chromium.launched(arguments) as browser:
        yield browser


@pytest.fixture
def open_page(browser: "sync_api.Browser") -> Iterator[OpenPage]:
    """Opens an address in a new browser profile; keywords are Playwright's for a context."""
    contexts = []

    def opened(url: str, **options: object) -> "sync_api.Page":
        defaults = {"viewport": {"width": 1280, "height": 860}, "reduced_motion": "reduce"}
        context = browser.new_context(**(defaults | options))
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.goto(url)
        return page

    sync_api.expect.set_options(timeout=15_000)
    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recordings")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Red, then blue."""
    return write_clip(tmp_path_factory.mktemp("clip") / "colors.avi")


@pytest.fixture(scope="module")
def stream(model: Path, clip: Path, recordings: Path) -> Iterator[Served]:
    """The colors of the clip, over and over."""
    arguments = ("classify", "--model", model, "--source", clip, "--loop", "--realtime")
    with served(*arguments, sink=f"web:127.0.0.1:0?recordings={recordings}") as running:
        yield running


@pytest.fixture
def page(open_page: OpenPage, stream: Served) -> Iterator["sync_api.Page"]:
    """The page of the stream, live. Whatever the browser complains of fails the test."""
    opened = open_page("about:blank")
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on(
        "console",
        lambda message: complaints.append(message.text) if message.type == "error" else None,
    )
    opened.goto(stream.url)
    sync_api.expect(opened.locator("#stage[data-is=live]")).to_be_visible()
    yield opened
    assert not complaints
