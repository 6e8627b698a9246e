"""Data association: an optimal assignment of detections to tracks, in stages."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edge.tracking.assignment import assign
from edge.tracking.kalman import KalmanFilter
from edge.tracking.parameters import TrackerParameters
from edge.tracking.state import (
    Array,
    DetectionArrays,
    Ints,
    Mask,
    TrackState,
    cosines,
    coverage,
    distances,
    select,
)


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
