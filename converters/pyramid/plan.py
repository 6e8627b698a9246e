"""Phases of training, and what they do with the time that there is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

HEADS, PILOT, MAIN = "head", "trial", "training"
"""Kinds of phases: the head on the trunk as it is; a short trial of one cut; the chosen cut."""

HEAD_RATE, TRUNK_RATE = 2e-3, 4e-4
"""Highest learning rates."""

_WARM_UP = 30
"""Steps until the highest rate is reached."""

_DECAY = 0.998
"""Share of the averaged weights that stays, at most; in short runs less does."""

MIN_STEPS = 40
"""Below it a phase teaches nothing, and says nothing about a cut."""

_MAX_STEPS = {HEADS: 600, PILOT: 200, MAIN: 20_000}

_SHARES = {HEADS: 0.12, PILOT: 0.08}
"""Of the time for training, for each phase but the last, which has what is left."""

_DETECTOR_SHARE = 0.4
"""That of the head on the trunk of a detector: there it learns most of what there is to learn."""


_EVALUATIONS = {HEADS: 5, PILOT: 1, MAIN: 16}
_LEAST_INTERVAL = 10
"""Steps between two evaluations at least: on 150 images one takes as long as several steps."""

_REUSE = {HEADS: 4.0, PILOT: 1.0, MAIN: 1.0}
"""How often a view is seen: with a frozen trunk, computing it takes longer than training on it."""

_CALM = 0.3
"""Share of the last phase, its end, whose images are shown alone, as they will be later.

After Ge et al., "YOLOX: Exceeding YOLO Series in 2021", arXiv:2107.08430.
"""

_GOAL = 0.97
"""Score from which training ends."""

_PATIENCE, _LEAST_PATIENCE = 0.4, 4
"""Share of a phase's evaluations, and number of them, without a better one, until it ends."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Learning rates of a phase of ``steps``, after ``before`` steps of the same weights.

    ``falls``: whether rates fall to 0 along a cosine, or stay, for a trial that goes on.
    """

    steps: int
    before: int = 0
    falls: bool = True

    def rates(self, step: int) -> tuple[float, float]:
        """Return the rates of trunk and head for a step of the phase, from 0."""
        warm = min(1.0, (self.before + step + 1) / _WARM_UP)
        factor = 0.5 * (1 + math.cos(math.pi * step / self.steps)) if self.falls else 1.0
        return TRUNK_RATE * warm * factor, HEAD_RATE * warm * factor

    def decay(self, step: int) -> float:
        """Return the share of the averaged weights that stays."""
        done = self.before + step
        return min(_DECAY, (1 + done) / (10 + done))


def seconds_for(kind: str, budget: float, left: float, *, knows_boxes: bool) -> float:
    """Return the seconds that a phase may take.

    Args:
        kind: of the phase.
        budget: seconds for all phases.
        left: seconds of it that are left.
        knows_boxes: whether the trunk is that of a detector.
    """
    if kind == MAIN:
        return left
    share = _DETECTOR_SHARE if kind == HEADS and knows_boxes else _SHARES[kind]
    return min(left, share * budget)


def planned_steps(kind: str, seconds_per_step: float, seconds: float, most: int) -> int:
    """Return the steps of a phase, at most ``most``; 0 where there is no time for enough of them.

    The head is trained in any case.
    """
    steps = min(_MAX_STEPS[kind], most, int(seconds / seconds_per_step))
    if kind == HEADS:
        return max(MIN_STEPS, steps)
    return steps if steps >= MIN_STEPS else 0


def evaluation_interval(kind: str, steps: int) -> int:
    """Return the steps between evaluations."""
    return max(min(_LEAST_INTERVAL, steps), -(-steps // _EVALUATIONS[kind]), 1)


def different_views(kind: str, views: int) -> int:
    """Return how many of the views of a phase differ from each other."""
    return max(1, int(views / _REUSE[kind]))


def calm_from(kind: str, views: int) -> int:
    """Return the number of the first view without a mosaic, of this many different ones."""
    return int(views * (1 - _CALM)) if kind == MAIN else views


def good_enough(scores: Sequence[float]) -> bool:
    """Return whether the last score leaves nothing to gain."""
    return bool(scores) and scores[-1] >= _GOAL


def is_over(scores: Sequence[float], expected: int) -> bool:
    """Return whether the goal is reached, or nothing improved for a share of the phase.

    Args:
        scores: of the phase, in order.
        expected: evaluations of the whole phase.
    """
    waited = len(scores) - 1 - scores.index(max(scores))
    return good_enough(scores) or waited >= max(_LEAST_PATIENCE, _PATIENCE * expected)
