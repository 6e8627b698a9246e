"""Masks are found beside their images, and their values become the classes that were meant."""

import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from errors import raises_code
from labeled_images import kinds, masks_in, splits, turned_jpeg, write_tree
from PIL import Image

from converters.dataset.annotations import VOID
from converters.dataset.mask_audit import audit_masks
from converters.progress import SilentProgress

SIZE = (8, 6)


def mask(*values: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Return a mask with these values in columns from the left; the rest is 0."""
    pixels = np.zeros(size[::-1], np.uint8)
    for column, value in enumerate(values):
        pixels[:, column] = value
    return pixels


def indexed(path: Path, pixels: np.ndarray, bits: int) -> None:
    """Write a PNG with a palette of colors that have nothing to do with the values."""
    image = Image.fromarray(pixels, "P")
    image.putpalette([(7 * at + 90) % 256 for at in range(768)])
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, bits=bits)


def first_row(root: Path) -> list[int]:
    (image,) = masks_in(root).images
    return image.read_mask()[0].tolist()


@pytest.mark.parametrize(
    ("image", "labels"),
    [("images/a.jpg", "masks/a.png"), ("JPEGImages/a.jpg", "SegmentationClass/a.png"),
     ("train/images/a.jpg", "train/masks/a.png"), ("images/train/a.jpg", "masks/train/a.png"),
     ("a.jpg", "a_mask.png"), ("images/a.jpg", "masks/a_mask.png"), ("a.jpg", "masks/a.png"),
     ("train_images/a.jpg", "train_masks/a.png"), ("images/a.jpg", "annotations/a.png"),
     ("images/image_7.jpg", "masks/mask_7.png"), ("images/a.jpg", "labels/a_L.png")],
)  # fmt: skip
def test_places_of_masks(tmp_path: Path, image: str, labels: str) -> None:
    listing = masks_in(write_tree(tmp_path / "set", {image: SIZE, labels: mask(1)}))
    assert [each.name for each in listing.images] == [image]
    assert listing.classes == ("background", "foreground")
    assert listing.images[0].read_mask()[0].tolist() == [1, 0, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_numbers_of_a_palette_are_the_classes(tmp_path: Path, bits: int) -> None:
    write_tree(tmp_path / "set", {"images/a.jpg": SIZE})
    pixels = mask(*range(min(8, 2**bits)))
    indexed(tmp_path / "set/masks/a.png", pixels, bits)
    assert first_row(tmp_path / "set") == pixels[0].tolist()


@pytest.mark.parametrize(
    ("values", "classes", "expected"),
    [((0, 255), ("background", "foreground"), [0, 1]),
     ((0, 1, 255), ("background", "foreground"), [0, 1, VOID]),
     ((0, 1, 2), ("background", "class 1", "class 2"), [0, 1, 2]),
     ((0, 3, 20, 255), ("background", "class 3", "class 20"), [0, 1, 2, VOID]),
     ((0, 128, 255), ("background", "class 128", "class 255"), [0, 1, 2]),
     ((1, 2), ("background", "class 1", "class 2"), [1, 2])],
)  # fmt: skip
def test_values_without_names(
    tmp_path: Path, values: tuple[int, ...], classes: tuple[str, ...], expected: list[int]
) -> None:
    root = write_tree(tmp_path / "set", {"images/a.jpg": SIZE, "masks/a.png": mask(*values)})
    assert masks_in(root).classes == classes
    assert first_row(root)[: len(values)] == expected


@pytest.mark.parametrize(
    ("files", "values", "classes", "expected"),
    [({"classes.txt": "background\ncat\n"}, (0, 1), ("background", "cat"), [0, 1]),
     ({"classes.txt": "background\ncat\n"}, (0, 255), ("background", "cat"), [0, 1]),
     ({"classes.txt": "background\ncat\n"}, (0, 1, 255), ("background", "cat"), [0, 1, VOID]),
     ({"classes.txt": "cat\n"}, (0, 1), ("background", "cat"), [0, 1]),
     ({"classes.txt": "cat\n"}, (0, 255), ("background", "cat"), [0, 1]),
     ({"classes.txt": "cat\ndog\n"}, (0, 1, 2), ("background", "cat", "dog"), [0, 1, 2]),
     ({"classes.txt": "road\nsky\n"}, (1, 0), ("road", "sky"), [1, 0]),
     ({"labels.txt": "0: background\n7: cat\n"}, (0, 7), ("background", "cat"), [0, 1]),
     ({"classes.txt": "background\nvoid\ncat\n"}, (1, 2), ("background", "cat"), [VOID, 1]),
     ({"_classes.csv": "Pixel Value, Class\n0, background\n1, cat\n"}, (0, 1),
      ("background", "cat"), [0, 1])],
)  # fmt: skip
def test_names_of_values(
    tmp_path: Path, files: dict[str, str], values: tuple[int, ...], classes: tuple[str, ...],
    expected: list[int],
) -> None:  # fmt: skip
    root = write_tree(
        tmp_path / "set", {"images/a.jpg": SIZE, "masks/a.png": mask(*values), **files}
    )
    assert masks_in(root).classes == classes
    assert first_row(root)[: len(values)] == expected


@pytest.mark.parametrize(
    "files",
    [{"labelmap.txt": "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncat:128,0,0::\n"},
     {"class_dict.csv": "name,r,g,b\nbackground,0,0,0\ncat,128,0,0\n"}],
)  # fmt: skip
def test_colors_have_names(tmp_path: Path, files: dict[str, str]) -> None:
    colors = np.zeros((6, 8, 3), np.uint8)
    colors[:, 2] = (0, 0, 128)  # blue, green, red
    files = {"JPEGImages/a.jpg": SIZE, "SegmentationClass/a.png": colors, **files}
    root = write_tree(tmp_path / "set", files)
    assert masks_in(root).classes == ("background", "cat")
    assert first_row(root) == [0, 0, 1, 0, 0, 0, 0, 0]
    (root / next(iter(set(files) - {"JPEGImages/a.jpg", "SegmentationClass/a.png"}))).unlink()
    with raises_code("mask-colors-unnamed", found="128, 0, 0"):
        masks_in(root)


def test_gray_masks_saved_in_color(tmp_path: Path) -> None:
    pixels = cv2.cvtColor(mask(1, 2), cv2.COLOR_GRAY2BGR)
    root = write_tree(tmp_path / "set", {"images/a.jpg": SIZE, "masks/a.png": pixels})
    assert first_row(root)[:3] == [1, 2, 0]


def test_masks_as_jpeg_are_black_or_white(tmp_path: Path) -> None:
    pixels = np.zeros((30, 40), np.uint8)
    pixels[5:20, 11:30] = 255
    root = write_tree(tmp_path / "set", {"images/a.jpg": (40, 30), "masks/a.jpg": pixels})
    listing = masks_in(root)
    assert np.array_equal(listing.images[0].read_mask() > 0, pixels > 128)
    assert kinds(listing) == {"masks-lossy": ("masks/a.jpg",)}


def test_masks_of_another_size_are_left_out_or_scaled(tmp_path: Path) -> None:
    files = {f"images/{name}.jpg": SIZE for name in "abc"}
    masks = {"masks/a.png": mask(1), "masks/b.png": mask(1, size=(6, 6)),
             "masks/c.png": mask(1, size=(16, 12))}  # fmt: skip
    result = audit_masks(
        masks_in(write_tree(tmp_path / "set", {**files, **masks})), SilentProgress()
    )
    assert [each.name for each in result.listing.images] == ["images/a.jpg", "images/c.jpg"]
    assert {each.kind: each.names for each in result.findings} == {"mask-size": ("images/b.jpg",)}
    assert result.listing.images[1].read_mask().shape == SIZE[::-1]


def test_masks_with_unknown_values_are_left_out(tmp_path: Path) -> None:
    files = {f"images/{name}.jpg": SIZE for name in "ab"}
    masks = {"masks/a.png": mask(1), "masks/b.png": mask(1, 77), "classes.txt": "background\ncat"}
    listing = masks_in(write_tree(tmp_path / "set", {**files, **masks}))
    result = audit_masks(listing, SilentProgress())
    assert result.shares == {"background": 0.875, "cat": 0.125}
    assert result.images == {"background": 1, "cat": 1}
    assert {each.kind: each.names for each in result.findings} == {"mask-values": ("images/b.jpg",)}
    assert "cat 12 % (in 1)" in result.sentences()[0]
    with raises_code("mask-values", found="77 in masks/b.png"):
        listing.images[1].read_mask()


def test_a_value_of_few_masks_is_no_class(tmp_path: Path) -> None:
    files = {f"images/{at}.jpg": SIZE for at in range(30)}
    masks = {f"masks/{at}.png": mask(1) if at else mask(1, 44) for at in range(30)}
    listing = masks_in(write_tree(tmp_path / "set", {**files, **masks}))
    assert listing.classes == ("background", "foreground")
    result = audit_masks(listing, SilentProgress())
    assert [each.names for each in result.findings] == [("images/0.jpg",)]


def test_masks_of_the_stored_image_are_turned_with_it(tmp_path: Path) -> None:
    files = {"images/a.jpg": turned_jpeg((8, 6), 6), "masks/a.png": mask(1)}
    (image,) = masks_in(write_tree(tmp_path / "set", files)).images
    turned = image.read_mask()
    assert turned.shape == (8, 6)
    assert turned[0].tolist() == [1] * 6
    assert turned[1:].max() == 0


def test_splits_and_lists_of_pascal_voc(tmp_path: Path) -> None:
    files = {f"JPEGImages/{name}.jpg": SIZE for name in "abc"}
    masks = {f"SegmentationClass/{name}.png": mask(1) for name in "ab"}
    more = {"SegmentationObject/a.png": mask(9), "ImageSets/Segmentation/train.txt": "a\n",
            "ImageSets/Segmentation/val.txt": "b\n", "ImageSets/Main/train.txt": "b\n"}  # fmt: skip
    listing = masks_in(write_tree(tmp_path / "set", {**files, **masks, **more}))
    assert splits(listing) == {"JPEGImages/a.jpg": "train", "JPEGImages/b.jpg": "validation"}
    assert kinds(listing) == {"images-unlabeled": ("JPEGImages/c.jpg",)}


def claiming(width: int, height: int) -> bytes:
    """Return a PNG of a few bytes that claims to have this size."""
    data = cv2.imencode(".png", mask(1))[1].tobytes()
    header = b"IHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + data[24:29]
    return data[:12] + header + zlib.crc32(header).to_bytes(4, "big") + data[33:]


@pytest.mark.parametrize(("width", "height"), [(2**31 - 1, 2**31 - 1), (20_000, 20_000), (0, 6)])
def test_files_that_claim_a_size_that_they_cannot_have(
    tmp_path: Path, width: int, height: int
) -> None:
    files = {"images/a.png": SIZE, "masks/a.png": mask(1), "images/b.png": SIZE,
             "masks/b.png": claiming(width, height), "images/c.png": claiming(width, height),
             "masks/c.png": mask(1)}  # fmt: skip
    listing = masks_in(write_tree(tmp_path / "set", files))
    assert [image.name for image in listing.images] == ["images/a.png"]
    assert kinds(listing) == {
        "images-unreadable": ("images/c.png",), "masks-unreadable": ("masks/b.png",),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"no image", "masks-missing"), (np.zeros((6, 8), np.uint8), "mask-classes-count"),
     (np.arange(48, dtype=np.uint8).reshape(6, 8) * 5, None)],
)  # fmt: skip
def test_what_is_no_mask(tmp_path: Path, content: object, code: str | None) -> None:
    files = {"images/a.jpg": SIZE, "masks/a.png": content}
    root = write_tree(tmp_path / "set", files)  # type: ignore[arg-type]
    if code is None:  # 48 gray levels may be 48 classes
        assert len(masks_in(root).classes) == 48
    else:
        with raises_code(code):
            masks_in(root)


def test_a_photograph_is_no_mask(tmp_path: Path) -> None:
    levels = np.arange(200, dtype=np.uint8).reshape(10, 20)
    with raises_code("mask-values"):
        masks_in(write_tree(tmp_path / "set", {"images/a.jpg": (20, 10), "masks/a.png": levels}))


def test_pixels_of_one_class_train_nothing(tmp_path: Path) -> None:
    files = {"images/a.jpg": SIZE, "masks/a.png": mask(), "classes.txt": "background\ncat\n"}
    with raises_code("masks-of-one-class", found="background"):
        audit_masks(masks_in(write_tree(tmp_path / "set", files)), SilentProgress())
