"""Cache of the poses of images and videos, by their content."""

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import SourceError
from edge.files import atomic_directory, cache_folder, sha256
from edge.frame import BgrImage
from edge.image import downscale, encode_jpeg
from edge.modelfile.normalization import Normalization
from edge.tasks.pose.keypoints import COCO
from edge.tasks.pose_match.similarity import KeypointArray

_FORMAT = 1
_BODIES = "bodies.npy"
_MAX_SIDE, _QUALITY = 640, 85
"""Pixels of the longer side of cached images, and their JPEG quality."""


@dataclass(frozen=True, slots=True, eq=False)
class CachedPoses:
    """Poses of a file: ``bodies`` float32 [frames, 17, 3], all 0 in a frame without one."""

    bodies: NDArray[np.float32]
    folder: Path

    def image(self, frame: int) -> Path:
        """Return the path of the small copy of a frame that has a body."""
        return self.folder / _image(frame)


@dataclass(frozen=True, slots=True)
class PoseCache:
    """Cache of the poses that one model finds, with a folder for each file."""

    folder: Path

    def get(
        self, path: Path, estimate: Callable[[], Iterable[tuple[BgrImage, KeypointArray | None]]]
    ) -> CachedPoses:
        """Return the poses of a file; ``estimate`` yields image and body of each frame if needed.

        Raises:
            SourceError: the file cannot be read.
            OutputError: the cache cannot be written.
        """
        folder = self.folder / _digest(path)[:32]
        bodies = _read(folder)
        if bodies is None:
            bodies = _write(folder, estimate())
        return CachedPoses(bodies, folder)


def pose_cache(model: Path, chosen: Normalization | None = None) -> PoseCache:
    """Return the cache for the file of a model, and for the normalization chosen for it.

    Raises:
        OutputError: there is no cache.
    """
    name = f"{_FORMAT}-{_digest(model)[:16]}"
    if chosen is not None:
        name += f"-{zlib.crc32(repr((chosen.mean, chosen.std)).encode()):08x}"
    return PoseCache(cache_folder() / "mirror" / name)


def _digest(path: Path) -> str:
    try:
        return sha256(path)
    except OSError as error:
        raise SourceError(
            f"a readable file {path}",
            (error.strerror or str(error)).lower(),
            "check the path and its permissions",
            code="file-unreadable",
        ) from None


def _read(folder: Path) -> NDArray[np.float32] | None:
    """Return the cached bodies; None if there are none, or a part is damaged or missing."""
    try:
        bodies: NDArray[np.float32] = np.load(folder / _BODIES, allow_pickle=False)
        images = {path.name for path in folder.iterdir()}
    except (OSError, ValueError, EOFError):
        return None
    if bodies.shape[1:] != (len(COCO), 3):
        return None
    needed = (_image(number) for number in np.flatnonzero(bodies.any(axis=(1, 2))))
    return bodies if images.issuperset(needed) else None


def _write(
    folder: Path, frames: Iterable[tuple[BgrImage, KeypointArray | None]]
) -> NDArray[np.float32]:
    """Write bodies and their images into a new folder, atomically."""
    nobody = np.zeros((len(COCO), 3), np.float32)
    bodies = []
    with atomic_directory(folder) as staging:  # replaces a damaged folder
        for number, (image, body) in enumerate(frames):
            bodies.append(nobody if body is None else body)
            if body is not None:
                content = encode_jpeg(downscale(image, _MAX_SIDE), _QUALITY)
                (staging / _image(number)).write_bytes(content)
        array = np.array(bodies, np.float32).reshape(-1, *nobody.shape)
        np.save(staging / _BODIES, array)
    return array


def _image(frame: int) -> str:
    return f"{frame:06}.jpg"
