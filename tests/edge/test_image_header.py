"""Headers say where an image ends, its layout, and which way is up."""

import zlib

import cv2
import numpy as np
import pytest
from errors import raises_code
from image_files import encode, exif, jpeg_segment, png_chunk, with_exif

from edge.errors import ImageError
from edge.image import decode_image
from edge.image_header import ImageHeader, is_truncated, read_header

IMAGE = cv2.resize(np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8), (64, 48))
JPEG = encode(IMAGE, ".jpg")
TRAILERS = {
    "motion photo": b"MotionPhoto_Data\0\0\0\x18ftypmp42" + b"\xff\xda" * 4 + bytes(1000),
    "padding": bytes(5000),
    "second image": JPEG,
    "cut second image": JPEG[: len(JPEG) // 2],
    "text": b"\r\n",
    "noise": np.random.default_rng(1).bytes(9000),
}
FORMATS = [".jpg", ".png", ".webp", ".bmp", ".tif", ".jp2", ".ppm"]
PROGRESSIVE = encode(IMAGE, ".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
GRAY = encode(IMAGE[..., 0], ".jpg")
RESTARTS = encode(IMAGE, ".jpg", cv2.IMWRITE_JPEG_RST_INTERVAL, 1)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("trailer", TRAILERS)
def test_what_follows_a_whole_image_does_not_count(suffix: str, trailer: str) -> None:
    data = encode(IMAGE, suffix)
    assert (decode_image(data + TRAILERS[trailer]) == decode_image(data)).all()


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("suffix", FORMATS)
def test_a_cut_image_is_an_error(suffix: str, share: float) -> None:
    data = encode(IMAGE, suffix)
    cut = data[: int(share * len(data))]
    with pytest.raises(ImageError) as caught:
        decode_image(cut)
    assert caught.value.code in ("image-truncated", "image-undecodable")
    if suffix in (".jpg", ".png"):
        assert is_truncated(cut + bytes(len(data)))  # the space was reserved, and never filled


@pytest.mark.parametrize("data", [PROGRESSIVE, RESTARTS], ids=["progressive", "restarts"])
def test_scans_and_restart_markers_do_not_end_a_jpeg(data: bytes) -> None:
    assert data.count(b"\xff\xda") > 1 or b"\xff\xd0" in data
    assert not is_truncated(data + b"\xff\xda")
    assert is_truncated(data[:-2])
    assert is_truncated(data[: -len(data) // 3])


@pytest.mark.parametrize("start", [b"\0\0\x01\x0aImage_UTC_Data1527", b"\xff\x3bmarker"])
@pytest.mark.parametrize("data", [JPEG, RESTARTS, GRAY], ids=["color", "restarts", "gray"])
def test_a_panorama_of_samsung_has_no_end_marker(data: bytes, start: bytes) -> None:
    trailer = start + b"\0\0\0\x18ftypmp42\xff\x01\xff\xb2" + bytes(range(256)) + b"SEFT"
    assert (decode_image(data[:-2] + trailer) == decode_image(data)).all()
    assert (decode_image(data + trailer) == decode_image(data)).all()
    with raises_code("image-truncated"):
        decode_image(data[:-2] + trailer[:-1])


@pytest.mark.parametrize("data", [JPEG, PROGRESSIVE, RESTARTS])
def test_without_its_last_bytes_a_jpeg_is_truncated(data: bytes) -> None:
    for missing in (1, 2, 3, 10, 100):
        with raises_code("image-truncated"):
            decode_image(data[:-missing])


def test_the_end_of_a_thumbnail_is_not_that_of_its_image() -> None:
    data = JPEG[:2] + jpeg_segment(0xE1, b"Exif\0\0" + exif(1) + JPEG) + JPEG[2:]
    assert not is_truncated(data)
    assert is_truncated(data[: len(data) - len(JPEG) // 2])


def test_fill_bytes_and_stray_bytes_between_segments() -> None:
    data = (
        JPEG[:2] + b"\xff\xff" + jpeg_segment(0xFE, b"hi") + b"\0\0" + JPEG[2:-2] + b"\xff\xff\xd9"
    )
    assert not is_truncated(data)
    assert (decode_image(data) == decode_image(JPEG)).all()


def test_the_end_of_a_png_is_a_chunk_not_a_word() -> None:
    data = encode(IMAGE, ".png")
    text = data[:33] + png_chunk(b"tEXt", b"Comment\0IEND") + data[33:]
    assert not is_truncated(text)
    assert is_truncated(text[:100])


def test_a_tiff_without_its_pixels_is_truncated() -> None:
    data = encode(IMAGE[..., 0], ".tif")  # OpenCV writes the directory behind the pixels
    directory = data[int.from_bytes(data[4:8], "little") :]
    assert not is_truncated(data)
    assert is_truncated(data[:4] + (8).to_bytes(4, "little") + directory)


@pytest.mark.parametrize(
    ("suffix", "image", "expected"),
    [
        (".jpg", IMAGE, ImageHeader()),
        (".jpg", IMAGE[..., 0], ImageHeader(grayscale=True)),
        (".png", IMAGE.astype(np.uint16), ImageHeader(bits=16)),
        (".png", np.dstack([IMAGE, IMAGE[..., 0]]), ImageHeader(alpha=True)),
        (".png", IMAGE[..., 0], ImageHeader(grayscale=True)),
        (".webp", np.dstack([IMAGE, IMAGE[..., 0]]), ImageHeader(alpha=True)),
        (".tif", IMAGE[..., 0].astype(np.uint16), ImageHeader(grayscale=True, bits=16)),
        (".tif", IMAGE, ImageHeader()),
    ],
)
def test_layouts(suffix: str, image: np.ndarray, expected: ImageHeader) -> None:  # type: ignore[type-arg]
    assert read_header(encode(image, suffix)) == expected


@pytest.mark.parametrize("byte_order", "<>")
def test_orientation_in_either_byte_order(byte_order: str) -> None:
    for suffix in (".jpg", ".png", ".webp"):
        data = encode(IMAGE, suffix)
        assert read_header(with_exif(data, exif(6, byte_order))).orientation == 6


XMP_NAME = b"http://ns.adobe.com/xap/1.0/\0"


@pytest.mark.parametrize(
    "packet",
    [b'<rdf:Description tiff:Orientation="6" xmp:Rating="3"/>',
     b"<rdf:Description tiff:Orientation = '6'/>",
     b"<tiff:Make>x</tiff:Make><tiff:Orientation>\n 6 </tiff:Orientation>"],
)  # fmt: skip
def test_orientation_in_xmp_without_exif(packet: bytes) -> None:
    png, webp = encode(IMAGE, ".png"), encode(IMAGE, ".webp")
    text = png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet)
    chunk = b"XMP " + len(packet).to_bytes(4, "little") + packet + b"\0" * (len(packet) % 2)
    segment = jpeg_segment(0xE1, XMP_NAME + packet)
    for data in (
        JPEG[:2] + segment + JPEG[2:],
        png[:33] + text + png[33:],
        webp[:4] + (len(webp) + len(chunk) - 8).to_bytes(4, "little") + webp[8:] + chunk,
    ):
        assert read_header(data).orientation == 6
        assert decode_image(data).shape == (64, 48, 3)


@pytest.mark.parametrize("orientation", [1, 3])
def test_exif_comes_before_xmp(orientation: int) -> None:
    segment = jpeg_segment(0xE1, XMP_NAME + b'<x tiff:Orientation="6"/>')
    jpeg = with_exif(JPEG, exif(orientation))
    assert read_header(jpeg[:2] + segment + jpeg[2:]).orientation == orientation
    assert read_header(with_exif(JPEG[:2] + segment + JPEG[2:], b"MM")).orientation == 6


@pytest.mark.parametrize("value", [b'="9"', b'="66"', b'="0"', b"", b'="6', b">six<"])
def test_damaged_xmp_is_ignored(value: bytes) -> None:
    segment = jpeg_segment(0xE1, XMP_NAME + b"<x tiff:Orientation" + value)
    assert read_header(JPEG[:2] + segment + JPEG[2:]).orientation == 1


@pytest.mark.parametrize("name", [b"tEXt", b"zTXt"])
def test_orientation_in_a_png_of_imagemagick(name: bytes) -> None:
    block = b"Exif\0\0" + exif(8)
    text = f"\nexif\n{len(block):8}\n{block.hex()}\n".encode()
    content = text if name == b"tEXt" else b"\0" + zlib.compress(text)
    chunk = png_chunk(name, b"Raw profile type exif\0" + content)
    data = encode(IMAGE, ".png")
    assert read_header(data[:33] + chunk + data[33:]).orientation == 8


@pytest.mark.parametrize(
    "block", [b"", b"MM", exif(0), exif(9), exif(6)[:12], exif(6)[:20], b"II*\0" + b"\xff" * 60]
)
def test_damaged_exif_is_ignored(block: bytes) -> None:
    for suffix in (".jpg", ".png", ".webp"):
        data = with_exif(encode(IMAGE, suffix), block)
        assert read_header(data).orientation == 1
        assert decode_image(data).shape == (48, 64, 3)


def test_a_jpeg_2000_with_a_damaged_header_is_an_error() -> None:
    data = encode(IMAGE, ".jp2")  # OpenCV 4.11 ends the process on these
    start = data.index(b"\xff\x4f\xff\x51")
    for damaged in (
        data[: start + 20],
        data[:start],
        data[: start + 4] + bytes(60) + data[start + 64 :],
    ):
        with raises_code("image-undecodable"):
            decode_image(damaged)
