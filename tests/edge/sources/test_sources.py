"""Sources: every frame of a file, the newest of a camera, a clear word where there is none."""

import struct
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from errors import raises_code
from image_files import encode, exif, with_exif

from edge.errors import CorruptFrameError, EdgeError, SourceError, UsageError
from edge.frame import Frame
from edge.sources import open_source, resolve
from edge.sources.source import Source, SourceOptions


def read_all(source: Source) -> list[Frame]:
    frames = list(iter(source.read, None))
    source.close()
    return [frame for frame in frames if frame is not None]


def read_some(source: Source, number: int) -> list[Frame]:
    frames = [source.read() for _ in range(number)]
    source.close()
    return [frame for frame in frames if frame is not None]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 frames at 10 a second; frame n is of gray value 20 n, its left half darker."""
    path = tmp_path_factory.mktemp("clip") / "clip.mkv"
    writer = cv2.VideoWriter(
        str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48)
    )
    for number in range(12):
        image = np.full((48, 64, 3), 20 * number, np.uint8)
        image[:, :32] //= 2
        writer.write(image)
    writer.release()
    return path


def test_every_frame_of_a_video_with_its_time(clip: Path) -> None:
    source = open_source(str(clip))
    assert (source.live, source.fps) == (False, 10)
    frames = read_all(source)
    assert [frame.index for frame in frames] == list(range(12))
    assert [frame.time_s for frame in frames] == pytest.approx(np.arange(12) / 10, abs=1e-3)
    assert [int(f.image[24, 60].mean()) for f in frames] == pytest.approx(
        [20 * number for number in range(12)], abs=3
    )


def test_loop_goes_on_with_numbers_and_times(clip: Path) -> None:
    frames = read_some(open_source(str(clip), SourceOptions(loop=True)), 30)
    assert [frame.index for frame in frames] == list(range(30))
    assert np.diff([frame.time_s for frame in frames]) == pytest.approx(0.1, abs=2e-3)
    assert frames[24].image[24, 60].mean() == pytest.approx(0, abs=3)


def test_size_rotation_and_mirror(clip: Path) -> None:
    options = SourceOptions(size=(32, 24), rotate=90, hflip=True)
    frame = read_all(open_source(str(clip), options))[10]
    assert frame.image.shape == (32, 24, 3)
    # Turned clockwise the dark left half is on top, and mirroring leaves it there.
    assert frame.image[4].mean() < 120 < frame.image[28].mean()
    flipped = read_all(open_source(str(clip), SourceOptions(hflip=True)))[10]
    assert flipped.image[:, 8].mean() > 180 > flipped.image[:, 56].mean()


def test_a_small_image_is_enlarged_smoothly(tmp_path: Path) -> None:
    path = tmp_path / "edge.png"
    cv2.imwrite(str(path), np.array([[0, 0, 240, 240]] * 4, np.uint8))
    (frame,) = read_all(open_source(str(path), SourceOptions(size=(64, 64))))
    steps = np.diff(frame.image[32, :, 0].astype(int))
    assert 0 < steps.max() < 30, "blocks"


def test_realtime_plays_a_file_at_its_own_speed(clip: Path) -> None:
    source = open_source(str(clip), SourceOptions(realtime=True))
    start = time.perf_counter()
    read_all(source)
    assert time.perf_counter() - start > 1.0


@pytest.fixture(scope="module")
def phone_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video whose upper left quarter is white and whose other ones are black."""
    path = tmp_path_factory.mktemp("phone") / "upright.mp4"
    codec = cv2.VideoWriter.fourcc(*"mp4v")
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, codec, 10, (64, 48))
    image = np.zeros((48, 64, 3), np.uint8)
    image[:24, :32] = 255
    writer.write(image)
    writer.write(image)
    writer.release()
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
@pytest.mark.parametrize(
    ("matrix", "options", "white"),
    [
        ((1, 0, 0, 1), SourceOptions(), (0, 0)),
        ((0, 1, -1, 0), SourceOptions(), (0, 1)),  # to be turned clockwise by 90 degrees
        ((-1, 0, 0, -1), SourceOptions(), (1, 1)),
        ((0, -1, 1, 0), SourceOptions(), (1, 0)),
        ((-1, 0, 0, 1), SourceOptions(), (0, 1)),  # to be mirrored, as selfie videos of some apps
        ((1, 0, 0, -1), SourceOptions(), (1, 0)),
        ((0, 1, 1, 0), SourceOptions(), (0, 0)),
        ((0, -1, -1, 0), SourceOptions(), (1, 1)),
        ((0, 1, -1, 0), SourceOptions(rotate=90), (1, 1)),
        ((0, 1, -1, 0), SourceOptions(hflip=True, loop=True), (0, 0)),
    ],
)
def test_a_phones_video_comes_upright(
    phone_video: Path,
    tmp_path: Path,
    suffix: str,
    matrix: tuple[int, ...],
    options: SourceOptions,
    white: tuple[int, int],
) -> None:
    data = bytearray(phone_video.read_bytes())
    a, b, c, d = (value << 16 for value in matrix)
    start = data.index(b"tkhd") + 4 + 40  # version 0: the display matrix
    struct.pack_into(">9i", data, start, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path = tmp_path / f"phone{suffix}"
    path.write_bytes(data)
    for frame in read_some(open_source(str(path), options), 3 if options.loop else 2):
        is_wide = bool(matrix[0]) or options.rotate == 90
        assert frame.image.shape[:2] == ((48, 64) if is_wide else (64, 48))
        quarters = cv2.resize(frame.image[..., 0], (2, 2), interpolation=cv2.INTER_AREA)
        assert np.argwhere(quarters > 128).tolist() == [list(white)]


def test_a_video_cut_short_is_read_to_the_cut_and_then_an_error(clip: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    source = open_source(str(cut))
    read = 0
    with raises_code("video-truncated"):
        while source.read() is not None:
            read += 1
    assert 3 <= read <= 8


def test_a_video_broken_in_the_middle_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    codec = cv2.VideoWriter.fourcc(*"mp4v")
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, codec, 10, (160, 120))
    random = np.random.default_rng(0)
    for _ in range(30):
        writer.write(random.integers(0, 255, (120, 160, 3)).astype(np.uint8))
    writer.release()
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + len(content) // 10] = random.bytes(len(content) // 10)
    path.write_bytes(content)

    source, frames, corrupt = open_source(str(path)), [], 0
    while True:
        try:
            frame = source.read()
        except CorruptFrameError:
            corrupt += 1
            continue
        if frame is None:
            break
        frames.append(frame)
    source.close()
    assert corrupt > 0
    assert len(frames) + corrupt == 30
    assert [frame.index for frame in frames][-1] == 29
    assert frames[-1].time_s == pytest.approx(2.9, abs=0.01)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in (1, 2, 10):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((8, 8, 3), number * 20, np.uint8))
    (folder / "notes.txt").write_text("no image")
    for name in (".hidden.png", "@eaDir/1.png", "$RECYCLE.BIN/1.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"")
    return folder


@pytest.mark.parametrize("pattern", ["", "/*.png", "/[0-9]*.png", "/**/*.png"])
def test_images_in_their_natural_order(photos: Path, pattern: str) -> None:
    frames = read_all(open_source(f"{photos}{pattern}", SourceOptions(fps=2)))
    assert [Path(frame.name).name for frame in frames] == ["1.png", "2.png", "10.png"]
    assert [frame.time_s for frame in frames] == [0, 0.5, 1]


def test_a_pattern_may_name_a_systems_folder(photos: Path) -> None:
    (photos / "1.png").rename(photos / "@eaDir" / "1.png")
    (frame,) = read_all(open_source(f"{photos}/@eaDir/*.png"))
    assert frame.name == str(photos / "@eaDir" / "1.png")


def test_colors_are_in_opencvs_order(tmp_path: Path) -> None:
    path = tmp_path / "blue.png"
    cv2.imwrite(str(path), np.array([[[255, 0, 0]]], np.uint8))
    (frame,) = read_all(open_source(str(path)))
    assert frame.image[0, 0].tolist() == [255, 0, 0]


def test_a_broken_image_among_others_is_one_corrupt_frame(photos: Path) -> None:
    (photos / "3.png").write_bytes(b"\x89PNG nothing more")
    source = open_source(str(photos))
    assert source.read() is not None
    assert source.read() is not None
    with raises_code("image-truncated", kind="CorruptFrameError", found="3.png"):
        source.read()
    after = source.read()
    assert after is not None
    assert after.name.endswith("10.png")


def test_a_rotation_is_on_top_of_the_one_in_the_file(tmp_path: Path) -> None:
    image = np.zeros((16, 32, 3), np.uint8)
    image[:, 16:] = 255
    path = tmp_path / "photo.jpg"
    path.write_bytes(with_exif(encode(image, ".jpg"), exif(6)))  # upright: white below
    (frame,) = read_all(open_source(str(path), SourceOptions(rotate=90)))
    assert frame.image.shape == (16, 32, 3)
    assert frame.image[:, :12].min() > 240
    assert frame.image[:, 20:].max() < 15


def test_an_image_without_a_suffix(photos: Path) -> None:
    (photos / "1.png").rename(photos / "IMG_0001")
    (frame,) = read_all(open_source(str(photos / "IMG_0001")))
    assert frame.image.shape == (8, 8, 3)


def test_a_photo_that_is_not_read_is_named(photos: Path) -> None:
    (photos / "3.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    source = open_source(f"{photos}/3*")
    with raises_code("image-format-unsupported", kind="SourceError", found="HEIC", fix="3.heic"):
        source.read()


def test_synthetic_frames_move_and_are_the_same_every_time() -> None:
    first, second, other = (
        read_all(open_source(f"synthetic:160x120@20?seed={seed}&frames=10")) for seed in (1, 1, 2)
    )
    assert first[0].image.shape == (120, 160, 3)
    assert [frame.time_s for frame in first] == pytest.approx(np.arange(10) / 20)
    assert all((a.image == b.image).all() for a, b in zip(first, second, strict=True))
    assert (first[0].image != first[9].image).any()
    assert (first[0].image != other[0].image).any()


@pytest.mark.parametrize(
    ("uri", "kind", "code", "fields"),
    [
        ("99", SourceError, "camera-not-found", {"expected": "/dev/video99"}),
        ("v4l2:99", SourceError, "camera-not-found", {"expected": "/dev/video99"}),
        ("v4l2:front", SourceError, "invalid-address", {"expected": "v4l2:0"}),
        ("/dev/v4l/by-id/usb-x", SourceError, "invalid-address", {"found": "by-id/usb-x"}),
        ("nowhere.mp4", SourceError, "source-not-found", {"found": "no such file"}),
        ("no/such/*.jpg", SourceError, "no-images", {"expected": "no/such/*.jpg"}),
        ("nothing.jpg", SourceError, "no-images", {"found": "no such file"}),
        ("rtps://host/x", UsageError, "unknown-source", {"fix": "'rtsps"}),
        ("gopher://host/x", UsageError, "unknown-source", {"found": "gopher://host/x"}),
        ("synthetic:?sed=1", UsageError, "invalid-address", {"fix": "'seed'"}),
        ("synthetic:huge", UsageError, "invalid-address", {"expected": "WIDTHxHEIGHT"}),
        ("synthetic:1x1", UsageError, "invalid-option-value", {"expected": "16 to 16384"}),
        ("synthetic:@1.2.3", UsageError, "invalid-address", {"expected": "WIDTHxHEIGHT"}),
        ("²", SourceError, "source-not-found", {"expected": "²"}),
        ("", UsageError, "unknown-source", {"fix": "--source"}),
        ("http:/host/x", UsageError, "invalid-address", {"fix": "http://HOST/PATH"}),
        ("rtsp://host/a b", UsageError, "invalid-address", {"fix": "%20"}),
        ("Admin:pw@host/x", UsageError, "unknown-source", {"fix": "rtsp://HOST/PATH"}),
        ("/dev/null", SourceError, "source-not-found", {"expected": "/dev/null"}),
    ],
)
def test_bad_addresses(uri: str, kind: type[EdgeError], code: str, fields: dict[str, str]) -> None:
    with raises_code(code, kind=kind.__name__, **fields):
        open_source(uri)


@pytest.mark.parametrize("content", [b"", b"not a video at all\n" * 50])
def test_files_that_are_no_videos(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with raises_code("video-unreadable"):
        open_source(str(path))


def test_a_folder_without_images(tmp_path: Path) -> None:
    with raises_code("no-images"):
        open_source(str(tmp_path))


def test_a_camera_that_may_not_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from edge.sources import opencv

    device = tmp_path / "video0"
    device.touch()
    monkeypatch.setattr(opencv.os, "access", lambda *_: False)
    with raises_code("camera-permission-denied", fix="usermod -aG video"):
        opencv._check_device(device)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [("0", ("v4l2", "0")), ("/dev/video3", ("v4l2", "/dev/video3")), ("picamera", ("picamera", "")),
     ("/dev/v4l/by-id/usb-x", ("v4l2", "/dev/v4l/by-id/usb-x")),
     ("picamera:1", ("picamera", "1")), ("https://h/x", ("https", "https://h/x")),
     ("RTSP://H/x", ("rtsp", "rtsp://H/x")), ("video:///a.mp4", ("video", "///a.mp4")),
     ("synthetic:", ("synthetic", "")), ("a.gif", ("video", "a.gif")),
     ("a.jpg", ("images", "a.jpg"))],
)  # fmt: skip
def test_resolves_addresses(uri: str, expected: tuple[str, str]) -> None:
    assert resolve(uri) == expected


ODD_NAMES = (
    *("12:30:00", "http:x", "rtsp_cam", "-x", "0", "a[1]", "50% off", "%03d", "a,b;c", "📷", " x "),
    *("file:x", "v4l2:0", "mqtt:x", "subfile,,start,0,end,9,,:x", "a:b@c", "a?b=c#d"),
    "no UTF-8 \udcff",
)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_files_of_any_name(
    name: str, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(f"{name}.mkv").write_bytes(clip.read_bytes())
    assert len(read_all(open_source(f"{name}.mkv"))) == 12
    Path(name).mkdir()
    image = cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes()
    for path in (f"{name}.png", f"{name}/1.png"):
        Path(path).write_bytes(image)
        (frame,) = read_all(open_source(path))
        assert frame.name == path
    folder = f"./{name}" if name.isdigit() else name
    assert len(read_all(open_source(folder))) == 1
    assert len(read_all(open_source(f"{name}/*.png"))) == 1
