"""A stream with a page, shared where a test leaves it as it was."""

from collections.abc import Iterator
from pathlib import Path

import pages
import pytest


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pages.Page]:
    """A page on this machine's own address; leave it as you found it."""
    for needed in ("starlette", "uvicorn", "websockets", "httpx"):
        pytest.importorskip(needed)
    with pages.page(tmp_path_factory.mktemp("recordings")) as page:
        yield page


@pytest.fixture
def own_page(tmp_path: Path) -> Iterator[pages.Page]:
    """A page of the test's own; recordings lie in ``tmp_path / "recordings"``."""
    for needed in ("starlette", "uvicorn", "websockets", "httpx"):
        pytest.importorskip(needed)
    with pages.page(tmp_path / "recordings") as page:
        yield page
