"""Matching of tracks to detections: parameters, costs and optimal assignment."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from edge.errors import UsageError
from edge.installation import install_command
from edge.tracking.state import (
    Array,
    DetectionArrays,
    Ints,
    KalmanFilter,
    KalmanNoise,
    Mask,
    TrackState,
    cosines,
    coverage,
    distances,
    select,
)

NOISE = KalmanNoise(
    position=(0.03, 0.05, 0.10, 0.10),
    process=(0.03, 0.03, 0.01, 0.01),
    acceleration=(0.02, 0.005, 0.0005, 0.0005),
    initial_velocity=(0.2, 0.1, 0.01, 0.01),
)
"""Noise of walking people, whose detections are off by a twentieth of their height."""


@dataclass(frozen=True, slots=True)
class TrackerParameters:
    """Parameters of the tracker: one set for every camera, frame rate and detector.

    Chosen by measuring, on generated sequences and on MOT15's TUD-Campus at several frame rates
    and with detections left out; see tests/benchmarks/tracker.py.

    Attributes:
        noise: Standard deviations of the Kalman filter.
        min_score: Minimum score of a detection that continues a track.
        new_track_score: Minimum score of a detection that starts a track.
        high_score: Minimum score of a detection that is matched in the first stage.
        max_cost: Cost in nats below which a pair is matched in the first stage.
        max_cost_strict: The same in the later stages.
        direction_weight: Twice the cost in nats that continuing straight ahead saves.
        direction_detections: Detections from which the direction of a track is computed.
        confirm_evidence: Sum of squared scores from which a track is confirmed.
        max_age_tentative: Steps after its last detection at which a tentative track ends.
        max_age_confirmed: The same for a confirmed track.
        coast_steps: Steps for which a missed track is still reported.
        coast_steps_occluded: The same for a track that another one occludes.
        occluded_fraction: Covered fraction of its box from which a track is occluded.
        filter_weight: Weight of the filter's box in the reported one, relative to the detection's.
        duplicate_iou: IoU above which the lower-scoring of two detections is dropped.
        inside_fraction: Fraction of a detection within a track from which it is a part of it, and
            starts no track of its own.
        min_part_area: Minimum area of a visible part, as a fraction of its track's.
        part_variance: Factor on the variance of a visible part as a measurement.
    """

    noise: KalmanNoise = NOISE
    min_score: float = 0.1
    new_track_score: float = 0.4
    high_score: float = 0.6
    max_cost: float = 8.0
    max_cost_strict: float = 6.0
    direction_weight: float = 1.5
    direction_detections: int = 8
    confirm_evidence: float = 1.5
    max_age_tentative: float = 2.0
    max_age_confirmed: float = 60.0
    coast_steps: float = 2.0
    coast_steps_occluded: float = 6.0
    occluded_fraction: float = 0.7
    filter_weight: float = 0.7
    duplicate_iou: float = 0.5
    inside_fraction: float = 0.6
    min_part_area: float = 0.3
    part_variance: float = 9.0


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
    gains = np.minimum(costs - max_cost, 0)
    rows, columns = _solver()(gains)
    matched = gains[rows, columns] < 0
    return rows[matched], columns[matched]


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


@dataclass(frozen=True, slots=True)
class Matches:
    """Detections of n tracks.

    Attributes:
        detections: Row of the detection of each track, int64 [n], -1 for none.
        variance_scale: Factor on its variance as a measurement, float64 [n].
    """

    detections: Ints
    variance_scale: Array


Costs = Callable[[Ints, Ints], Array]
"""Costs of the pairs of some tracks and some detections."""


@dataclass(frozen=True, slots=True)
class _Stage:
    """A stage: matches these tracks and detections in pairs that cost less than the maximum."""

    tracks: Mask
    detections: Mask
    costs: Costs
    max_cost: float
    variance_scale: float = 1.0


def associate(
    state: TrackState,
    detections: DetectionArrays,
    motion: KalmanFilter,
    parameters: TrackerParameters,
) -> Matches:
    """Match detections with tracks: high scores, low scores, parts, and last tentative tracks."""
    all_costs = _costs(state, detections, motion, parameters.direction_weight)

    def costs(tracks: Ints, rows: Ints) -> Array:
        return np.asarray(all_costs[tracks[:, None], rows], np.float64)

    def part_costs(tracks: Ints, rows: Ints) -> Array:
        return _part_costs(select(state, tracks), select(detections, rows), parameters)

    confirmed, present = state.ids > 0, state.missed <= parameters.coast_steps
    scores = detections.scores
    high, new = scores >= parameters.high_score, scores >= parameters.new_track_score
    stages = (
        _Stage(confirmed, high, costs, parameters.max_cost),
        _Stage(confirmed, ~high, costs, parameters.max_cost_strict),
        _Stage(confirmed & present, new, part_costs, 0, parameters.part_variance),
        _Stage(~confirmed, new, costs, parameters.max_cost_strict),
    )
    matched, variance_scale = np.full(len(state.ids), -1), np.ones(len(state.ids))
    free = np.ones(len(detections.rows), np.bool_)
    for stage in stages:
        tracks = np.flatnonzero(stage.tracks & (matched < 0))
        rows = np.flatnonzero(stage.detections & free)
        if not (len(tracks) and len(rows)):
            continue
        pairs, partners = assign(stage.costs(tracks, rows), stage.max_cost)
        matched[tracks[pairs]] = rows[partners]
        variance_scale[tracks[pairs]] = stage.variance_scale
        free[rows[partners]] = False
    return Matches(matched, variance_scale)


def _costs(
    state: TrackState, detections: DetectionArrays, motion: KalmanFilter, direction_weight: float
) -> Array:
    """Return the negative log-likelihood of each detection for each track: [n, m].

    It is up to a constant, and less for detections straight ahead.
    """
    spread = motion.spread(state.motion)
    distance = distances(state.boxes, detections.boxes, spread)
    uncertainty = np.log(spread / motion.noise(state.motion)).sum(axis=1)
    straight = np.arcsin(cosines(state.trail, detections.boxes[:, :2])) / np.pi
    costs = (distance + uncertainty[:, None]) / 2 - direction_weight * straight
    return np.where(_same_class(state, detections), costs, np.inf)


def _part_costs(
    state: TrackState, detections: DetectionArrays, parameters: TrackerParameters
) -> Array:
    """Return minus the fraction of each track that a detection in it shows, else 0: [n, m]."""
    inside = coverage(detections.boxes, state.boxes).T
    area = detections.boxes[:, 2:].prod(axis=1) / state.boxes[:, 2:].prod(axis=1)[:, None]
    fits = (inside >= parameters.inside_fraction) & (area >= parameters.min_part_area)
    return np.where(fits & _same_class(state, detections), -inside * area, 0)


def _same_class(state: TrackState, detections: DetectionArrays) -> Mask:
    return np.equal(state.classes[:, None], detections.classes)
