"""Counting repetitions of exercises, from angles that come frame by frame."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edge.results import Pose, Repetition
from edge.tasks.pose.exercises import Exercise, within, without

_QUICKEST = 0.3
"""Seconds that a repetition takes at least: what is quicker is a keypoint that jumped."""

_PATIENCE = 2.0
"""Seconds that somebody may be unseen and still be in the middle of a repetition."""


@dataclass
class _Progress:
    """How far a repetition got: when ``start`` was last held; whether ``end`` was, since."""

    started: float | None = None
    turned: bool = False
    count: int = 0

    def reset(self) -> None:
        self.started, self.turned = None, False


class RepetitionCounter:
    """Counts the exercises of one person, who is followed by place among others."""

    def __init__(self, exercises: Sequence[Exercise]) -> None:
        self._exercises = [(one, _Progress()) for one in exercises]
        self._place: tuple[float, float] | None = None
        self._seen = 0.0

    @property
    def counts(self) -> dict[str, int]:
        """By name of exercise, how often so far."""
        return {one.name: progress.count for one, progress in self._exercises}

    def update(self, poses: Sequence[Pose], time_s: float) -> tuple[Repetition, ...]:
        """The repetitions that are complete with this frame."""
        if not 0 <= time_s - self._seen <= _PATIENCE:
            self._place = None
            for _, progress in self._exercises:
                progress.reset()
        if not poses:
            return ()
        self._seen = time_s
        person = self._who(poses)
        done = []
        for exercise, progress in self._exercises:
            if _advance(progress, exercise, person.angles, time_s):
                progress.count += 1
                done.append(Repetition(exercise.name, progress.count))
        return tuple(done)

    def _who(self, poses: Sequence[Pose]) -> Pose:
        """The one who was counted before; at first the largest."""
        places = [np.array([(point.x, point.y) for point in pose.keypoints]) for pose in poses]
        if self._place is None:
            who = max(range(len(poses)), key=lambda i: float(np.ptp(places[i], axis=0).max()))
        else:
            last = np.array(self._place)
            who = min(
                range(len(poses)),
                key=lambda i: float(np.linalg.norm(places[i].mean(axis=0) - last)),
            )
        x, y = places[who].mean(axis=0).tolist()
        self._place = x, y
        return poses[who]


def _advance(
    progress: _Progress, exercise: Exercise, angles: Mapping[str, float], time_s: float
) -> bool:
    """Take one frame's angles; whether they complete a repetition.

    Angles that are not known change nothing: a wrist may be hidden for a while.
    """
    if without(angles, exercise.hold):
        progress.reset()
        return False
    if not within(angles, exercise.hold):
        return False
    if within(angles, exercise.start):
        complete = (
            progress.turned
            and progress.started is not None
            and time_s - progress.started >= _QUICKEST
        )
        progress.started, progress.turned = time_s, False
        return complete
    if within(angles, exercise.end) and progress.started is not None:
        progress.turned = True
    return False
