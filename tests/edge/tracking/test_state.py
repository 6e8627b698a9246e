"""The filter: what it predicts, how sure it is, and that states are left as they are."""

import numpy as np
import pytest

from edge.tracking.parameters import KalmanNoise
from edge.tracking.state import KalmanFilter


@pytest.fixture
def motion() -> KalmanFilter:
    return KalmanFilter(KalmanNoise(), 3.0)


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float64).T


def walked(motion: KalmanFilter, frames: int = 20) -> np.ndarray:
    """The state of one walker that goes 3 px to the right a frame, at 25 frames a second."""
    state = motion.start(boxes((100, 200, 40, 90)))
    for frame in range(1, frames):
        state = motion.predict(state, 0.04)
        state = motion.correct(state, boxes((100 + 3 * frame, 200, 40, 90)), np.ones(1))
    return state


def test_a_walker_is_expected_to_walk_on(motion: KalmanFilter) -> None:
    state = motion.predict(walked(motion, 20), 0.4)
    assert state[0, :, 0] == pytest.approx([100 + 3 * 29, 200, 40, 90], abs=1.5)


def test_only_time_counts_not_the_number_of_frames(motion: KalmanFilter) -> None:
    state = walked(motion, 6)
    state[1, 3] = 0  # the noise follows the height, which would change on the way
    single = state
    for _ in range(7):
        single = motion.predict(single, 0.1)
    assert motion.predict(state, 0.7) == pytest.approx(single)


def test_a_surprise_makes_the_velocity_unsure(motion: KalmanFilter) -> None:
    state = motion.predict(walked(motion), 0.04)
    near, far = state[0] + 1, state[0] + boxes((60, 0, 0, 0))
    assert motion.surprise(state, near, 0.04) == pytest.approx(state)
    surprised = motion.surprise(state, far, 0.04)
    assert surprised[:2] == pytest.approx(state[:2])
    after = motion.predict(motion.correct(surprised, far, np.ones(1)), 0.04)
    assert after[0, 0] == pytest.approx(far[0] + 60, abs=10)


def test_a_prediction_is_less_sure_than_a_correction(motion: KalmanFilter) -> None:
    state = walked(motion)
    later = motion.predict(state, 0.2)
    assert (motion.spread(later) > motion.spread(state)).all()
    after = motion.correct(later, later[0], np.ones(1))
    assert (motion.spread(after) < motion.spread(later)).all()


def test_a_doubtful_measurement_moves_the_state_less(motion: KalmanFilter) -> None:
    state = walked(motion)
    away = state[0] + 20
    sure = motion.correct(state, away, np.ones(1))[0] - state[0]
    doubtful = motion.correct(state, away, np.full(1, 9.0))[0] - state[0]
    assert (np.abs(doubtful) < np.abs(sure)).all()


def test_a_detection_that_is_far_off_counts_less(motion: KalmanFilter) -> None:
    """Head and shoulders alone are detected: the box hardly shrinks."""
    state = motion.predict(walked(motion), 0.04)
    wide, tall = state[0, 2:, 0]

    def shrinks(part: float) -> float:
        """Return the share of the missing height by which the box shrinks."""
        x, y = state[0, :2, 0]
        seen = boxes((x, y - (1 - part) * tall / 2, wide, part * tall))
        return (tall - motion.correct(state, seen, np.ones(1))[0, 3, 0]) / ((1 - part) * tall)

    assert shrinks(0.5) < 0.6 * shrinks(0.95)


def test_noise_scales_with_the_height(motion: KalmanFilter) -> None:
    state = motion.start(boxes((0, 0, 20, 50), (0, 0, 40, 100)))
    assert state[2, :, 1] == pytest.approx(4 * state[2, :, 0])


def test_boxes_do_not_vanish(motion: KalmanFilter) -> None:
    state = motion.start(boxes((0, 0, 20, 50)))
    state[1, 2:] = -5
    assert (motion.predict(state, 100)[0, 2:] > 0).all()


def test_states_are_left_as_they_are(motion: KalmanFilter) -> None:
    state = walked(motion)
    before = state.copy()
    motion.predict(state, 0.04)
    motion.correct(state, state[0] + 1, np.ones(1))
    assert (state == before).all()
