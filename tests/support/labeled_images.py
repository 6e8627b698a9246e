"""Small data sets of boxes and masks, written as tools for labels write them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from converters.dataset import intake
from converters.dataset.annotations import BoxedFile, BoxListing, MaskListing

Content = str | bytes | dict[str, Any] | list[Any] | tuple[int, int] | np.ndarray


def write_tree(root: Path, files: Mapping[str, Content]) -> Path:
    """Write files: text, bytes, JSON of lists and dictionaries, images of a size or of an array."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, tuple):
            assert cv2.imwrite(str(path), np.full((content[1], content[0], 3), 99, np.uint8))
        elif isinstance(content, np.ndarray):
            assert cv2.imwrite(str(path), content)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content))
    return root


def turned_jpeg(size: tuple[int, int], orientation: int) -> bytes:
    """Return a JPEG that is stored with this width and height, and an EXIF orientation."""
    pixels = np.full((size[1], size[0], 3), 99, np.uint8)
    data = cv2.imencode(".jpg", pixels)[1].tobytes()
    tags = (
        b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0" + bytes([orientation]) + b"\0\0\0\0\0\0\0"
    )
    segment = b"Exif\0\0" + tags
    return data[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + data[2:]


def boxes_in(dataset: Path) -> BoxListing:
    """List the boxes of a data set."""
    return intake.list_boxes(intake.open_dataset(dataset, dataset.parent))


def masks_in(dataset: Path) -> MaskListing:
    """List the masks of a data set."""
    return intake.list_masks(intake.open_dataset(dataset, dataset.parent))


def by_name(listing: BoxListing) -> dict[str, list[tuple[str, list[float]]]]:
    """Return the boxes of each image with the names of their classes, rounded to a hundredth."""
    return {image.name: _named(image, listing.classes) for image in listing.images}


def _named(image: BoxedFile, classes: tuple[str, ...]) -> list[tuple[str, list[float]]]:
    boxes = np.round(image.boxes.astype(np.float64), 2).tolist()
    return [(classes[label], box) for label, box in zip(image.labels.tolist(), boxes, strict=True)]


def kinds(listing: BoxListing | MaskListing) -> dict[str, tuple[str, ...]]:
    """Return the names of each kind of finding."""
    return {each.kind: each.names for each in listing.findings}


def splits(listing: BoxListing | MaskListing) -> dict[str, str | None]:
    return {image.name: image.split for image in listing.images}


def coco(
    images: list[dict[str, Any]],
    annotations: list[dict[str, Any]],
    names: tuple[str, ...] = ("cat", "dog"),
) -> dict[str, Any]:
    """Return COCO annotations with classes from 1 on."""
    categories = [{"id": at, "name": name} for at, name in enumerate(names, 1)]
    return {"images": images, "annotations": annotations, "categories": categories}
