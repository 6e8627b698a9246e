"""Exercises: ranges of joint angles, read from a TOML file, and counting of their repetitions.

The built-in file, ``exercises.toml``, describes the format.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge import toml_config
from edge.errors import UsageError, check_list, did_you_mean
from edge.results import Pose, Repetition
from edge.tasks.pose.keypoints import JOINTS, LEGS, TORSO, both

SHIPPED = Path(__file__).with_name("exercises.toml")

_ANGLES = ("elbow", "shoulder", "hip", "knee", *JOINTS, TORSO, LEGS)
_KEYS = ("start", "end", "hold")

Ranges = Mapping[str, tuple[float, float]]
"""Minimum and maximum of angles by name, in degrees."""


@dataclass(frozen=True, slots=True)
class Exercise:
    """Exercise whose repetitions go from ``start`` to ``end`` and back, while ``hold`` is true."""

    name: str
    start: Ranges
    end: Ranges
    hold: Ranges


def within(angles: Mapping[str, float], ranges: Ranges) -> bool:
    """Return True if all angles of ``ranges`` are known and inside."""
    known = ((both(angles, name), limits) for name, limits in ranges.items())
    return all(angle is not None and low <= angle <= high for angle, (low, high) in known)


def outside(angles: Mapping[str, float], ranges: Ranges) -> bool:
    """Return True if an angle of ``ranges`` is known and outside."""
    known = ((both(angles, name), limits) for name, limits in ranges.items())
    return any(angle is not None and not low <= angle <= high for angle, (low, high) in known)


def read(path: Path = SHIPPED) -> tuple[Exercise, ...]:
    """Read exercises.

    Raises:
        UsageError: the file cannot be read, or has unknown or invalid values.
    """
    tables = toml_config.table(path, "a TOML file of exercises", _SEE)
    if not tables:
        raise UsageError("exercises", f"none in {path}", _SEE, code="invalid-config")
    try:
        return tuple(_exercise(name, table) for name, table in tables.items())
    except ValueError as error:
        raise UsageError(
            f"valid exercises in {path}",
            str(error),
            _SEE,
            code="invalid-config",
            summary=f"invalid exercises in {path}: {error}",
        ) from None


def chosen(known: Sequence[Exercise], names: Sequence[str]) -> tuple[Exercise, ...]:
    """Return the exercises of these names; ["all"] means all, and ["none"] none.

    Raises:
        UsageError: a name is unknown.
    """
    check_list("exercises", names)
    if tuple(names) == ("all",):
        return tuple(known)
    if tuple(names) == ("none",):
        return ()
    by_name = {exercise.name: exercise for exercise in known}
    for name in names:
        if name not in by_name:
            fix = did_you_mean(name, by_name, f"choose from {', '.join(by_name)}")
            raise UsageError("a known exercise", f"'{name}'", fix, code="unknown-exercise")
    return tuple(by_name[name] for name in names)


_SEE = "see the example in 'edge demo pose --help'"


def _exercise(name: str, table: Any) -> Exercise:
    if not isinstance(table, dict):
        raise ValueError(f"{name} = {table!r} is not a table")
    for key in table:
        _check(key, _KEYS, name)
    for key in ("start", "end"):
        if not table.get(key):
            raise ValueError(f"{name} has no {key}")
    start, end, hold = (_ranges(f"{name}.{key}", table.get(key, {})) for key in _KEYS)
    apart = (
        start[angle][1] < end[angle][0] or end[angle][1] < start[angle][0]
        for angle in start.keys() & end.keys()
    )
    if not any(apart):
        raise ValueError(f"{name}: no angle distinguishes start from end")
    return Exercise(name, start, end, hold)


def _ranges(where: str, table: Any) -> dict[str, tuple[float, float]]:
    if not isinstance(table, dict):
        raise ValueError(f"{where} = {table!r} is not a table")
    for angle, limits in table.items():
        _check(angle, _ANGLES, where)
        is_pair = isinstance(limits, list) and len(limits) == 2
        if not is_pair or not all(type(limit) in (int, float) for limit in limits):
            raise ValueError(f"{where}.{angle} = {limits!r} is not [min, max] in degrees")
        if not 0 <= limits[0] < limits[1] <= 180:
            raise ValueError(f"{where}.{angle} = {limits} is not increasing within 0 to 180")
    return {angle: (float(low), float(high)) for angle, (low, high) in table.items()}


def _check(word: str, words: Sequence[str], where: str) -> None:
    if word not in words:
        hint = did_you_mean(word, words, f"choose from {', '.join(words)}")
        raise ValueError(f"unknown key '{word}' in {where} ({hint})")


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
