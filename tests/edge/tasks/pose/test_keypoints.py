"""Angles of the body."""

import numpy as np
import pytest
import stick_figures

from edge.tasks.pose.keypoints import NAMES, angles, both


@pytest.mark.parametrize("knee", [60.0, 90.0, 135.0, 180.0])
@pytest.mark.parametrize("elbow", [30.0, 120.0])
def test_joints_are_as_bent_as_they_are(knee: float, elbow: float) -> None:
    actual = stick_figures.pose(knee=knee, elbow=elbow).angles
    assert set(actual) == set(NAMES)
    for side in ("left", "right"):
        assert actual[f"{side}_knee"] == pytest.approx(knee)
        assert actual[f"{side}_elbow"] == pytest.approx(elbow)


def test_the_torso_leans_and_the_legs_are_apart() -> None:
    actual = stick_figures.pose(knee=180, lean=70, apart=40).angles
    assert actual["torso"] == pytest.approx(70)
    assert actual["legs"] == pytest.approx(40)


def test_turned_in_the_room_joints_stay_as_bent() -> None:
    flat = {name: np.array((*place, 0.0)) for name, place in stick_figures.places(knee=80).items()}
    turn = np.array([[0.2, 0, -0.98], [0, 1, 0], [0.98, 0, 0.2]])  # seen nearly from the front
    actual = angles({name: turn @ place for name, place in flat.items()})
    assert actual["left_knee"] == pytest.approx(80, abs=1)
    assert actual["torso"] == pytest.approx(0, abs=1)


def test_what_is_hidden_has_no_angle() -> None:
    actual = stick_figures.pose(hidden=("left_knee", "right_wrist")).angles
    assert {"left_knee", "left_hip", "right_elbow"} & set(actual) == set()
    assert both(actual, "knee") == actual["right_knee"]
    assert both(stick_figures.pose(hidden=("left_hip", "right_hip")).angles, "torso") is None


def test_keypoints_in_one_place_are_no_error() -> None:
    names = stick_figures.places()
    assert all(0 <= item <= 180 for item in angles(dict.fromkeys(names, np.zeros(2))).values())
