"""The most similar pose, independent of position and size, and from either side."""

import numpy as np
import pytest
from people import changed, flipped, person

from edge.results import Keypoint, Pose
from edge.tasks.pose.keypoints import COCO, MEDIAPIPE
from edge.tasks.pose_match.similarity import (
    PoseDatabase,
    keypoint_array,
    normalize_pose,
    pose_database,
)


def filled(people: list[Pose]) -> PoseDatabase:
    vectors = [normalize_pose(keypoint_array(person_pose)) for person_pose in people]
    return pose_database([vector for vector in vectors if vector is not None])


PEOPLE = [person(seed) for seed in range(50)]
FIFTY = filled(PEOPLE)


@pytest.mark.parametrize("names", [COCO, MEDIAPIPE])
def test_everybody_finds_themselves(names: tuple[str, ...]) -> None:
    people = [person(seed, names) for seed in range(20)]
    known = filled(people)
    for number, person_pose in enumerate(people):
        actual = known.nearest(keypoint_array(person_pose))
        assert actual is not None
        assert (actual.number, actual.mirrored) == (number, False)
        assert actual.similarity == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(("scale", "dx", "dy"), [(0.2, 0, 0), (3.0, -50, 20), (1.0, 900, -70)])
def test_place_and_size_do_not_matter(scale: float, dx: float, dy: float) -> None:
    actual = FIFTY.nearest(keypoint_array(changed(PEOPLE[7], scale, dx, dy)))
    assert actual is not None
    assert actual.number == 7
    assert actual.similarity == pytest.approx(1.0, abs=1e-4)


def test_a_mirror_image_is_found_and_said_to_be_one() -> None:
    actual = FIFTY.nearest(keypoint_array(flipped(PEOPLE[31])))
    assert actual is not None
    assert (actual.number, actual.mirrored) == (31, True)
    assert actual.similarity == pytest.approx(1.0, abs=1e-4)


def test_what_is_unsure_counts_little() -> None:
    away = list(PEOPLE[3].keypoints)
    wrist = COCO.index("left_wrist")
    point = away[wrist]
    for score, least in ((0.9, 0.0), (0.31, 0.0), (0.0, 0.999)):
        away[wrist] = Keypoint(point.name, 210.0, 60.0, score)
        actual = FIFTY.nearest(keypoint_array(Pose(0.9, tuple(away))))
        assert actual is not None
        assert actual.number == 3
        assert actual.similarity >= least


def test_similar_is_more_alike_than_different() -> None:
    little = changed(PEOPLE[5])
    random = np.random.default_rng(9)
    near = Pose(0.9, tuple(Keypoint(k.name, k.x + random.normal(0, 8), k.y, 0.9)
                           for k in little.keypoints))  # fmt: skip
    close = FIFTY.nearest(keypoint_array(near))
    far = filled([PEOPLE[6]]).nearest(keypoint_array(near))
    assert close is not None
    assert far is not None
    assert close.number == 5
    assert far.similarity < close.similarity


def test_a_body_of_which_little_is_seen_is_not_compared() -> None:
    head = {"nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder"}
    points = (Keypoint(k.name, k.x, k.y, 0.9 if k.name in head else 0.2)
              for k in PEOPLE[0].keypoints)  # fmt: skip
    portrait = keypoint_array(Pose(0.4, tuple(points)))
    assert normalize_pose(portrait) is None
    assert FIFTY.nearest(portrait) is None
    point = keypoint_array(Pose(0.9, tuple(Keypoint(name, 5.0, 5.0, 0.9) for name in COCO)))
    assert normalize_pose(point) is None


def test_the_answer_is_that_of_the_formula() -> None:
    """Against cosines computed pose by pose, in float64."""
    requested = keypoint_array(person(77))
    requested[:, 2] = np.random.default_rng(1).uniform(0.3, 1, len(COCO))
    vector = normalize_pose(requested)
    assert vector is not None
    weights = requested[:, 2].astype(np.float64)
    best = (-1.0, -1)
    for number, person_pose in enumerate(PEOPLE):
        for candidate in (person_pose, flipped(person_pose)):
            other = normalize_pose(keypoint_array(candidate))
            assert other is not None
            dot = (weights[:, None] * vector * other).sum()
            norms = (weights[:, None] * vector**2).sum() * (weights[:, None] * other**2).sum()
            best = max(best, (float(dot / np.sqrt(norms)), number))
    actual = FIFTY.nearest(requested)
    assert actual is not None
    assert (actual.similarity, actual.number) == pytest.approx(best, abs=1e-4)
