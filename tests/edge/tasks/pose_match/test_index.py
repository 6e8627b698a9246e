"""The poses of a folder or video: found once, kept by content."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from errors import raises_code
from people import Poser, flipped, person

from edge.draw.overlays import side_by_side
from edge.errors import ModelError, OutputError
from edge.frame import Frame
from edge.modelfile.normalization import Normalization
from edge.results import Poses
from edge.tasks.pose_match.cache import pose_cache
from edge.tasks.pose_match.index import PoseIndex, build_index
from edge.tasks.pose_match.task import PoseMatcher


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("EDGE_CACHE", str(folder))
    return folder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "pose.tflite"
    path.write_bytes(b"a model")
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in (0, 3, 7, 11):
        cv2.imwrite(str(folder / f"{number}.png"), gray(number))
    return folder


def gray(number: int) -> np.ndarray:
    return np.full((900, 700, 3), 10 * number, np.uint8)


def build(address: Any, model: Path, poser: Poser, **more: Any) -> PoseIndex:
    return build_index(str(address), model, lambda: poser, **more)  # type: ignore[arg-type, return-value]


def test_a_folder_gives_a_place_for_each_person_that_is_first(photos: Path, model: Path) -> None:
    poser, calls = Poser(), []
    known = build(photos, model, poser, progress=lambda done, total: calls.append((done, total)))
    assert [place.name for place in known.locations] == ["3.png", "7.png", "11.png"]
    assert {place.frame for place in known.locations} == {None}
    assert calls == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    for place in known.locations:
        kept = cv2.imread(str(place.image))
        assert kept.shape == (640, 498, 3)
        assert round(kept.mean() / 10) == int(place.name.removesuffix(".png"))


def test_what_is_known_is_not_looked_at_again(photos: Path, model: Path) -> None:
    build(photos, model, Poser())
    (photos / "3.png").rename(photos / "moved.png")
    cv2.imwrite(str(photos / "12.png"), gray(12))
    poser = Poser()
    known = build(photos, model, poser)
    assert poser.seen == 1
    assert sorted(place.name for place in known.locations) == ["11.png", "12.png", "7.png",
                                                            "moved.png"]  # fmt: skip
    model.write_bytes(b"another model")
    other = Poser()
    build(photos, model, other)
    assert other.seen == 5


def test_an_interrupted_folder_goes_on_where_it_was(photos: Path, model: Path, cache: Path) -> None:
    class Tired(Poser):
        def invoke(self, image: np.ndarray) -> tuple[np.ndarray, ...]:
            if self.seen == 2:
                raise KeyboardInterrupt
            return super().invoke(image)

    with pytest.raises(KeyboardInterrupt):
        build(photos, model, Tired())
    assert not list(cache.rglob("*.partial"))
    poser = Poser()
    assert len(build(photos, model, poser).locations) == 3
    assert poser.seen == 2


def test_a_damaged_cache_is_made_again(photos: Path, model: Path, cache: Path) -> None:
    build(photos, model, Poser())
    damaged = sorted(cache.rglob("bodies.npy"))
    damaged[0].write_bytes(b"")
    damaged[1].unlink()
    poser = Poser()
    assert len(build(photos, model, poser).locations) == 3
    assert poser.seen == 2


def test_an_image_that_is_gone_from_the_cache_is_made_again(
    photos: Path, model: Path, cache: Path
) -> None:
    gone = build(photos, model, Poser()).locations[1].image
    gone.unlink()
    poser = Poser()
    assert build(photos, model, poser).locations[1].image == gone
    assert gone.exists()
    assert poser.seen == 1


def test_a_video_gives_its_frames(tmp_path: Path, model: Path) -> None:
    video = tmp_path / "dance.avi"
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for number in (3, 0, 7, 11):
        writer.write(np.full((48, 64, 3), 10 * number, np.uint8))
    writer.release()
    poser = Poser()
    known = build(video, model, poser)
    assert [(place.name, place.frame) for place in known.locations] == [
        ("dance.avi", 0), ("dance.avi", 2), ("dance.avi", 3),
    ]  # fmt: skip
    assert [round(cv2.imread(str(place.image)).mean() / 10) for place in known.locations] == [
        3, 7, 11,
    ]  # fmt: skip
    build(video, model, poser)
    assert poser.seen == 4


def test_images_that_cannot_be_read_are_told(photos: Path, model: Path) -> None:
    (photos / "7.png").write_bytes(b"broken")
    known = build(photos, model, Poser())
    assert len(known.locations) == 2
    assert "1 of 4" in known.notes[0]


def test_nothing_to_compare_with(tmp_path: Path, photos: Path, model: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for address, kind, code in (
        (empty, "SourceError", "no-images"),
        (tmp_path / "no.mp4", "SourceError", "source-not-found"),
        (tmp_path / "nowhere", "SourceError", "source-not-found"),
        (photos / "0.png", "SourceError", "no-poses-found"),
        ("0", "UsageError", "index-not-a-file"),
        ("rtsp://camera/1", "UsageError", "index-not-a-file"),
    ):
        with raises_code(code, kind=kind):
            build(address, model, Poser())


def test_a_cache_that_cannot_be_written(
    photos: Path, model: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.write_text("no folder")
    with pytest.raises(OutputError):
        build(photos, model, Poser())


def test_a_model_that_fails_ends_it(photos: Path, model: Path) -> None:
    class Broken(Poser):
        def invoke(self, image: np.ndarray) -> tuple[np.ndarray, ...]:
            raise ModelError("a model", "a broken one", "repair it", code="model-failed")

    with raises_code("model-failed"):
        build(photos, model, Broken())


class _Pose(Poser):
    """Returns the poses that it was created with; a threshold above 1 draws none of them."""

    threshold = 2.0

    def __init__(self, poses: Poses) -> None:
        super().__init__()
        self.said = poses

    def postprocess(self, outputs: tuple[np.ndarray, ...], frame: Frame) -> Poses:
        return self.said


def mirrored(known: PoseIndex, poses: Poses) -> tuple[PoseMatcher, Any]:
    task = PoseMatcher(_Pose(poses), known)  # type: ignore[arg-type]
    frame = Frame(0, 0.0, np.full((120, 160, 3), 200, np.uint8))
    return task, task.postprocess(task.runtime.invoke(*task.preprocess(frame)), frame)


def test_the_match_is_named_and_shown_beside(photos: Path, model: Path) -> None:
    half = gray(7)
    half[:, :350] = 60  # 6 and 8, on average still 7
    half[:, 350:] = 80
    cv2.imwrite(str(photos / "7.png"), half)
    known = build(photos, model, Poser())
    for poses, turned in ((person(7), False), (flipped(person(7)), True)):
        task, result = mirrored(known, Poses((poses,)))
        assert (result.match.name, result.match.mirrored) == ("7.png", turned)
        assert result.to_dict()["match"] == {
            "name": "7.png", "similarity": pytest.approx(1.0, abs=1e-3), "mirrored": turned,
        }  # fmt: skip
        assert len(result.to_dict()["poses"]) == 1
        assert result.summary() == "7.png 100 %"
        drawn = task.draw(np.full((120, 160, 3), 200, np.uint8), result)
        assert drawn.shape == (120, 320, 3)
        assert (drawn[:, :160] == 200).all()
        left, right = drawn[100, 215].mean(), drawn[100, 265].mean()
        assert (left, right) == pytest.approx((80, 60) if turned else (60, 80), abs=4)


def test_without_anybody_the_size_stays(photos: Path, model: Path) -> None:
    known = build(photos, model, Poser())
    task, result = mirrored(known, Poses(()))
    assert result.to_dict() == {"poses": [], "match": None}
    assert result.summary() == ""
    assert task.draw(np.full((120, 160, 3), 200, np.uint8), result).shape == (120, 320, 3)


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (300, 7), (480, 640)])
def test_images_of_any_size_stand_beside_each_other(size: tuple[int, int]) -> None:
    item = np.full((*size, 3), 128, np.uint8)
    for other in (None, np.full((1, 900, 3), 9, np.uint8), np.full((800, 2, 3), 9, np.uint8)):
        assert side_by_side(item, other, "ein langer Name é").shape == (size[0], 2 * size[1], 3)


def test_poses_of_another_normalization_are_kept_apart(tmp_path: Path) -> None:
    model = tmp_path / "m.tflite"
    model.touch()
    chosen = Normalization((0.0,), (255.0,))
    own, other = pose_cache(model).folder, pose_cache(model, chosen).folder
    assert own != other == pose_cache(model, chosen).folder
