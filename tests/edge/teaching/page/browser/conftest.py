"""A real Chromium whose camera shows each of two colors for long enough to be recorded."""

from collections.abc import Iterator

import pytest
from browsing import filming
from browsing import open_page as open_page  # noqa: PLC0414 (a fixture)
from web_stream import write_fake_camera

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator["sync_api.Browser"]:
    clip = tmp_path_factory.mktemp("camera") / "camera.mjpeg"
    with filming(write_fake_camera(clip, seconds=6.0)) as browser:
        yield browser
