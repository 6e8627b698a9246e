"""Counting repetitions of exercises from the angles of each frame."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edge.results import Pose, Repetition
from edge.tasks.pose.exercises import Exercise, outside, within

_MIN_DURATION_S = 0.3
"""Minimum duration of a repetition: anything faster is a keypoint that jumped."""

_TIMEOUT_S = 2.0
"""Seconds without the person after which a repetition is abandoned."""


@dataclass
class _Progress:
    """Progress of a repetition: time of the last ``start``; True if ``end`` came since."""

    started: float | None = None
    turned: bool = False
    count: int = 0

    def reset(self) -> None:
        """Abandon the repetition."""
        self.started, self.turned = None, False


class RepetitionCounter:
    """Counts the exercises of one person, who is tracked by position among others."""

    def __init__(self, exercises: Sequence[Exercise]) -> None:
        self._exercises = [(exercise, _Progress()) for exercise in exercises]
        self._position: tuple[float, float] | None = None
        self._last_s = 0.0

    @property
    def counts(self) -> dict[str, int]:
        """Repetitions so far by name of exercise."""
        return {exercise.name: progress.count for exercise, progress in self._exercises}

    def update(self, poses: Sequence[Pose], time_s: float) -> tuple[Repetition, ...]:
        """Return the repetitions that this frame completes."""
        if not 0 <= time_s - self._last_s <= _TIMEOUT_S:
            self._position = None
            for _, progress in self._exercises:
                progress.reset()
        if not poses:
            return ()
        self._last_s = time_s
        person = self._select(poses)
        completed = []
        for exercise, progress in self._exercises:
            if _advance(progress, exercise, person.angles, time_s):
                progress.count += 1
                completed.append(Repetition(exercise.name, progress.count))
        return tuple(completed)

    def _select(self, poses: Sequence[Pose]) -> Pose:
        """Return the person who was counted before; at first the largest."""
        points = [np.array([(point.x, point.y) for point in pose.keypoints]) for pose in poses]
        if self._position is None:
            index = max(range(len(poses)), key=lambda i: float(np.ptp(points[i], axis=0).max()))
        else:
            last = np.array(self._position)
            index = min(
                range(len(poses)),
                key=lambda i: float(np.linalg.norm(points[i].mean(axis=0) - last)),
            )
        x, y = points[index].mean(axis=0).tolist()
        self._position = x, y
        return poses[index]


def _advance(
    progress: _Progress, exercise: Exercise, angles: Mapping[str, float], time_s: float
) -> bool:
    """Process the angles of a frame; return True if they complete a repetition.

    Unknown angles change nothing: a wrist may be hidden for a while.
    """
    if outside(angles, exercise.hold):
        progress.reset()
        return False
    if not within(angles, exercise.hold):
        return False
    if within(angles, exercise.start):
        complete = (
            progress.turned
            and progress.started is not None
            and time_s - progress.started >= _MIN_DURATION_S
        )
        progress.started, progress.turned = time_s, False
        return complete
    if within(angles, exercise.end) and progress.started is not None:
        progress.turned = True
    return False
