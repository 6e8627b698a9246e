"""Which detection belongs to which track: an optimal assignment, stage after stage."""

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
    """The detection of each of n tracks, -1 for none; and what to make of it as a measurement.

    ``found``: int64 [n]; ``doubt``: factor on the variance, float64 [n].
    """

    found: Ints
    doubt: Array


Costs = Callable[[Ints, Ints], Array]
"""Of some tracks and some detections, the costs of their pairs."""


@dataclass(frozen=True, slots=True)
class _Stage:
    """Pairs of these tracks and detections that cost less than the limit."""

    tracks: Mask
    detections: Mask
    costs: Costs
    limit: float
    doubt: float = 1.0


def associate(
    state: TrackState, seen: DetectionArrays, motion: KalmanFilter, parameters: TrackerParameters
) -> Matches:
    """Match detections with tracks: sure ones, doubtful ones, parts, and last the new tracks."""
    all_costs = _costs(state, seen, motion, parameters.heading)

    def costs(tracks: Ints, detections: Ints) -> Array:
        return np.asarray(all_costs[tracks[:, None], detections], np.float64)

    def parts(tracks: Ints, detections: Ints) -> Array:
        return _parts(select(state, tracks), select(seen, detections), parameters)

    believed, present = state.ids > 0, state.missed <= parameters.coasting
    sure, new = seen.scores >= parameters.high, seen.scores >= parameters.new
    stages = (
        _Stage(believed, sure, costs, parameters.limit),
        _Stage(believed, ~sure, costs, parameters.strict),
        _Stage(believed & present, new, parts, 0, parameters.part_doubt),
        _Stage(~believed, new, costs, parameters.strict),
    )
    found, doubt = np.full(len(state.ids), -1), np.ones(len(state.ids))
    free = np.ones(len(seen.rows), np.bool_)
    for stage in stages:
        tracks = np.flatnonzero(stage.tracks & (found < 0))
        detections = np.flatnonzero(stage.detections & free)
        if not (len(tracks) and len(detections)):
            continue
        pairs, partners = assign(stage.costs(tracks, detections), stage.limit)
        found[tracks[pairs]] = detections[partners]
        doubt[tracks[pairs]] = stage.doubt
        free[detections[partners]] = False
    return Matches(found, doubt)


def _costs(state: TrackState, seen: DetectionArrays, motion: KalmanFilter, heading: float) -> Array:
    """Negative log-likelihood of each detection under each track, up to a constant: [n, m]."""
    spread = motion.spread(state.motion)
    distance = distances(state.boxes, seen.boxes, spread)
    vagueness = np.log(spread / motion.noise(state.motion)).sum(axis=1)
    straight = np.arcsin(cosines(state.trail, seen.boxes[:, :2])) / np.pi
    costs = (distance + vagueness[:, None]) / 2 - heading * straight
    return np.where(_same_class(state, seen), costs, np.inf)


def _parts(state: TrackState, seen: DetectionArrays, parameters: TrackerParameters) -> Array:
    """Minus the share of each track that a detection within it shows, 0 for others: [n, m]."""
    within = coverage(seen.boxes, state.boxes).T
    size = seen.boxes[:, 2:].prod(axis=1) / state.boxes[:, 2:].prod(axis=1)[:, None]
    fits = (within >= parameters.within) & (size >= parameters.part) & _same_class(state, seen)
    return np.where(fits, -within * size, 0)


def _same_class(state: TrackState, seen: DetectionArrays) -> Mask:
    return np.equal(state.classes[:, None], seen.classes)
