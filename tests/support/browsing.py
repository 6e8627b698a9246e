"""Fixtures of a real Chromium whose camera is a file, for the conftest of a folder to import."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import chromium
import pytest
from web_stream import FOREIGN_HOST, OpenPage, write_fake_camera

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator["sync_api.Browser"]:
    clip = tmp_path_factory.mktemp("camera") / "camera.mjpeg"
    with filming(write_fake_camera(clip)) as browser:
        yield browser


@contextmanager
def filming(clip: Path) -> Iterator["sync_api.Browser"]:
    """A browser whose camera is a clip."""
    if chromium.path() is None:
        pytest.skip("no Chromium: set EDGE_CHROMIUM")
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
