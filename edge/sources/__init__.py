"""Sources: where frames come from.

:data:`SOURCES` has a record for each scheme. Command help, the check that no output overwrites
the source, the requirements of a deployment and README's table are derived from it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from edge.errors import UsageError, nearest, suggestion
from edge.sources.source import Source, SourceOptions
from edge.terminal import two_columns


@dataclass(frozen=True, slots=True)
class SourceKind:
    """A kind of source, known by its scheme: the word before the colon of its address.

    Attributes:
        target: "module:function", called with the address after the scheme (a URL as a whole)
            and :class:`~edge.sources.source.SourceOptions`; returns a
            :class:`~edge.sources.source.Source`.
        usage: Its address as a user writes it.
        help: A short description.
        extra: Extra of the distribution that it needs.
        recognizes: True for an address without a scheme that means this source; what no kind
            recognizes is a video.
        bare: The scheme alone, without a colon, is an address.
        camera: A camera of this machine, whose driver can be asked for an exposure.
        reads_file: The address is a path that it reads.
        still: Its frames are single images, each of which is looked at on its own.
        needs_sink: Scheme of a sink without which no frame comes.
        system_packages: It needs the system's Python packages, as from apt.
    """

    target: str
    usage: str
    help: str
    extra: str | None = None
    recognizes: Callable[[str], bool] | None = None
    bare: bool = False
    camera: bool = False
    reads_file: bool = False
    still: bool = False
    needs_sink: str | None = None
    system_packages: bool = False


def _is_device(uri: str) -> bool:
    return uri.isdecimal() or re.fullmatch(r"/dev/(video\d+|v4l/.+)", uri) is not None


def _is_images(uri: str) -> bool:
    from edge.image_format import GIF, SUFFIXES, UNREADABLE_SUFFIXES, is_listed

    path = Path(uri)
    pattern = not path.exists() and any(sign in uri for sign in "*?[")
    suffix = path.suffix.lower()
    if suffix in GIF.suffixes:
        return path.is_dir() or pattern  # a GIF is played
    named = suffix in SUFFIXES or suffix in UNREADABLE_SUFFIXES
    return path.is_dir() or pattern or named or (not suffix and is_listed(path))


_NETWORK = SourceKind(
    "edge.sources.network:open_network",
    "rtsp://…, http://…",
    "a network camera or snapshot, or a video",
)

SOURCES = {
    "v4l2": SourceKind(
        "edge.sources.opencv:open_camera",
        "0, /dev/video0",
        "a USB camera, by number or device",
        recognizes=_is_device,
        camera=True,
    ),
    "picamera": SourceKind(
        "edge.sources.picamera:open_picamera",
        "picamera[:NUMBER]",
        "a CSI camera of a Raspberry Pi",
        bare=True,
        camera=True,
        system_packages=True,
    ),
    "rtsp": _NETWORK,
    "rtsps": _NETWORK,
    "http": _NETWORK,
    "https": _NETWORK,
    "images": SourceKind(
        "edge.sources.images:open_images",
        "FILE.jpg, DIR, 'DIR/*.jpg'",
        "an image, or the images of a folder or pattern",
        recognizes=_is_images,
        reads_file=True,
        still=True,
    ),
    "video": SourceKind(
        "edge.sources.opencv:open_video",
        "FILE.mp4, FILE.gif",
        "a video or a GIF",
        reads_file=True,
    ),
    "browser": SourceKind(
        "edge.sources.browser:open_browser",
        "browser",
        "the camera of the page that --sink web shows",
        bare=True,
        needs_sink="web",
    ),
    "synthetic": SourceKind(
        "edge.sources.synthetic:open_synthetic",
        "synthetic:[WxH][@FPS]",
        "moving shapes; add ?seed=N&frames=N",
    ),
}
"""Scheme → kind of source."""

_URL_FIX = "write it as rtsp://HOST/PATH or http://HOST/PATH"


def source_table() -> list[tuple[str, str]]:
    """Return the usage and the help of each kind of source."""
    return [(kind.usage, kind.help) for kind in dict.fromkeys(SOURCES.values())]


def open_source(uri: str | Path | int, options: SourceOptions | None = None) -> Source:
    """Open a source by its address, a path or the number of a camera.

    Raises:
        SourceError: It gives no frames.
        UsageError: There is no such scheme.
    """
    scheme, address = resolve(str(uri))
    module, _, function = SOURCES[scheme].target.partition(":")
    opener: Callable[[str, SourceOptions], Source] = getattr(import_module(module), function)
    return opener(address, options or SourceOptions())


def resolve(uri: str) -> tuple[str, str]:
    """Split a user's text into scheme and address.

    A file that exists is read, whatever its name looks like; only the words that are an address
    without a colon, such as 0 and picamera, mean the camera, and ./0 the file.

    >>> resolve("0"), resolve("photos/*.jpg"), resolve("clip.mp4")
    (('v4l2', '0'), ('images', 'photos/*.jpg'), ('video', 'clip.mp4'))

    Raises:
        UsageError: There is no such scheme.
    """
    if not uri:
        raise UsageError(
            "a source",
            "an empty string",
            "use --source 0 or --source clip.mp4",
            code="unknown-source",
            summary="the source is empty",
        )
    scheme, colon, rest = uri.partition(":")
    if rest.startswith("//") and scheme.lower() in SOURCES:
        return _resolve_url(scheme.lower(), rest)
    if not (colon and Path(Path(uri).parts[0]).exists()):
        if SOURCES.get(scheme) is _NETWORK and colon:
            raise _invalid(f"a URL after {scheme}:", f"'{uri}'")
        if scheme in SOURCES and (colon or SOURCES[scheme].bare):
            return scheme, rest
        if colon and ("@" in rest or re.fullmatch(r"[a-z][a-z0-9+]+", scheme)):
            raise _unknown(uri, scheme, rest)
    for name, kind in SOURCES.items():
        if kind.recognizes is not None and kind.recognizes(uri):
            return name, uri
    return "video", uri


def _resolve_url(scheme: str, rest: str) -> tuple[str, str]:
    if SOURCES[scheme] is not _NETWORK:
        return scheme, rest
    if re.search(r"\s", rest):  # not quoted: the password may be behind the space
        raise _invalid("an address without spaces", "one with a space", "write a space as %20")
    return scheme, f"{scheme}:{rest}"


def _invalid(expected: str, given: str, fix: str = _URL_FIX) -> UsageError:
    return UsageError(expected, given, fix, code="invalid-address")


def _unknown(uri: str, scheme: str, rest: str) -> UsageError:
    guess = nearest(scheme, SOURCES)
    fix = suggestion(f"{guess}:{rest}") if guess else "use one of these; --help describes them"
    if "@" in rest:
        fix = f"check the path; if it is a camera, {_URL_FIX}"
    known = ", ".join(SOURCES)
    return UsageError(f"a source ({known}, or a file)", f"'{uri}'", fix, code="unknown-source")


__doc__ = f"{__doc__}\n{two_columns(source_table())}\n"
