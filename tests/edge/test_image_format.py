"""The content of an image file decides what it is, whatever its suffix says."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.image_format import (
    AVIF,
    BMP,
    GIF,
    HEIC,
    JPEG,
    JPEG_2000,
    JPEG_XL,
    PNG,
    PNM,
    RAW,
    SUFFIXES,
    SVG,
    TIFF,
    UNREADABLE_SUFFIXES,
    WEBP,
    ImageFormat,
    format_of,
    is_listed,
    names_of,
)

_KINDS = {".jpg": JPEG, ".png": PNG, ".bmp": BMP, ".webp": WEBP, ".tif": TIFF, ".jp2": JPEG_2000,
          ".ppm": PNM, ".pgm": PNM}  # fmt: skip


def _ftyp(major: bytes, *compatible: bytes) -> bytes:
    brands = b"".join((major, bytes(4), *compatible))
    return (8 + len(brands)).to_bytes(4, "big") + b"ftyp" + brands + b"\0\0\1\0meta"


@pytest.mark.parametrize("suffix", _KINDS)
def test_formats_that_are_read(suffix: str) -> None:
    channels = () if suffix == ".pgm" else (3,)
    data = cv2.imencode(suffix, np.zeros((64, 64, *channels), np.uint8))[1].tobytes()
    assert format_of(data) is _KINDS[suffix]
    assert format_of(data[:32]) is _KINDS[suffix]
    assert suffix in SUFFIXES


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (_ftyp(b"heic", b"mif1", b"heic"), HEIC),
        (_ftyp(b"mif1", b"MiHE", b"heic"), HEIC),
        (_ftyp(b"mif1", b"avif", b"miaf"), AVIF),
        (_ftyp(b"avif", b"mif1"), AVIF),
        (_ftyp(b"crx ", b"isom"), RAW),
        (_ftyp(b"mp42", b"isom"), None),
        (b"GIF89a" + bytes(20), GIF),
        (b"II*\0\x10\0\0\0CR\2\0", RAW),
        (b"\xff\x0a\xfa\x1f", JPEG_XL),
        (b'<?xml version="1.0"?>\n<svg xmlns="x">', SVG),
        (b"BMW drives\nthrough the town", None),
        (b"P2P networks", None),
        (b"RIFF\0\0\0\0WAVEfmt ", None),
        (b"", None),
    ],
)
def test_formats_that_are_not_read(data: bytes, kind: ImageFormat | None) -> None:
    assert format_of(data) is kind


def test_suffixes_that_are_taken_and_those_that_are_named() -> None:
    assert {".jfif", ".jpe", ".tif", ".tiff", ".jp2", ".ppm"} <= SUFFIXES
    assert UNREADABLE_SUFFIXES[".heic"] is HEIC
    assert not SUFFIXES & set(UNREADABLE_SUFFIXES)


def test_names_in_a_message() -> None:
    assert names_of([JPEG]) == "JPEG"
    assert names_of([JPEG, PNG, WEBP]) == "JPEG, PNG or WebP"


def test_images_of_a_folder(tmp_path: Path) -> None:
    jpeg = b"\xff\xd8\xff\xe0"
    for name in ("a.JPG", "b.heic", "c", "d.cr2", "e.txt", "f.jpg_original"):
        (tmp_path / name).write_bytes(jpeg)
    (tmp_path / "notes").write_text("no image")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder.jpg").mkdir()
    listed = sorted(path.name for path in tmp_path.iterdir() if is_listed(path))
    assert listed == ["a.JPG", "b.heic", "c"]
