"""The region that MoveNet gets next, and the smoothing of keypoints."""

import numpy as np
import pytest

from edge.preprocessing import crop_square
from edge.tasks.pose import movenet
from edge.tasks.pose.keypoints import COCO
from edge.tasks.pose.movenet import OneEuro

WIDTH, HEIGHT = 640, 480
SURE = np.full(len(COCO), 0.9)


def person(x: float, y: float, size: float) -> np.ndarray:
    """17 keypoints of somebody so tall whose hips are there."""
    part = {"nose": -0.45, "eye": -0.47, "ear": -0.46, "shoulder": -0.3, "elbow": -0.15,
            "wrist": 0.0, "hip": 0.0, "knee": 0.25, "ankle": 0.5}  # fmt: skip
    sides = {"left": 0.06, "right": -0.06}
    rows = [(sides.get(name.split("_")[0], 0.0), part[name.rpartition("_")[2]]) for name in COCO]
    return np.array(rows) * size + (x, y)


def test_the_region_holds_the_whole_body() -> None:
    places = person(400, 250, 150)
    region = movenet.person_region(places, SURE, WIDTH, HEIGHT)
    inside = (places > (region.left, region.top)) & (
        places < (region.left + region.side, region.top + region.side)
    )
    assert inside.all()
    assert region.side < 250  # closer than the frame
    assert (region.left + region.side / 2, region.top + region.side / 2) == pytest.approx(
        (400, 250)
    )


@pytest.mark.parametrize("unseen", [("left_hip", "right_hip"), ("left_shoulder", "right_shoulder")])
def test_without_hips_or_shoulders_it_looks_everywhere(unseen: tuple[str, ...]) -> None:
    scores = SURE.copy()
    scores[[COCO.index(name) for name in unseen]] = 0.1
    assert movenet.person_region(
        person(400, 250, 150), scores, WIDTH, HEIGHT
    ) == movenet.full_frame(WIDTH, HEIGHT)


def test_somebody_as_large_as_the_frame_is_looked_at_whole() -> None:
    assert movenet.person_region(person(320, 240, 700), SURE, WIDTH, HEIGHT) == movenet.full_frame(
        WIDTH, HEIGHT
    )
    assert movenet.full_frame(WIDTH, HEIGHT) == movenet.Region(0, -80, 640)


def test_a_keypoint_that_is_not_seen_does_not_widen_it() -> None:
    places, scores = person(400, 250, 150), SURE.copy()
    region = movenet.person_region(places, scores, WIDTH, HEIGHT)
    places[COCO.index("left_wrist")], scores[COCO.index("left_wrist")] = (0, 0), 0.05
    assert movenet.person_region(places, scores, WIDTH, HEIGHT) == region


def test_a_square_is_cut_where_it_is_and_black_beyond() -> None:
    image = np.zeros((40, 60, 3), np.uint8)
    image[10:30, 20:40] = (10, 20, 30)
    same = crop_square(image, 20, 10, 20, 20)
    assert np.array_equal(same, image[10:30, 20:40])
    larger = crop_square(image, 20, 10, 20, 40)
    assert larger.shape == (40, 40, 3)
    assert np.array_equal(larger[5:35, 5:35], np.full((30, 30, 3), (10, 20, 30)))
    assert not crop_square(image, 60, 40, 20, 10).any()
    half = crop_square(np.full((40, 60, 3), 200, np.uint8), -30, 0, 60, 60)
    assert not half[:, :29].any()
    assert (half[:39, 31:] == 200).all()


def test_at_rest_keypoints_tremble_less() -> None:
    random, smooth = np.random.default_rng(0), OneEuro()
    noisy = 100 + random.normal(0, 1, (200, 17, 2))
    calm = np.array([smooth(places, i / 30, 200.0) for i, places in enumerate(noisy)])
    assert np.diff(calm, axis=0).std() < 0.4 * np.diff(noisy, axis=0).std()
    assert abs(calm[20:].mean() - 100) < 0.1


def test_in_motion_they_lag_less_than_a_frame() -> None:
    smooth, speed = OneEuro(), 400.0  # two body lengths a second
    for i in range(60):
        places = np.full((17, 2), speed * i / 30)
        actual = smooth(places, i / 30, 200.0)
    assert 0 <= (places - actual).max() < speed / 30


def test_after_a_cut_nothing_is_left_of_before() -> None:
    smooth = OneEuro()
    smooth(np.zeros((17, 2)), 0.0, 200.0)
    smooth.reset()
    assert (smooth(np.full((17, 2), 9.0), 0.1, 200.0) == 9).all()
    assert (smooth(np.full((17, 2), 5.0), 0.0, 200.0) == 5).all()  # time went back, as in a loop
