"""Unlabeled images, and random crops of them for teacher and student."""

import hashlib
import math
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.errors import DatasetError, ImageError
from edge.image import RgbImage, decode_image
from edge.image_format import SUFFIXES
from edge.system_files import is_system_path

MIN_CROP = 48
"""Shorter side of a crop in pixels; smaller crops show too little to learn from."""
MIN_AREA_SHARE = 0.1
"""Smallest share of an image's area that a crop covers."""
MAX_ASPECT_RATIO = 4 / 3
"""Largest aspect ratio of a crop, before it is stretched to a square."""


@dataclass(frozen=True, slots=True)
class ImageArchive:
    """One zip or folder: the encoded images, in the order of their names."""

    name: str
    files: tuple[bytes, ...]

    @property
    def digest(self) -> str:
        """The sha256 (hex) of the images' bytes: sources with the same digest are the same."""
        total = hashlib.sha256()
        for data in self.files:
            total.update(hashlib.sha256(data).digest())
        return total.hexdigest()


def open_source(path: Path) -> ImageArchive:
    """Read the encoded images of a zip or of a folder (any depth).

    Raises:
        DatasetError: the path is missing, neither a zip nor a folder, or holds no image.
    """
    fix = "pass a zip or a folder of JPEG or PNG images with --images"
    if path.is_dir():
        paths = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES)
        own = [p for p in paths if not is_system_path(p.relative_to(path).as_posix())]
        files = tuple(p.read_bytes() for p in own if p.is_file())
    elif not path.exists():
        raise DatasetError(
            "a zip or folder of images", f"no file or folder {path}", fix, code="dataset-not-found"
        )
    else:
        try:
            files = _read_zip(path)
        except (zipfile.BadZipFile, OSError) as error:
            raise DatasetError(
                "a valid zip file", f"{path} ({error})", fix, code="archive-unreadable"
            ) from None
    if not files:
        raise DatasetError("unlabeled images", f"none in {path}", fix, code="no-images")
    return ImageArchive(path.name, files)


def _read_zip(path: Path) -> tuple[bytes, ...]:
    with zipfile.ZipFile(path) as archive:
        names = sorted(n for n in archive.namelist() if Path(n).suffix.lower() in SUFFIXES)
        return tuple(archive.read(name) for name in names if not is_system_path(name))


def random_crop(sources: list[ImageArchive], index: int, seed: int) -> RgbImage:
    """Return crop ``index`` of an endless seeded series: uint8 RGB [h, w, 3], not yet resized.

    The sources take turns, so that each gives the same share of every prefix of the series,
    and so do the images of a source. Crop and aspect ratio are drawn as in Szegedy et al.
    2015 ("Going deeper with convolutions"), the series of many crops of few images follows
    Asano and Saeed 2021 ("Extrapolating from a single image to a thousand classes").

    Raises:
        DatasetError: the image cannot be decoded.
    """
    source = sources[index % len(sources)]
    number = (index // len(sources)) % len(source.files)
    try:
        image = decode_image(source.files[number], f"image {number} of {source.name}")
    except ImageError as error:
        raise DatasetError(error.expected, error.found, error.fix, code=error.code) from None
    rng = np.random.default_rng([seed, index])
    return _crop(image, rng)


def _crop(image: RgbImage, rng: np.random.Generator) -> RgbImage:
    height, width = image.shape[:2]
    min_share = min(1.0, max(MIN_AREA_SHARE, (MIN_CROP / min(height, width)) ** 2))
    area = rng.uniform(min_share, 1.0) * height * width
    ratio = math.exp(rng.uniform(-math.log(MAX_ASPECT_RATIO), math.log(MAX_ASPECT_RATIO)))
    h = min(height, max(1, round(math.sqrt(area / ratio))))
    w = min(width, max(1, round(math.sqrt(area * ratio))))
    top, left = rng.integers(0, height - h + 1), rng.integers(0, width - w + 1)
    return image[top : top + h, left : left + w]
