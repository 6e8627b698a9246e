"""Sources: where frames come from, by one scheme everywhere.

=============================  ==================================================================
``0``, ``v4l2:0``              a USB camera by number, ``/dev/video0`` or ``/dev/v4l/by-id/…``
``picamera``, ``picamera:1``   a CSI camera of a Raspberry Pi, through picamera2
``rtsp://…``, ``http://…``     a network camera (RTSP; MJPEG over HTTP), or a video on a server
``clip.mp4``, ``wave.gif``     a video file or GIF
``cat.jpg``                    an image
``photos/``, ``photos/*.jpg``  images in a folder, in their natural order
``browser``                    the camera of the page that the sink ``web`` shows
``synthetic:640x480@30``       moving shapes; ``?seed=1&frames=100``
=============================  ==================================================================
"""

import re
from importlib import import_module
from pathlib import Path

from edge.errors import UsageError, nearest
from edge.sources.source import Source, SourceOptions

SCHEMES = {
    "v4l2": "edge.sources.opencv:camera",
    "picamera": "edge.sources.picamera:camera",
    "rtsp": "edge.sources.opencv:network",
    "rtsps": "edge.sources.opencv:network",
    "http": "edge.sources.opencv:network",
    "https": "edge.sources.opencv:network",
    "browser": "edge.sources.browser:browser",
    "synthetic": "edge.sources.synthetic:synthetic",
    "video": "edge.sources.opencv:video",
    "images": "edge.sources.images:images",
}
"""Scheme → "module:function", called with the address and :class:`SourceOptions`."""


_ALONE = ("picamera", "browser")
"""Schemes that need no address."""

CAMERAS = ("v4l2", "picamera")
"""Schemes of cameras on this machine, whose driver may be asked for an exposure."""


def open_source(uri: str, options: SourceOptions | None = None) -> Source:
    """Open a source; see the table above.

    Raises:
        SourceError: it gives no frames.
        UsageError: there is no such scheme.
    """
    wanted = SourceOptions() if options is None else options
    scheme, address = resolve(uri)
    module, _, function = SCHEMES[scheme].partition(":")
    source: Source = getattr(import_module(module), function)(address, wanted)
    return source


def resolve(uri: str) -> tuple[str, str]:
    """The scheme and the address behind what a user wrote.

    >>> resolve("0"), resolve("photos/*.jpg"), resolve("clip.mp4")
    (('v4l2', '0'), ('images', 'photos/*.jpg'), ('video', 'clip.mp4'))

    Raises:
        UsageError: there is no such scheme.
    """
    if not uri:
        raise UsageError(
            "a source",
            "an empty string",
            "use --source 0 or --source clip.mp4",
            code="unknown-source",
            summary="the source is empty",
        )
    if uri.isdecimal() or re.fullmatch(r"/dev/(video\d+|v4l/.+)", uri):
        return "v4l2", uri
    scheme, colon, rest = uri.partition(":")
    if scheme in SCHEMES and (colon or scheme in _ALONE):
        return scheme, uri if rest.startswith("//") else rest
    path = Path(uri)
    if not path.exists() and colon and re.fullmatch(r"[a-z][a-z0-9+]+", scheme):
        guess = nearest(scheme, SCHEMES)
        fix = f"did you mean '{guess}:{rest}'?" if guess else "see 'edge demo classify --help'"
        raise UsageError(
            f"a source ({', '.join(SCHEMES)}, or a file)", f"'{uri}'", fix, code="unknown-source"
        )
    return ("images" if _is_images(path) else "video"), uri


def _is_images(path: Path) -> bool:
    from edge.image import SUFFIXES

    pattern = not path.exists() and any(sign in str(path) for sign in "*?[")
    return path.is_dir() or pattern or path.suffix.lower() in SUFFIXES
