"""Skeletons, angles and counts: what a person sees on the image."""

from dataclasses import replace

import numpy as np
import pytest
import stick_figures

from edge import draw
from edge.draw import labels, skeleton
from edge.frame import BgrImage
from edge.results import Keypoint, Pose, Poses

SIZES = [(1, 1), (2, 40), (64, 48), (640, 480), (3840, 2160)]


def gray(width: int = 640, height: int = 640) -> BgrImage:
    return np.full((height, width, 3), 128, np.uint8)


def drawn(values: Poses, image: BgrImage | None = None, least: float = 0.3) -> BgrImage:
    created = gray() if image is None else image
    draw.poses(created, values, least)
    return created


@pytest.mark.parametrize("size", SIZES)
def test_any_size_is_drawn_on_and_nothing_outside(size: tuple[int, int]) -> None:
    width, height = size
    around = gray(width + 20, height + 20)
    far = tuple(
        replace(point, x=x, y=-x)
        for point, x in zip(stick_figures.pose().keypoints, (1e4, -1e4, 1e30, 0) * 9, strict=False)
    )
    people = (stick_figures.pose(knee=90), stick_figures.pose(size=4), Pose(0.5, far, {}))
    drawn(
        Poses(people, (), {"squat": 3, "a_very_long_name_of_an_exercise": 12}),
        around[10:-10, 10:-10],
    )
    edges = (around[:10], around[-10:], around[:, :10], around[:, -10:])
    assert all((edge == 128).all() for edge in edges)


def test_limbs_are_where_they_are_left_in_orange_and_right_in_blue() -> None:
    pose = stick_figures.pose(apart=60, arm=40)
    image = drawn(Poses((replace(pose, angles={}),)))
    points = {point.name: np.array((point.x, point.y)) for point in pose.keypoints}
    for side, blue_wins in (("left", False), ("right", True)):
        x, y = np.rint((points[f"{side}_knee"] + points[f"{side}_ankle"]) / 2).astype(int)
        blue, _, red = map(int, image[y, x])
        assert (blue > red + 60) == blue_wins
        assert (red > blue + 60) == (not blue_wins)
    assert (image[:60] == 128).all()  # nothing where nobody is


def test_what_is_hardly_seen_is_left_out() -> None:
    names = tuple(stick_figures.places())
    hidden = stick_figures.pose(hidden=names)
    assert (drawn(Poses((hidden,))) == 128).all()
    assert (drawn(Poses((hidden,)), least=0.05) != 128).any()
    assert (drawn(Poses((Pose(0.0, (), {}),))) == 128).all()


def test_angles_can_be_read_at_their_joints() -> None:
    pose = stick_figures.pose(knee=92, elbow=121)
    image = drawn(Poses((pose,)))
    expected = labels.style(image)
    for joint, text in (("right_knee", "92"), ("right_elbow", "121")):
        (point,) = (point for point in pose.keypoints if point.name == joint)
        x, y = round(point.x), round(point.y)
        near = image[max(0, y - 90) : y + 90, max(0, x - 90) : x + 90]
        assert _shows(near, labels.render_label(text, skeleton.RIGHT, expected))


def test_counts_stand_in_the_corner_only_when_there_are_some() -> None:
    nobody = Poses((), (), {"squat": 0})
    assert (drawn(nobody) == 128).all()
    item, two = (drawn(Poses((), (), {"squat": count, "push_up": 0})) for count in (1, 2))
    corner = (item != two).any(axis=2)
    assert corner.any()
    rows, columns = np.nonzero(corner)
    assert rows.max() < 80
    assert columns.max() < 300
    assert drawn(Poses((), (), {"squat": 1, "push_up": 1}))[60:120, :60].mean() < 100  # two rows


def _shows(image: BgrImage, patch: BgrImage) -> bool:
    """Return True if ``patch`` is somewhere in the image, but for strokes that cross it."""
    import cv2

    actual = cv2.matchTemplate(image, patch, cv2.TM_CCOEFF_NORMED)
    return float(actual.max()) > 0.95


def test_keypoints_without_a_bone_are_dots() -> None:
    alone = Pose(0.9, (Keypoint("nose", 320, 320, 0.9),), {})
    image = drawn(Poses((alone,)))
    assert (image[316:325, 316:325] != 128).any()
    assert (image[:300] == 128).all()
