"""Real videos and images as sources."""

from pathlib import Path

import pytest
from errors import raises_code

from edge.sources import open_source

pytestmark = pytest.mark.realdata


@pytest.mark.parametrize(
    ("name", "frames", "fps", "size"),
    [
        ("video/pose_squats.mp4", 65, 5, (1280, 720)),
        ("video/pose_1.mp4", 120, 30, (576, 576)),
        ("video/asl_walk.mkv", 89, 30, None),
        ("video/store-aisle.gif", 67, 15, (270, 480)),
        ("images/*.jpg", 8, 30, None),
    ],
)
def test_every_frame_is_read(
    test_data: Path, name: str, frames: int, fps: float, size: tuple[int, int] | None
) -> None:
    source = open_source(str(test_data / name))
    times = []
    while (frame := source.read()) is not None:
        times.append(frame.time_s)
        shape = frame.image.shape
        assert size is None or shape == (*size, 3)
    source.close()
    assert source.fps == pytest.approx(fps)
    assert len(times) == frames
    assert times == sorted(times)
    assert times[-1] == pytest.approx((frames - 1) / fps, abs=0.05)


def test_a_real_video_cut_short_is_refused(test_data: Path, tmp_path: Path) -> None:
    whole = (test_data / "video/pose_1.mp4").read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) // 2])
    with raises_code("video-unreadable"):
        source = open_source(str(cut))
        while source.read() is not None:
            pass
