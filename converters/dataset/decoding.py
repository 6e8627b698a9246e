"""Decode image files in threads."""

import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from converters.dataset.duplicates import Thumbnail, thumbnail
from converters.dataset.listing import LabeledFile
from converters.progress import Progress
from edge import quantities
from edge.errors import ImageError, OutputError
from edge.image import decode_image
from edge.image_format import format_of
from edge.image_header import read_header
from edge.preprocessing import Preprocessing

R = TypeVar("R")

MAX_IN_MEMORY = 512 * 2**20
"""Bytes of pixels above which they are kept in a file."""


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """A decoded image.

    ``digest``: sha256 of the file; ``content``: hash of the resized pixels, equal for images that
    are identical to the model; ``converted``: see
    :func:`converters.dataset.decoding.conversions`.
    """

    source: LabeledFile
    digest: str
    content: bytes
    thumbnail: Thumbnail
    converted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UndecodableFile:
    """A file that could not be decoded, and the reason."""

    source: LabeledFile
    reason: str


def decode_all(
    sources: tuple[LabeledFile, ...],
    preprocessing: Preprocessing,
    workdir: Path,
    progress: Progress,
) -> tuple[NDArray[np.uint8], list[DecodedImage], list[UndecodableFile]]:
    """Read, hash, decode and resize every image.

    Returns:
        The pixels, uint8 RGB [n, height, width, 3], aligned with the n decoded images (in the
        order of ``sources``), these images, and the broken files.

    Raises:
        OutputError: ``workdir`` has too little space for the pixels.
    """
    shape = (len(sources), preprocessing.height, preprocessing.width, 3)
    pixels = _allocate(shape, workdir)

    def decode(index: int) -> DecodedImage | UndecodableFile:
        return _decode(sources[index], preprocessing, pixels[index])

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
    return keep_rows(pixels, rows), opened, broken


def keep_rows(pixels: NDArray[np.uint8], rows: list[int]) -> NDArray[np.uint8]:
    """Move the given ascending ``rows`` of ``pixels`` to its front in place, and return these."""
    for target, row in enumerate(rows):
        if target != row:
            pixels[target] = pixels[row]
    return pixels[: len(rows)]


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
    source: LabeledFile, preprocessing: Preprocessing, out: NDArray[np.uint8]
) -> DecodedImage | UndecodableFile:
    try:
        data = source.path.read_bytes()
        image = decode_image(data, source.name)
    except OSError as error:
        return UndecodableFile(source, f"cannot be read: {error.strerror}")
    except ImageError as error:
        return UndecodableFile(source, _reason(error, data))
    out[:] = preprocessing.resize(image)
    digest = hashlib.sha256(data).hexdigest()
    content = hashlib.blake2b(out.data, digest_size=16).digest()
    return DecodedImage(source, digest, content, thumbnail(image), conversions(data))


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
    """Yield ``work(0)``, ``work(1)``, … in order; OpenCV and hashlib release the GIL."""
    pool = ThreadPoolExecutor(min(4, os.cpu_count() or 1))
    try:
        yield from pool.map(work, range(count))
    finally:  # also when interrupted: don't start the rest
        pool.shutdown(cancel_futures=True)


def _allocate(shape: tuple[int, ...], workdir: Path) -> NDArray[np.uint8]:
    size = int(np.prod(shape))
    if size <= MAX_IN_MEMORY:
        return np.zeros(shape, np.uint8)
    path = workdir / "pixels"
    try:
        with path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)  # a hole on a full disk would end in SIGBUS
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise OutputError(
            f"{quantities.size(size)} of disk space for the decoded images",
            f"less in {workdir.parent}",
            "free some space, or set TMPDIR to a folder on a larger disk",
            code="temp-space-too-small",
        ) from None
    return np.memmap(path, np.uint8, "r+", shape=shape)
