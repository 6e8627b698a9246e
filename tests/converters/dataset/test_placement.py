"""Labels lie where people drew them, in images that carry an EXIF orientation, too."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from labeled_images import boxes_in, by_name, coco, kinds, masks_in, turned_jpeg, write_tree

from edge.image import read_image

STORED = (80, 40)
UPRIGHT = (40, 80)
BOX = (8, 16, 24, 24)
"""In the image as it is stored: left, top, right, bottom."""


def marked(orientation: int) -> bytes:
    """Return a JPEG whose stored pixels are white inside the box."""
    pixels = np.zeros((STORED[1], STORED[0], 3), np.uint8)
    left, top, right, bottom = BOX
    pixels[top:bottom, left:right] = 255
    header = turned_jpeg(STORED, orientation)
    plain = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes()
    exif_length = int.from_bytes(header[4:6], "big") + 2
    return header[: 2 + exif_length] + plain[2:]


def labels(size: tuple[int, int], box: tuple[int, ...]) -> dict[str, object]:
    left, top, right, bottom = box
    image = {"id": 1, "file_name": "a.jpg", "width": size[0], "height": size[1]}
    corners = [left, top, right, top, right, bottom, left, bottom]
    annotation = {"image_id": 1, "category_id": 1, "segmentation": [corners],
                  "bbox": [left, top, right - left, bottom - top]}  # fmt: skip
    return coco([image], [annotation])


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_labels_of_the_stored_image_are_turned_with_it(tmp_path: Path, orientation: int) -> None:
    files = {"a.jpg": marked(orientation), "labels.json": labels(STORED, BOX)}
    root = write_tree(tmp_path / "set", files)
    white = read_image(root / "a.jpg")[..., 0] > 128
    (boxed,) = boxes_in(root).images
    assert boxed.size == white.shape[::-1] == UPRIGHT
    left, top, right, bottom = boxed.boxes[0].astype(int).tolist()
    inside = np.zeros_like(white)
    inside[top:bottom, left:right] = True
    assert np.array_equal(inside, white)
    (masked,) = masks_in(root).images
    mask = masked.read_mask()
    assert mask.shape == white.shape
    assert np.count_nonzero((mask > 0) != white) <= 24  # half a pixel around 48


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_labels_of_the_upright_image_stay(tmp_path: Path, orientation: int) -> None:
    size = UPRIGHT if orientation >= 5 else STORED
    files = {"a.jpg": turned_jpeg(STORED, orientation), "labels.json": labels(size, BOX)}
    listing = boxes_in(write_tree(tmp_path / "set", files))
    assert by_name(listing) == {"a.jpg": [("cat", list(BOX))]}
    assert not listing.findings


def test_labels_of_a_smaller_copy_are_scaled_and_turned(tmp_path: Path) -> None:
    files = {"a.jpg": turned_jpeg(STORED, 6), "labels.json": labels((40, 20), (4, 8, 12, 12))}
    listing = boxes_in(write_tree(tmp_path / "set", files))
    assert by_name(listing) == {"a.jpg": [("cat", [16, 8, 24, 24])]}
    assert list(kinds(listing)) == ["labels-scaled"]


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.webp", "a.tif"])
def test_sizes_of_other_formats(tmp_path: Path, name: str) -> None:
    content = labels(STORED, BOX)
    content["images"][0]["file_name"] = name  # type: ignore[index]
    root = write_tree(tmp_path / "set", {name: STORED, "labels.json": content})  # type: ignore[dict-item]
    assert boxes_in(root).images[0].size == STORED


def test_images_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    content = labels(STORED, BOX)
    content["images"].append({"id": 2, "file_name": "b.jpg"})  # type: ignore[attr-defined]
    files = {"a.jpg": STORED, "b.jpg": b"no image", "labels.json": content}
    listing = boxes_in(write_tree(tmp_path / "set", files))  # type: ignore[arg-type]
    assert kinds(listing) == {"images-unreadable": ("b.jpg",)}
