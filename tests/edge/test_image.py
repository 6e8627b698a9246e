"""Images are read upright, scaled down and encoded as JPEG."""

import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from errors import raises_code
from image_files import encode, exif, png_chunk, turned, with_exif, with_tag

from edge.image import decode_image, downscale, encode_jpeg, read_image

NOISE = np.random.default_rng(0).integers(0, 256, (90, 160, 3), np.uint8)


def test_downscaling_keeps_the_aspect_ratio_and_never_enlarges() -> None:
    assert downscale(NOISE, 80).shape == (45, 80, 3)
    assert downscale(NOISE.transpose(1, 0, 2), 80).shape == (80, 45, 3)
    assert downscale(NOISE[:1], 16).shape == (1, 16, 3)
    assert downscale(NOISE, 160) is downscale(NOISE, 500) is NOISE


def test_a_jpeg_resembles_the_image_more_at_higher_quality() -> None:
    soft = downscale(NOISE, 8).repeat(8, 0).repeat(8, 1)
    read = decode_image(encode_jpeg(soft, 95))[..., ::-1]
    assert np.abs(read.astype(int) - soft).mean() < 5
    assert len(encode_jpeg(NOISE, 30)) < len(encode_jpeg(NOISE, 90))


def test_an_image_too_large_for_jpeg_is_reported() -> None:
    with raises_code("image-too-large", found="65536x1", kind="OutputError"):
        encode_jpeg(np.zeros((1, 65_536, 3), np.uint8), 90)


def test_content_decides_not_the_suffix(tmp_path: Path) -> None:
    path = tmp_path / "IMG_1.HEIC"
    path.write_bytes(encode_jpeg(NOISE, 95))
    assert read_image(path).shape == NOISE.shape
    fake = tmp_path / "photo.jpg"
    fake.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(50))
    with raises_code("image-format-unsupported", found="HEIC", fix="mogrify"):
        read_image(fake)


@pytest.mark.parametrize("suffix", [".jfif", ".jpe", ".tif", ".tiff", ".jp2", ".ppm", ".pgm"])
def test_rarer_formats_are_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"photo{suffix}"
    soft = downscale(NOISE, 8).repeat(8, 0).repeat(8, 1)
    kind = {".jfif": ".jpg", ".jpe": ".jpg"}.get(suffix, suffix)
    stored = cv2.cvtColor(soft, cv2.COLOR_BGR2GRAY) if suffix == ".pgm" else soft
    path.write_bytes(cv2.imencode(kind, stored)[1].tobytes())
    expected = np.atleast_3d(stored).astype(int)
    assert np.abs(read_image(path) - expected).mean() < 3


COLORS = np.array([[[0, 0, 255], [0, 255, 0], [255, 0, 0]],
                   [[255, 255, 255], [0, 255, 255], [0, 0, 0]]],
                  np.uint8).repeat(16, 0).repeat(16, 1)  # fmt: skip
GRAY = COLORS[..., :1] // 2 + COLORS[..., 1:2] // 4
LAYOUTS = {
    "gray": GRAY[..., 0],
    "color": COLORS,
    "alpha": np.dstack([COLORS, np.full_like(GRAY, 255)]),
    "16-bit gray": GRAY[..., 0].astype(np.uint16) * 257,
    "16-bit color": COLORS.astype(np.uint16) * 257,
    "16-bit alpha": np.dstack([COLORS, np.full_like(GRAY, 255)]).astype(np.uint16) * 257,
}


@pytest.mark.parametrize(
    ("suffix", "layout"),
    [*((".jpg", layout) for layout in ("gray", "color")), *((".png", layout) for layout in LAYOUTS),
     *((".webp", layout) for layout in ("color", "alpha")),
     *((".tif", layout) for layout in LAYOUTS)],
)  # fmt: skip
def test_images_come_upright(suffix: str, layout: str) -> None:
    image = LAYOUTS[layout]
    expected = GRAY if image.ndim == 2 else COLORS
    for orientation in range(1, 9):
        data = encode(np.ascontiguousarray(turned(image, orientation)), suffix)
        upright = decode_image(with_exif(data, exif(orientation)))[..., ::-1]
        assert upright.shape == COLORS.shape
        assert np.abs(upright.astype(int) - expected).mean() < 6, orientation


@pytest.mark.parametrize(
    ("size", "shape"),
    [((80, 60), (120, 160, 3)), ((81, 60), (240, 320, 3)), ((80, 61), (240, 320, 3)),
     ((40, 30), (60, 80, 3)), ((20, 4), (30, 40, 3)), ((2, 2), (30, 40, 3)),
     ((160, 120), (240, 320, 3))],
)  # fmt: skip
def test_a_large_jpeg_is_reduced_to_no_less_than_twice_the_size(
    size: tuple[int, int], shape: tuple[int, ...]
) -> None:
    image = cv2.resize(COLORS, (320, 240))
    data = encode(image, ".jpg")
    reduced = decode_image(data, size=size)
    assert reduced.shape == shape
    whole = cv2.resize(decode_image(data), shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(reduced.astype(int) - whole).mean() < 3
    assert decode_image(encode(image, ".png"), size=size).shape == image.shape


def test_a_reduced_jpeg_comes_upright() -> None:
    image = cv2.resize(COLORS, (480, 320))
    for orientation in range(1, 9):
        data = with_exif(encode(turned(image, orientation), ".jpg"), exif(orientation))
        upright = decode_image(data, size=(120, 80))[..., ::-1]
        assert upright.shape == (160, 240, 3)
        assert np.abs(upright.astype(int) - cv2.resize(image, (240, 160))).mean() < 6, orientation


def test_transparent_pixels_are_white_in_every_format() -> None:
    image = LAYOUTS["alpha"].copy()
    image[16:, :, 3] = 0
    for suffix in (".png", ".webp", ".tif", ".jp2"):
        decoded = decode_image(encode(image, suffix))
        assert (decoded[16:] == 255).all(), suffix
        assert (decoded[:16, :16] == (255, 0, 0)).all(), suffix


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("extra", [None, 2])  # undeclared, and "unassociated" alpha
def test_half_transparent_pixels_of_a_tiff_are_blended_once(depth: int, extra: int | None) -> None:
    full = 2**depth - 1
    image = np.full((16, 16, 4), (0, 0, full, full // 2), f"uint{depth}")
    data = encode(image, ".tif")
    decoded = decode_image(data if extra is None else with_tag(data, 338, extra))
    assert np.abs(decoded.astype(int) - (255, 128, 128)).max() <= 1


def test_decoders_do_not_chatter(capfd: pytest.CaptureFixture[str]) -> None:
    png = encode(COLORS, ".png")
    profile = png_chunk(b"iCCP", b"x\0\0" + zlib.compress(b"abc"))
    jpeg = encode(COLORS, ".jpg")
    assert decode_image(png[:33] + profile + png[33:]).shape == COLORS.shape
    assert decode_image(jpeg[:-2] + bytes(9) + jpeg[-2:]).shape == COLORS.shape
    for suffix in (".tif", ".jp2"):
        data = encode(COLORS, suffix)
        with raises_code("image-undecodable"):
            decode_image(data[: len(data) // 2])
    assert capfd.readouterr().err == ""
