"""Where downloads and work are kept between runs."""

import os
from pathlib import Path

from edge.errors import OutputError


def folder() -> Path:
    """The cache folder: ``$EDGE_CACHE``, else ``edge-toolkit`` in the user's cache folder.

    Raises:
        OutputError: it cannot be created.
    """
    chosen = os.environ.get("EDGE_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    place = Path(chosen) if chosen else base / "edge-toolkit"
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            "a writable cache folder",
            f"{place} ({error.strerror})",
            "set EDGE_CACHE to a folder that you can write to",
            code="cache-not-writable",
        ) from None
    return place
