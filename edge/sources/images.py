"""Images as a source: one, a folder of them, or a pattern."""

import re
from collections.abc import Iterator
from pathlib import Path

import cv2

from edge.errors import CorruptFrameError, ImageError, SourceError
from edge.frame import Frame
from edge.image import SUFFIXES, read_image
from edge.sources.source import Source, SourceOptions
from edge.sources.transforms import adjust

_RATE = 30.0
"""Images per second where the user does not say."""


def open_images(address: str, options: SourceOptions) -> Source:
    """The images of a folder, of a pattern such as ``photos/*.jpg``, or one alone.

    They come in their natural order (2.jpg before 10.jpg), as fast as they are wanted; ``fps``
    and ``realtime`` make a slide show.

    Raises:
        SourceError: there is none.
    """
    files = find(address)

    def open_it() -> Source:
        return _Images(address, files, options.fps or _RATE)

    return adjust(open_it(), options, again=open_it)


class _Images:
    live = False

    def __init__(self, name: str, files: list[Path], fps: float) -> None:
        self.name, self.fps = name, fps
        self._files, self._next = files, 0

    def read(self) -> Frame | None:
        if self._next == len(self._files):
            return None
        index, path = self._next, self._files[self._next]
        self._next += 1
        try:
            image = read_image(path)
        except ImageError as error:
            kind = SourceError if len(self._files) == 1 else CorruptFrameError
            raise kind(
                error.expected, error.found, error.fix, code=error.code, summary=error.summary
            ) from None
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        return Frame(index, index / self.fps, bgr.astype("uint8", copy=False), str(path))

    def close(self) -> None:
        """Nothing is kept open."""


def find(address: str) -> list[Path]:
    """The files of a folder, of a pattern, or one alone, in their natural order.

    Raises:
        SourceError: there is none.
    """
    path = Path(address)
    if path.is_file():
        return [path]
    inside = path.iterdir() if path.is_dir() else _matches(address)
    found = [
        file
        for file in inside
        if file.suffix.lower() in SUFFIXES and file.is_file() and not file.name.startswith(".")
    ]
    if not found:
        kinds = " ".join(sorted(SUFFIXES))
        what = "no images" if path.is_dir() or not path.suffix else "no such file"
        raise SourceError(
            f"images ({kinds}) at {address}", what, "check the path", code="no-images"
        )
    return sorted(found, key=_natural)


def _matches(pattern: str) -> Iterator[Path]:
    path = Path(pattern)
    return Path(path.anchor).glob(str(path.relative_to(path.anchor)))


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """A key by which 2.jpg comes before 10.jpg."""
    parts = re.split(r"(\d+)", str(path))
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]
