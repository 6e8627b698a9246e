"""A real Chromium whose camera is a file, and a stream that shows colors."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import browser as browser  # noqa: PLC0414 (a fixture)
from browsing import open_page as open_page  # noqa: PLC0414 (a fixture)
from web_stream import OpenPage, Served, served, write_clip, write_model

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")


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
