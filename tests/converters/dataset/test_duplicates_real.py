"""Duplicates among real images: copies are found, similar images are not."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from converters.dataset import duplicates
from converters.dataset.class_audit import audit_classes
from converters.dataset.intake import list_images
from converters.dataset.split import split
from converters.progress import SilentProgress
from edge.image import decode_image
from edge.preprocessing import Preprocessing


def groups_of(images: list[np.ndarray]) -> np.ndarray:
    thumbnails = np.array([duplicates.thumbnail(image) for image in images])
    digests = [f"{index:08d}" for index in range(len(images))]
    equals = duplicates.first_of_equals([image.tobytes() for image in images], digests)
    pairs = duplicates.confirmed_pairs(thumbnails, equals)
    return duplicates.star_groups(pairs, equals, digests)


def share_grouped(groups: np.ndarray) -> float:
    return float((np.bincount(groups)[groups] > 1).mean())


def copies(image: np.ndarray, rng: np.random.Generator, coarsest: float) -> Iterator[np.ndarray]:
    """Yield copies of an image: re-encoded, resized by ``coarsest`` to 2, cropped."""
    height, width = image.shape[:2]
    yield encoded(image, ".jpg", cv2.IMWRITE_JPEG_QUALITY, 30)
    yield encoded(image, ".jpg", cv2.IMWRITE_JPEG_QUALITY, 90)
    yield encoded(image, ".webp", cv2.IMWRITE_WEBP_QUALITY, 60)
    yield cv2.resize(image, None, fx=coarsest, fy=coarsest, interpolation=cv2.INTER_AREA)
    yield cv2.resize(image, None, fx=2, fy=2)
    top, bottom = (round(v * height) for v in rng.uniform(0, 0.05, 2))
    left, right = (round(v * width) for v in rng.uniform(0, 0.05, 2))
    yield image[top : height - bottom, left : width - right]


def encoded(image: np.ndarray, suffix: str, *options: int) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(suffix, image, list(options))[1], cv2.IMREAD_COLOR)


def share_found(images: list[np.ndarray], count: int, coarsest: float) -> float:
    """Return the share of copies of ``count`` images in the group of their original."""
    rng = np.random.default_rng(0)
    chosen = rng.choice(len(images), count, replace=False)
    copied = [(i, copy) for i in chosen for copy in copies(images[i], rng, coarsest)]
    groups = groups_of([*images, *(copy for _, copy in copied)])
    originals = np.array([index for index, _ in copied])
    return float((groups[len(images) :] == groups[originals]).mean())


def fashion(folder: Path, subset: str) -> list[np.ndarray]:
    parts = [np.load(folder / f"{subset}_10000_part{part}.npz")["x"] for part in (0, 1)]
    return [cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) for image in np.concatenate(parts)]


def digits() -> list[np.ndarray]:
    sklearn = pytest.importorskip("sklearn.datasets")
    images = (sklearn.load_digits().images * (255 / 16)).astype(np.uint8)
    large = [cv2.resize(image, (64, 64), interpolation=cv2.INTER_CUBIC) for image in images]
    return [cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) for image in large]


@pytest.mark.realdata
def test_digits_are_distinct() -> None:
    assert share_grouped(groups_of(digits())) <= 0.02


@pytest.mark.realdata
def test_copies_of_digits_are_found() -> None:
    assert share_found(digits(), 100, coarsest=0.3) >= 0.95


@pytest.mark.realdata
@pytest.mark.parametrize("subset", ["test", "train"])
def test_fashion_images_are_distinct(test_data: Path, subset: str) -> None:
    images = fashion(test_data / "datasets/fashion_mnist", subset)
    assert share_grouped(groups_of(images)) <= 0.02


@pytest.mark.realdata
def test_copies_of_fashion_images_are_found(test_data: Path) -> None:
    images = fashion(test_data / "datasets/fashion_mnist", "test")[:4000]
    # 28 pixels are not downsized: too little detail would remain to compare
    assert share_found(images, 100, coarsest=1.5) >= 0.95


@pytest.mark.realdata
def test_copies_of_photos_are_found(test_data: Path) -> None:
    paths = sorted((test_data / "datasets/grocery6").glob("*/*.jpg"))
    assert (
        share_found([decode_image(path.read_bytes()) for path in paths], 100, coarsest=0.3) >= 0.95
    )


@pytest.mark.realdata
def test_two_photos_of_a_crate_stay_in_one_subset(test_data: Path, tmp_path: Path) -> None:
    listing = list_images(test_data / "datasets/grocery6", tmp_path)
    data = audit_classes(listing, Preprocessing(96, 96), tmp_path, SilentProgress())
    assert data.audit.duplicates
    assert not data.audit.conflicts
    for seed in range(5):
        subsets = split(data, seed)
        groups = [set(data.groups[indices].tolist()) for indices in (subsets.train, subsets.test)]
        groups.append(set(data.groups[subsets.validation].tolist()))
        assert sum(map(len, groups)) == len(set.union(*groups))
        assert (len(subsets.train), len(subsets.validation), len(subsets.test)) == (336, 72, 72)
