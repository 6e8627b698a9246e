"""Image source: one file, a folder, or a pattern."""

import re
from collections.abc import Iterator
from pathlib import Path

from edge.errors import CorruptFrameError, ImageError, SourceError
from edge.frame import Frame
from edge.image import read_image
from edge.image_format import SUFFIXES, is_listed
from edge.sources.source import Source, SourceOptions
from edge.sources.transforms import transform
from edge.system_files import is_system_name

_DEFAULT_FPS = 30.0
"""Images per second without the option ``fps``."""


def open_images(address: str, options: SourceOptions) -> Source:
    """Open an image, or the images of a folder or of a pattern such as ``photos/*.jpg``.

    They come in natural order (2.jpg before 10.jpg), as fast as they are read; ``fps`` and
    ``realtime`` make a slide show.

    Raises:
        SourceError: There is no image.
    """
    files = find_images(address)

    def open_() -> Source:
        return _Images(address, files, options.fps or _DEFAULT_FPS)

    return transform(open_(), options, reopen=open_)


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
        return Frame(index, index / self.fps, image, str(path))

    def close(self) -> None:
        """Do nothing: no file is open."""


def find_images(address: str) -> list[Path]:
    """Find the images of a folder or pattern, or a single one, in natural order.

    Raises:
        SourceError: There is no image.
    """
    path = Path(address)
    if path.is_file():
        return [path]
    candidates = path.iterdir() if path.is_dir() else _matches(address)
    files = [file for file in candidates if is_listed(file) and not is_system_name(file.name)]
    if not files:
        kinds = " ".join(sorted(SUFFIXES))
        problem = "no images" if path.is_dir() or not path.suffix else "no such file"
        raise SourceError(
            f"images ({kinds}) at {address}", problem, "check the path", code="no-images"
        )
    return sorted(files, key=_natural)


def _matches(pattern: str) -> Iterator[Path]:
    """Match a pattern below its folders that exist, whose own names may have brackets."""
    path = Path(pattern)
    folder = next(parent for parent in path.parents if parent.is_dir())
    for match in folder.glob(str(path.relative_to(folder))):
        if not any(is_system_name(part) for part in match.relative_to(folder).parts):
            yield match


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """Return a sort key by which 2.jpg comes before 10.jpg."""
    parts = re.split(r"(\d+)", str(path))
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]
