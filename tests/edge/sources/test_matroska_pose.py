"""Matroska and WebM videos come upright from the pose that FFmpeg writes for a phone's video."""

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.image import encode_jpeg
from edge.sinks.matroska import MatroskaWriter
from edge.sources import SourceOptions, open_source
from edge.sources.matroska_pose import pose_orientation

LACING = b"\x9c" + struct.pack(">QQ", 8 | 1 << 56, 0)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A recording whose upper left quarter is white and whose other ones are black."""
    path = tmp_path_factory.mktemp("recording") / "upright.mkv"
    image = np.zeros((48, 64, 3), np.uint8)
    image[:24, :32] = 255
    file = MatroskaWriter(path, (64, 48), 10)
    file.add(encode_jpeg(image, 95), 0.0)
    file.add(encode_jpeg(image, 95), 0.1)
    file.close()
    return path.read_bytes()


def with_pose(recording: bytes, yaw: float, roll: float) -> bytes:
    """Return the recording with a pose in its video, in the place of another element."""
    floats = b"".join(
        name + b"\x84" + struct.pack(">f", value)
        for name, value in ((b"\x76\x73", yaw), (b"\x76\x75", roll))
    )
    projection = b"\x76\x70" + bytes((0x80 | len(floats),)) + floats
    track = recording.index(LACING)
    video = recording.index(b"\xe0\x01\0\0", track)
    length = int.from_bytes(recording[video + 2 : video + 9], "big")
    end = video + 9 + length
    assert len(projection) == len(LACING)  # nothing behind moves
    return (
        recording[:track]
        + recording[track + len(LACING) : video]
        + b"\xe0"
        + struct.pack(">Q", (length + len(projection)) | 1 << 56)
        + recording[video + 9 : end]
        + projection
        + recording[end:]
    )


@pytest.mark.parametrize(
    ("yaw", "roll", "white"),
    [
        (0, 0, (0, 0)),
        (0, -90, (0, 1)),  # to be turned clockwise by 90 degrees
        (0, 270, (0, 1)),
        (0, 180, (1, 1)),
        (0, 90, (1, 0)),
        (180, 0, (0, 1)),  # to be mirrored
        (-180, 180, (1, 0)),
        (180, 90, (0, 0)),
        (180, -90, (1, 1)),
        (90, 0, (0, 0)),  # a panorama looked at from its side is left as it is
    ],
)
def test_a_video_comes_upright(
    recording: bytes, tmp_path: Path, yaw: float, roll: float, white: tuple[int, int]
) -> None:
    path = tmp_path / "turned.mkv"
    path.write_bytes(with_pose(recording, yaw, roll))
    source = open_source(str(path), SourceOptions())
    for _ in range(2):
        frame = source.read()
        assert frame is not None
        assert frame.image.shape[:2] == ((64, 48) if roll % 180 else (48, 64))
        quarters = cv2.resize(frame.image[..., 0], (2, 2), interpolation=cv2.INTER_AREA)
        assert np.argwhere(quarters > 128).tolist() == [list(white)]
    source.close()


@pytest.mark.parametrize("length", [0, 3, 4, 5, 40, 300, 400])
def test_a_damaged_start_says_nothing(recording: bytes, tmp_path: Path, length: int) -> None:
    path = tmp_path / "cut.mkv"
    path.write_bytes(with_pose(recording, 0, 90)[:length])
    assert pose_orientation(path) == 1
    path.write_bytes(b"\x1a\x45\xdf\xa3" + bytes(length) + b"\xff" * length)
    assert pose_orientation(path) == 1
