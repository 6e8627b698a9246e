"""Masks from outlines: the order of objects, the background, and what has no outline."""

from pathlib import Path
from typing import Any

import numpy as np
from labeled_images import coco, kinds, masks_in, write_tree

from converters.dataset.annotations import VOID
from converters.dataset.mask_audit import audit_masks
from converters.progress import SilentProgress

IMAGE = {"id": 1, "file_name": "a.jpg", "width": 40, "height": 30}


def square(left: int, top: int, side: int, label: int) -> dict[str, Any]:
    right, bottom = left + side, top + side
    corners = [left, top, right, top, right, bottom, left, bottom]
    return {"image_id": 1, "category_id": label, "segmentation": [corners]}


def write(
    root: Path, *annotations: dict[str, Any], names: tuple[str, ...] = ("cat", "dog")
) -> Path:
    labels = coco([IMAGE], list(annotations), names)
    return write_tree(root, {"a.jpg": (40, 30), "labels.json": labels})


def test_smaller_objects_cover_larger_ones(tmp_path: Path) -> None:
    small, large = square(5, 5, 4, 2), square(2, 2, 20, 1)
    masks = [
        masks_in(write(tmp_path / name, *order)).images[0].read_mask()
        for name, order in (("x", (small, large)), ("y", (large, small)))
    ]
    assert np.array_equal(*masks)
    assert np.bincount(masks[0].ravel()).tolist() == [1200 - 400, 400 - 16, 16]


def test_a_class_called_background_is_it(tmp_path: Path) -> None:
    root = write(tmp_path / "set", square(2, 2, 5, 2), names=("Background", "cat"))
    listing = masks_in(root)
    assert listing.classes == ("background", "cat")
    assert listing.images[0].read_mask().max() == 1


def test_the_box_of_an_object_without_an_outline_is_void(tmp_path: Path) -> None:
    box = {"image_id": 1, "category_id": 2, "bbox": [30, 20, 20, 20]}
    mask = masks_in(write(tmp_path / "set", square(2, 2, 5, 1), box)).images[0].read_mask()
    assert np.all(mask[20:, 30:] == VOID)
    assert np.count_nonzero(mask == VOID) == 100


def test_an_image_with_a_broken_outline_is_left_out(tmp_path: Path) -> None:
    files = {"a.jpg": (40, 30), "b.jpg": (40, 30)}
    other = {**IMAGE, "id": 2, "file_name": "b.jpg"}
    broken = {"image_id": 2, "category_id": 1, "segmentation": {"size": [30, 40], "counts": [3]}}
    labels = coco([IMAGE, other], [square(2, 2, 5, 1), broken])
    listing = masks_in(write_tree(tmp_path / "set", {**files, "labels.json": labels}))
    result = audit_masks(listing, SilentProgress())
    assert [image.name for image in result.listing.images] == ["a.jpg"]
    assert {each.kind: each.names for each in result.findings} == {
        "outline-invalid": ("b.jpg",), "classes-without-pixels": ("dog",),
    }  # fmt: skip
    assert kinds(listing) == {}
