"""The camera's motion: seen in the frames, or from the tracks, and taken out."""

import time
from collections import Counter

import cv2
import numpy as np
import pytest
from errors import raises_code
from sequences import Scene, generate

from edge.tracking import camera
from edge.tracking.state import centered, iou
from edge.tracking.tracker import MultiObjectTracker


@pytest.fixture(scope="module")
def scenery() -> np.ndarray:
    """A large image with texture, for cameras to look at parts of it."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 255, (90, 120, 3), dtype=np.uint8)
    return cv2.resize(coarse, (1200, 900), interpolation=cv2.INTER_CUBIC)


def view(scenery: np.ndarray, x: float, y: float, zoom: float = 1.0) -> np.ndarray:
    """A frame of 640 × 480 whose middle shows the scenery at x, y."""
    matrix = np.array([[zoom, 0, 320 - zoom * x], [0, zoom, 240 - zoom * y]])
    return cv2.warpAffine(scenery, matrix, (640, 480))


def test_flow_shows_how_the_background_moves(scenery: np.ndarray) -> None:
    flow = camera.OpticalFlow()
    none = np.empty((0, 4))
    assert flow.estimate(view(scenery, 500, 400), none) is None  # there is nothing before
    shifted = flow.estimate(view(scenery, 513, 394), none)
    assert shifted == pytest.approx(np.array([[1, 0, -13], [0, 1, 6]]), abs=0.5)
    closer = flow.estimate(view(scenery, 513, 394, 1.05), none)
    assert closer[:, :2] == pytest.approx(1.05 * np.eye(2), abs=0.005)
    assert closer @ [320, 240, 1] == pytest.approx([320, 240], abs=0.7)


def test_objects_are_no_background(scenery: np.ndarray) -> None:
    """Something large goes to the right before a camera at rest."""
    flow = camera.OpticalFlow()
    for x in (100, 112, 124):
        image = view(scenery, 600, 450)
        image[40:440, x : x + 330] = scenery[40:440, 40:370]
        result = flow.estimate(image, np.array([[x, 40.0, x + 330, 440]]))
    assert result == pytest.approx(camera.STATIC, abs=0.4)


@pytest.mark.parametrize("shape", [(480, 640, 3), (2, 3, 3), (1080, 1920, 3)])
def test_without_texture_nothing_is_known(shape: tuple[int, ...]) -> None:
    flow = camera.OpticalFlow()
    for _ in range(2):
        assert flow.estimate(np.full(shape, 90, np.uint8), np.array([[0.0, 0, 2, 2]])) is None


def test_another_size_of_image_is_a_new_beginning(scenery: np.ndarray) -> None:
    flow, none = camera.OpticalFlow(), np.empty((0, 4))
    flow.estimate(view(scenery, 500, 400), none)
    assert flow.estimate(view(scenery, 500, 400)[:, :400], none) is None


def test_flow_takes_little_time(scenery: np.ndarray) -> None:
    flow = camera.OpticalFlow()
    views = [view(scenery, 500 + 3 * at, 400) for at in range(20)]
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # so that no other load counts
    times = []
    for image in views:
        start = time.thread_time()
        flow.estimate(image, np.array([[100.0, 100, 200, 300]]))
        times.append(time.thread_time() - start)
    cv2.setNumThreads(threads)
    assert min(times[1:]) < 3e-3


def test_modes(scenery: np.ndarray) -> None:
    none = np.empty((0, 4))
    static, moving = camera.FrameMotion("static"), camera.FrameMotion("moving")
    for x in (500, 505, 510):
        image = view(scenery, x, 400)
        at_rest, moved = static.update(image, none, 0.04), moving.update(image, none, 0.04)
    assert at_rest is camera.STATIC
    assert moved[:, 2] == pytest.approx([-5, 0], abs=0.4)
    with raises_code("invalid-option-value", expected="auto, moving, static"):
        camera.FrameMotion("shaky")  # type: ignore[arg-type]


def test_auto_looks_closely_once_the_camera_moves(
    scenery: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    estimate = camera.OpticalFlow.estimate
    monkeypatch.setattr(
        camera.OpticalFlow, "estimate", lambda *args: looks.append(1) or estimate(*args)
    )
    motion, none = camera.FrameMotion("auto"), np.empty((0, 4))
    still = [motion.update(view(scenery, 500, 400), none, 0.05) for _ in range(40)]
    assert still[-1] is None or still[-1] == pytest.approx(camera.STATIC, abs=0.1)
    assert 20 <= len(looks) <= 30
    panning = [motion.update(view(scenery, 500 + 4 * at, 400), none, 0.05) for at in range(20)]
    seen = [motion for motion in panning if motion is not None]
    assert len(seen) >= 14
    assert seen[-1][:, 2] == pytest.approx([-4, 0], abs=0.4)


def followed(sway: float, use_truth: bool, solver: None) -> int:
    """How many ids a walk gets whose camera jumps by ``sway`` pixels, back and forth."""
    tracker = MultiObjectTracker()
    ids: set[int] = set()
    for frame in range(40):
        jump = sway * (frame % 2)
        before = sway * ((frame - 1) % 2)
        people = [[x + 3 * frame + jump, 200, x + 3 * frame + jump + 40, 300] for x in (0, 300)]
        motion = np.array([[1, 0, jump - before], [0, 1, 0]], float) if use_truth else camera.STATIC
        tracks = tracker.update(np.array(people), np.array([0.9, 0.9]), camera=motion)
        ids |= set(tracks.ids.tolist())
    return len(ids)


def test_tracks_move_with_the_camera(solver) -> None:
    assert followed(90, True, solver) == 2
    assert followed(90, False, solver) != 2


def test_a_camera_that_comes_closer_makes_tracks_larger(solver) -> None:
    tracker = MultiObjectTracker()
    box = np.array([300.0, 220, 340, 320])
    for _ in range(10):
        tracker.update(box[None], np.array([0.9]))
    zoom = np.array([[1.2, 0, -0.2 * 320], [0, 1.2, -0.2 * 240]])
    tracks = tracker.update(np.empty((0, 4)), np.empty(0), camera=zoom)
    assert tracks.boxes[0] == pytest.approx([296, 216, 344, 336], abs=3)


def test_a_shaking_camera_shows_in_the_tracks_alone(solver) -> None:
    """Without frames more people are followed than if the camera were taken to be at rest."""
    scene = Scene(12, fps=14.0, moving=True, sway=5.0, depth=(4.0, 20.0), frames=80)
    sequence = generate(scene)

    def followed_by_one_id(motion: np.ndarray | None) -> int:
        """Count the frames in which people have the id that they have most often."""
        tracker = MultiObjectTracker(size=scene.size)
        counts: Counter[tuple[int, int]] = Counter()
        for frame in range(1, scene.frames + 1):
            true, seen = (
                rows[rows[:, 0] == frame] for rows in (sequence.truth, sequence.detections)
            )
            tracks = tracker.update(edges(seen), seen[:, 6], seconds=1 / scene.fps, camera=motion)
            overlap = iou(centered(edges(true).T), centered(tracks.boxes.T))
            for row, column in zip(*np.nonzero(overlap >= 0.5), strict=True):
                counts[true[row, 1], tracks.ids[column]] += 1
        people = {person for person, _ in counts}
        return sum(
            max(count for key, count in counts.items() if key[0] == person) for person in people
        )

    assert followed_by_one_id(None) > 1.2 * followed_by_one_id(camera.STATIC)


def edges(rows: np.ndarray) -> np.ndarray:
    return np.concatenate([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]], axis=1)


def test_people_who_walk_together_are_no_camera(solver) -> None:
    """All turn around at once: the camera is believed to be at rest, and ids stay."""
    tracker = MultiObjectTracker()
    for frame in range(60):
        x = 3 * min(frame, 60 - frame)
        people = np.array([[x + at, 200.0, x + at + 40, 300] for at in (0, 90, 180, 300)])
        tracks = tracker.update(people, np.full(4, 0.9))
    assert tracks.ids.tolist() == [1, 2, 3, 4]
