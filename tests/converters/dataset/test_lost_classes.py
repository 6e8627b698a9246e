"""A class folder without a usable image stops the run."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from errors import raises_code

from converters.dataset.intake import list_images

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(50)
AVIF = b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + bytes(50)
JPEG = cv2.imencode(".jpg", np.full((4, 4, 3), 9, np.uint8))[1].tobytes()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name in ("cat/1.jpg", "dog/1.jpg"):
        add(tmp_path / "photos", name, JPEG)
    return tmp_path / "photos"


def add(folder: Path, name: str, content: bytes) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("lemon/1.HEIC", HEIC, "HEIC"),
        ("lemon/1.heic", b"something", "HEIC"),
        ("lemon/1.avif", AVIF, "AVIF"),
        ("lemon/deep/1.jxl", b"\xff\x0a" + bytes(50), "JPEG XL"),
        ("lemon/1", HEIC, "HEIC"),
        ("lemon/1.NEF", b"MM\0*" + bytes(50), "camera raw"),
    ],
)
def test_a_class_of_another_format(photos: Path, name: str, content: bytes, kind: str) -> None:
    if kind == "camera raw":
        content = b"something"
    add(photos, name, content)
    with raises_code("class-format-unsupported", found=kind, fix="mogrify -format jpg") as error:
        list_images(photos, photos.parent)
    assert "'lemon'" in error.value.found
    assert name in error.value.found
    assert str((photos / name).parent) in error.value.fix


def test_the_content_decides(photos: Path) -> None:
    for name in ("lemon/1.HEIC", "lemon/2", "lemon/3.jpg_large", "lemon/4.txt"):
        add(photos, name, JPEG)
    listing = list_images(photos, photos.parent)
    assert [source.name for source in listing.images if source.label == "lemon"] == [
        "lemon/1.HEIC", "lemon/2", "lemon/3.jpg_large", "lemon/4.txt",
    ]  # fmt: skip


def test_single_photos_of_another_format_are_left_to_the_audit(photos: Path) -> None:
    add(photos, "cat/2.heic", HEIC)
    add(photos, "cat/1.NEF", b"the same photo as the camera saw it")
    add(photos, "cat/drawing.svg", b"<svg>")
    listing = list_images(photos, photos.parent)
    assert [source.name for source in listing.images] == ["cat/1.jpg", "cat/2.heic", "dog/1.jpg"]
    assert listing.ignored == ("cat/1.NEF", "cat/drawing.svg")


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("bird", None, "empty"),
        ("bird/deep/deeper", None, "empty"),
        ("bird/1.mp4", b"\0\0\0\x18ftypisom", ".mp4"),
        ("bird/1.npy", b"\x93NUMPY", ".npy"),
        ("bird/images.zip", b"PK", ".zip"),
        ("bird/1", b"something", "other files"),
    ],
)
def test_a_class_folder_without_images(
    photos: Path, name: str, content: bytes | None, word: str
) -> None:
    if content is None:
        (photos / name).mkdir(parents=True)
    else:
        add(photos, name, content)
    with raises_code("class-without-images", found=word, fix="'bird'"):
        list_images(photos, photos.parent)


def test_a_class_folder_that_is_a_link_to_nothing(photos: Path) -> None:
    (photos / "bird").symlink_to(photos.parent / "unmounted")
    with raises_code("class-without-images", found="bird/"):
        list_images(photos, photos.parent)


def test_an_empty_class_in_a_split(tmp_path: Path) -> None:
    for name in ("train/cat/1.jpg", "train/dog/1.jpg", "test/cat/2.jpg"):
        add(tmp_path / "set", name, JPEG)
    (tmp_path / "set/train/bird").mkdir()
    with raises_code("class-without-images", found="train/bird/"):
        list_images(tmp_path / "set", tmp_path)


def test_an_only_class_does_not_hide_an_empty_one(tmp_path: Path) -> None:
    add(tmp_path / "set", "cat/1.jpg", JPEG)
    (tmp_path / "set/dog").mkdir()
    with raises_code("class-without-images", found="dog/"):
        list_images(tmp_path / "set", tmp_path)


def test_folders_that_were_not_meant_as_classes(photos: Path) -> None:
    for name in ("docs/readme.md", "annotations/1.xml", "MISC/AUTPRINT.MRK", "@eaDir/x/1.jpg",
                 "cat/@eaDir/1.jpg/SYNOPHOTO_THUMB_M.jpg", "#recycle/1.jpg", "lost+found/1.jpg",
                 "cat/Thumbs.db", "$RECYCLE.BIN/1.jpg", ".Trash-1000/files/1.jpg"):  # fmt: skip
        add(photos, name, JPEG if name.endswith("jpg") else b"x")
    (photos / "cat" / "empty").mkdir()
    (photos / "System Volume Information").mkdir()
    listing = list_images(photos, photos.parent)
    assert listing.classes == ("cat", "dog")
    assert len(listing.images) == 2
    assert listing.ignored == ("MISC/AUTPRINT.MRK", "annotations/1.xml", "cat/empty/",
                               "docs/readme.md")  # fmt: skip


def test_a_class_may_be_called_misc(photos: Path) -> None:
    add(photos, "MISC/1.jpg", JPEG)
    assert list_images(photos, photos.parent).classes == ("MISC", "cat", "dog")
