"""The filter expects as much motion as there is."""

import numpy as np
import pytest

from edge.tracking.tracker import MultiObjectTracker

pytestmark = pytest.mark.usefixtures("solver")


def scale_after(frames: int, trembling: float, tracker: MultiObjectTracker | None = None) -> float:
    """Let three objects, 100 px high, tremble in place, and return the factor on the noise."""
    random, tracker = np.random.default_rng(0), tracker or MultiObjectTracker()
    for _ in range(frames):
        boxes = np.array([[x, 200.0, x + 60, 300] for x in (0, 200, 400)])
        boxes += np.tile(random.normal(0, trembling, (3, 2)), 2)
        tracker.update(boxes, np.full(3, 0.9))
    return tracker._scale.factor


def test_a_calm_scene_has_the_noise_of_walking_people() -> None:
    assert scale_after(40, 2) == 1


def test_more_motion_is_expected_where_there_is_more_up_to_a_limit() -> None:
    some, much = scale_after(40, 6), scale_after(40, 40)
    assert 1 < some < much <= MultiObjectTracker().parameters.max_motion_scale


def test_calm_comes_back() -> None:
    tracker = MultiObjectTracker()
    assert scale_after(40, 20, tracker) > 1
    assert scale_after(60, 1, tracker) == 1


def test_unsteady_objects_keep_their_ids() -> None:
    """They come to jump by a quarter of their width a frame, as before a bumping car."""
    random, tracker = np.random.default_rng(1), MultiObjectTracker()
    for frame in range(60):
        boxes = np.array([[x, 200.0, x + 60, 300] for x in (0, 200, 400)])
        boxes += np.tile(random.normal(0, min(frame / 2, 10), (3, 2)), 2)
        tracks = tracker.update(boxes, np.full(3, 0.9))
    assert tracks.ids.tolist() == [1, 2, 3]
    assert (tracks.rows >= 0).all()
