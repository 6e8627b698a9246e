"""A Chromium to look at pages with: EDGE_CHROMIUM, or the one that is installed."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def path() -> str | None:
    """The program, or None where there is none."""
    named = os.environ.get("EDGE_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    return named if Path(named).is_file() else None


@contextmanager
def launched(arguments: Sequence[str] = ()) -> Iterator["Browser"]:
    """A running browser; there must be one, and Playwright."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path(), args=["--no-sandbox", *arguments]
        )
        yield browser
        browser.close()
