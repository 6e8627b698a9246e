"""Matching of tracks to detections: costs, stages and optimal assignment."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.errors import UsageError
from edge.installation import install_command
from edge.tracking.parameters import TrackerParameters
from edge.tracking.state import (
    Array,
    DetectionArrays,
    Ints,
    KalmanFilter,
    Mask,
    TrackState,
    areas,
    cosines,
    coverage,
    distances,
    iou,
    select,
)

Indices = NDArray[np.intp]
Solver = Callable[[NDArray[np.float64]], tuple[Indices, Indices]]


def assign(costs: NDArray[np.float64], max_cost: float) -> tuple[Indices, Indices]:
    """Return pairs of minimum total cost, where an unmatched row and column cost ``max_cost``.

    Args:
        costs: float64 [n, m], finite.
        max_cost: Pairs that cost as much or more are not matched.

    Returns:
        Rows and columns of the pairs, in no special order.

    Raises:
        UsageError: neither lapx nor SciPy is installed.
    """
    if costs.size == 0:
        empty = np.empty(0, np.intp)
        return empty, empty
    solve = _solver()
    rows, columns = _cheapest(costs, max_cost)
    if len(set(columns.tolist())) == len(columns):
        return rows, columns
    gains = np.minimum(costs - max_cost, 0.0)
    rows, columns = solve(gains)
    matched = gains[rows, columns] < 0
    return rows[matched], columns[matched]


def _cheapest(costs: Array, max_cost: float) -> tuple[Indices, Indices]:
    """Return the rows that cost less than the maximum, each with the column where it costs least.

    Where no two rows share a column, no assignment is better.
    """
    columns = costs.argmin(axis=1)
    rows = (costs[np.arange(len(costs)), columns] < max_cost).nonzero()[0]
    return rows, columns.take(rows)


@cache
def _solver() -> Solver:
    """Return the linear assignment of lapx; else of SciPy, whose import takes a second."""
    try:
        from lap import lapjvx
    except ImportError:
        return _scipy()

    def solve(costs: NDArray[np.float64]) -> tuple[Indices, Indices]:
        _, rows, columns = lapjvx(costs, extend_cost=True)
        return rows, columns

    return solve


def _scipy() -> Solver:
    try:
        from scipy.optimize import linear_sum_assignment
    except ImportError:
        raise UsageError(
            "the package lapx or SciPy",
            "neither",
            install_command("track"),
            code="missing-package",
            summary="tracking requires the package lapx or SciPy",
        ) from None
    return linear_sum_assignment  # type: ignore[no-any-return]


class Matches(NamedTuple):
    """Detections of n tracks.

    Attributes:
        detections: Row of the detection of each track, int64 [n], -1 for none.
        variance_scale: Factor on its variance as a measurement, float64 [n].
        surprising: Whether it is far from where the track was expected, bool [n].
    """

    detections: Ints
    variance_scale: Array
    surprising: Mask


Costs = Callable[[Ints, Ints], Array]
"""Costs of the pairs of some tracks and some detections."""


class _Stage(NamedTuple):
    """A stage: matches these tracks and detections in pairs that cost less than the maximum."""

    tracks: Mask
    detections: Mask
    costs: Costs
    max_cost: float
    variance_scale: float = 1.0
    surprising: bool = False


def associate(
    state: TrackState,
    detections: DetectionArrays,
    motion: KalmanFilter,
    parameters: TrackerParameters,
    seconds: float,
) -> Matches:
    """Match detections with tracks, ``seconds`` after the last frame.

    High scores, low scores, visible parts and tentative tracks are matched by likelihood, what is
    left by overlap.
    """
    count = len(state.ids)
    matches = Matches(np.full(count, -1), np.ones(count), np.zeros(count, np.bool_))
    free, free_tracks = np.ones(len(detections.rows), np.bool_), np.ones(count, np.bool_)
    left = min(count, len(free))
    for stage in _stages(state, detections, motion, parameters, seconds) if left else ():
        rows = (stage.detections & free).nonzero()[0]
        tracks = (stage.tracks & free_tracks).nonzero()[0]
        if not (len(tracks) and len(rows)):
            continue
        pairs, partners = assign(stage.costs(tracks, rows), stage.max_cost)
        tracks, rows = tracks.take(pairs), rows.take(partners)
        free_tracks[tracks] = free[rows] = False
        matches.detections[tracks] = rows
        matches.variance_scale[tracks] = stage.variance_scale
        matches.surprising[tracks] = stage.surprising
        left -= len(rows)
        if not left:
            break
    return matches


def _stages(
    state: TrackState,
    detections: DetectionArrays,
    motion: KalmanFilter,
    parameters: TrackerParameters,
    seconds: float,
) -> Iterator[_Stage]:
    """Yield the stages, each when the one before has left something to match."""
    all_costs = _costs(state, detections, motion, parameters)

    def costs(tracks: Ints, rows: Ints) -> Array:
        return all_costs.take(tracks, 0).take(rows, 1)

    def part_costs(tracks: Ints, rows: Ints) -> Array:
        return _part_costs(select(state, tracks), select(detections, rows), parameters)

    def overlap_costs(tracks: Ints, rows: Ints) -> Array:
        margin = parameters.overlap_margin
        return _overlap_costs(select(state, tracks), select(detections, rows), margin)

    confirmed = state.ids > 0
    scores, strict = detections.scores, parameters.max_cost_strict
    high = scores >= parameters.high_score
    yield _Stage(confirmed, high, costs, parameters.max_cost)
    yield _Stage(confirmed, ~high, costs, strict)
    new = scores >= parameters.new_track_score
    yield _Stage(confirmed, new, part_costs, 0, parameters.part_variance)
    yield _Stage(~confirmed, new, costs, strict)
    recent = state.missed <= max(parameters.overlap_age, 1.01 * seconds)
    overlapping = -parameters.overlap_iou
    yield _Stage(confirmed & recent, high, overlap_costs, overlapping, surprising=True)
    yield _Stage(~confirmed & recent, new, overlap_costs, overlapping, surprising=True)


def _costs(
    state: TrackState,
    detections: DetectionArrays,
    motion: KalmanFilter,
    parameters: TrackerParameters,
) -> Array:
    """Return the negative log-likelihood of each detection for each track: [n, m].

    It is up to a constant, and less for detections straight ahead.
    """
    noise = motion.noise(state.motion)
    spread = state.motion[2] + noise
    freedom = parameters.degrees_of_freedom
    costs = distances(state.boxes, detections.boxes, spread)
    costs /= freedom
    np.log1p(costs, out=costs)
    costs *= (freedom + len(spread)) / 2
    costs += np.log(np.multiply.reduce(spread / noise))[:, None] / 2.0
    straight = np.arcsin(cosines(state.trail, detections.boxes[:2]))
    straight *= parameters.direction_weight / np.pi
    costs -= straight
    return np.where(_same_class(state, detections), costs, np.inf)


def _part_costs(
    state: TrackState, detections: DetectionArrays, parameters: TrackerParameters
) -> Array:
    """Return minus the fraction of each track that a detection in it shows, else 0: [n, m]."""
    inside = coverage(detections.boxes, state.boxes).T
    area = areas(detections.boxes) / areas(state.boxes)[:, None]
    fits = (inside >= parameters.inside_fraction) & (area >= parameters.min_part_area)
    return np.where(fits & _same_class(state, detections), -inside * area, 0.0)


def _overlap_costs(state: TrackState, detections: DetectionArrays, margin: float) -> Array:
    """Return minus the IoU of each track with each detection, enlarged on every side: [n, m]."""
    larger = np.array([[1], [1], [1 + 2 * margin], [1 + 2 * margin]])
    overlap = iou(state.boxes * larger, detections.boxes * larger)
    return np.where(_same_class(state, detections), -overlap, 0.0)


def _same_class(state: TrackState, detections: DetectionArrays) -> Mask:
    return np.equal(state.classes[:, None], detections.classes)
