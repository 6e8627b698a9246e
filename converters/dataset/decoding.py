"""Decode image files in threads."""

import errno
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from converters.dataset.duplicates import THUMBNAIL_SIDE, thumbnail
from converters.dataset.listing import ImageFile
from converters.progress import Progress
from edge import quantities
from edge.errors import ImageError, OutputError
from edge.image import decode_image
from edge.image_format import format_of
from edge.image_header import read_header
from edge.preprocessing import Preprocessing

R = TypeVar("R")
T = TypeVar("T", np.uint8, np.float16)

MAX_IN_MEMORY = 128 * 2**20
"""Bytes of an array of all images above which it is kept in a file."""


_AT_ONCE = 32
"""Images that a thread decodes without a break, at most."""


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """A decoded image.

    ``digest``: sha256 of the file; ``content``: hash of the resized pixels, equal for images that
    are identical to the model; ``converted``: see
    :func:`converters.dataset.decoding.conversions`.
    """

    source: Any
    digest: str
    content: bytes
    converted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UndecodableFile:
    """A file that could not be decoded, and the reason."""

    source: Any
    reason: str


@dataclass(frozen=True, slots=True)
class DecodedFiles:
    """Decoded images in the order of their sources, and the files that could not be decoded.

    ``pixels``: uint8 RGB [n, height, width, 3]; ``thumbnails``: float16 [n, side, side], see
    :func:`converters.dataset.duplicates.thumbnail`. Both are aligned with the n ``images``, and
    memory maps where they are large.
    """

    pixels: NDArray[np.uint8]
    thumbnails: NDArray[np.float16]
    images: list[DecodedImage]
    broken: list[UndecodableFile]

    def keep(self, rows: list[int]) -> "DecodedFiles":
        """Keep the given ascending ``rows``; they move to the front of the arrays in place."""
        return DecodedFiles(
            _keep_rows(self.pixels, rows),
            _keep_rows(self.thumbnails, rows),
            [self.images[row] for row in rows],
            self.broken,
        )


def decode_all(
    sources: Sequence[ImageFile],
    preprocessing: Preprocessing,
    workdir: Path,
    progress: Progress,
) -> DecodedFiles:
    """Read, hash, decode and resize every image.

    Raises:
        OutputError: ``workdir`` has too little space for the pixels.
    """
    count = len(sources)
    pixels = _allocate(
        (count, preprocessing.height, preprocessing.width, 3), np.uint8, workdir / "pixels"
    )
    thumbnails = _allocate(
        (count, THUMBNAIL_SIDE, THUMBNAIL_SIDE), np.float16, workdir / "thumbnails"
    )

    def decode(index: int) -> DecodedImage | UndecodableFile:
        return _decode(sources[index], preprocessing, pixels[index], thumbnails[index])

    opened: list[DecodedImage] = []
    broken: list[UndecodableFile] = []
    rows: list[int] = []
    results = _in_threads(decode, len(sources))
    for index, result in enumerate(progress.track(results, len(sources), "Reading images")):
        if isinstance(result, UndecodableFile):
            broken.append(result)
        else:
            opened.append(result)
            rows.append(index)
    return DecodedFiles(_keep_rows(pixels, rows), _keep_rows(thumbnails, rows), opened, broken)


def _keep_rows(array: NDArray[T], rows: list[int]) -> NDArray[T]:
    """Move the given ascending ``rows`` of ``array`` to its front in place, and return these."""
    for target, row in enumerate(rows):
        if target != row:
            array[target] = array[row]
    return array[: len(rows)]


def conversions(data: bytes) -> tuple[str, ...]:
    """Return which of "rotated", "greyscale", "alpha" and "16-bit" apply to an image file.

    "rotated" means an EXIF orientation other than upright. Decoding applies all of them.
    """
    header = read_header(data)
    applied = {
        "rotated": header.orientation != 1,
        "greyscale": header.grayscale,
        "alpha": header.alpha,
        "16-bit": header.bits == 16,
    }
    return tuple(kind for kind, applies in applied.items() if applies)


def _decode(
    source: ImageFile,
    preprocessing: Preprocessing,
    pixels: NDArray[np.uint8],
    small: NDArray[np.float16],
) -> DecodedImage | UndecodableFile:
    try:
        data = source.path.read_bytes()
        image = decode_image(data, source.name, (preprocessing.width, preprocessing.height))
    except OSError as error:
        return UndecodableFile(source, f"cannot be read: {error.strerror}")
    except ImageError as error:
        return UndecodableFile(source, _reason(error, data))
    pixels[:] = preprocessing.resize(image)
    small[:] = thumbnail(image)
    digest = hashlib.sha256(data).hexdigest()
    content = hashlib.blake2b(pixels.data, digest_size=16).digest()
    return DecodedImage(source, digest, content, conversions(data))


def _reason(error: ImageError, data: bytes) -> str:
    if not data:
        return "empty (0 bytes)"
    if error.code == "image-truncated":
        return "truncated"
    kind = format_of(data)
    if kind is None:
        return "not an image"
    return f"{kind.name}, {'which cannot be decoded' if kind.readable else 'to be converted first'}"


def _in_threads(work: Callable[[int], R], count: int) -> Iterator[R]:
    """Yield ``work(0)``, ``work(1)``, … in order; OpenCV and hashlib release the GIL.

    A thread gets several at once: to hand over a small image takes as long as to decode it.
    """
    threads = min(4, os.cpu_count() or 1)
    size = max(1, min(_AT_ONCE, count // (8 * threads)))
    parts = [range(start, min(start + size, count)) for start in range(0, count, size)]
    pool = ThreadPoolExecutor(threads)
    try:
        for results in pool.map(lambda part: [work(index) for index in part], parts):
            yield from results
    finally:  # also when interrupted: don't start the rest
        pool.shutdown(cancel_futures=True)


def _allocate(shape: tuple[int, ...], dtype: type[T], path: Path) -> NDArray[T]:
    """Return an array of zeros, in a file at ``path`` if it is large."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    if size <= MAX_IN_MEMORY:
        return np.zeros(shape, dtype)
    try:
        with path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)  # a hole on a full disk would end in SIGBUS
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise OutputError(
            f"{quantities.size(size)} of disk space for the decoded images",
            f"less in {path.parent.parent}",
            "free some space, or set TMPDIR to a folder on a larger disk",
            code="temp-space-too-small",
        ) from None
    return np.memmap(path, dtype, "r+", shape=shape)
