"""Placement of the labels of points in a plot.

adjustText was tried: in a crowded plot it leaves labels on each other and on markers, and it
places them nearer to another point than to their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_DISTANCES = (8, 12, 18, 26, 36, 48, 62, 78, 96, 116, 140)
"""Distances from the point to try, in points (1/72 inch)."""

_DIRECTIONS = tuple(pi * eighth / 8 for eighth in (0, 8, 2, 14, 6, 10, 4, 12, 1, 15, 7, 9, 3, 5))
_ROUNDS = 6
_LEADER_DISTANCE = 13
_LEADER_STEPS = np.linspace(0.12, 1.0, 12)
_GAP = (7.0, 1.5)
"""Width and height kept free around a label: beside it more, where it would read as one line."""

_INSET = 4
_POINT = 5
_OVERLAP_COST, _BAR_COST, _OUTSIDE_COST = 10, 0.15, 100
"""Cost per square point of a label on another label or marker, on a bar, and outside the axes."""

_CROSSED_COST = 25
"""Cost for each twelfth of a leader that lies on another label or marker."""

_AMBIGUOUS_COST = 120
"""Cost of a label that lies nearer to another point than to its own."""


@dataclass(frozen=True, slots=True)
class PlacedLabel:
    """A label: its ``box`` (left, bottom, right, top), and the end of its leader, or None."""

    box: tuple[float, float, float, float]
    leader: tuple[float, float] | None


def place(points: Array, sizes: Array, bars: Array, inside: Sequence[float]) -> list[PlacedLabel]:
    """Place each label near its own point and clear of everything else.

    Each in turn takes the nearest free position around its point, or the one that covers least;
    then each moves again, now that all others have a place. A label may lie over bars, as it has
    a background.

    Args:
        points: [n, 2] positions (x, y), in points (1/72 inch) as everything else.
        sizes: [n, 2] widths and heights of the labels.
        bars: [n, 4] boxes (left, bottom, right, top) of the intervals of the points.
        inside: box of the axes.

    Returns:
        One per point. It has a leader where the label is not next to its point, or where another
        point is as near.
    """
    grown = np.array([inside[0] + _INSET, inside[1], inside[2] - _INSET, inside[3]])
    markers = np.hstack([points - _POINT, points + _POINT])
    candidates = [_candidates(point, size) for point, size in zip(points, sizes, strict=True)]
    fixed = [
        _fixed_cost(boxes, index, points, markers, bars, grown)
        for index, boxes in enumerate(candidates)
    ]
    chosen: dict[int, Array] = {}
    for _ in range(_ROUNDS):
        before = dict(chosen)
        for index, boxes in enumerate(candidates):
            others = [number for number in chosen if number != index]
            cost = fixed[index] + _label_cost(boxes, index, points, others, chosen)
            chosen[index] = boxes[int(np.argmin(cost))]
        if before and all(np.array_equal(before[number], chosen[number]) for number in chosen):
            break
    return [_placed(index, chosen[index], points) for index in range(len(points))]


def _candidates(point: Array, size: Array) -> Array:
    """Return boxes [k, 4] whose nearest edge or corner lies around the point, nearest first."""
    boxes = []
    for distance in _DISTANCES:
        for angle in _DIRECTIONS:
            direction = np.array([cos(angle), sin(angle)])
            side = np.where(np.abs(direction) < 0.2, 0.0, np.sign(direction))
            corner = point + distance * direction - size * (1 - side) / 2
            boxes.append([*corner, *(corner + size)])
    return np.array(boxes)


def _fixed_cost(
    boxes: Array, index: int, points: Array, markers: Array, bars: Array, inside: Array
) -> Array:
    """Return the cost [k] of a label's candidates that does not depend on other labels."""
    own = _distance(boxes, points[index])
    others = np.delete(points, index, axis=0)
    nearest = np.min([_distance(boxes, other) for other in others], axis=0) if len(others) else own
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    leaders = _leaders(boxes, points[index])
    crossed = _count_inside(leaders, np.delete(markers, index, axis=0))
    return np.asarray(
        own
        + _OVERLAP_COST * _overlap(_grow(boxes, (2, 1.5)), markers).sum(axis=1)
        + _BAR_COST * _overlap(boxes, bars).sum(axis=1)
        + _OUTSIDE_COST * (area - _overlap(boxes, inside[None])[:, 0])
        + _AMBIGUOUS_COST * (nearest < own)
        + _CROSSED_COST * crossed * (own >= _LEADER_DISTANCE)
    )


def _label_cost(
    boxes: Array, index: int, points: Array, others: Sequence[int], chosen: dict[int, Array]
) -> Array:
    """Return the cost [k] of a label's candidates that comes from the labels placed so far."""
    if not others:
        return np.zeros(len(boxes))
    placed = np.array([chosen[number] for number in others])
    cost = _OVERLAP_COST * _overlap(_grow(boxes, _GAP), placed).sum(axis=1)
    drawn = _distance(boxes, points[index]) >= _LEADER_DISTANCE
    cost += _CROSSED_COST * drawn * _count_inside(_leaders(boxes, points[index]), placed)
    for number in others:
        if _placed(number, chosen[number], points).leader is not None:
            line = _leaders(chosen[number][None], points[number])[0]
            cost += _CROSSED_COST * _inside(line, boxes).sum(axis=0)
    return np.asarray(cost)


def _placed(index: int, box: Array, points: Array) -> PlacedLabel:
    distances = _distance(np.repeat(box[None], len(points), axis=0), points)
    own, others = distances[index], np.delete(distances, index)
    far = own >= _LEADER_DISTANCE or bool((others < own).any())
    end = np.clip(points[index], box[:2], box[2:])
    left, bottom, right, top = map(float, box)
    return PlacedLabel((left, bottom, right, top), (float(end[0]), float(end[1])) if far else None)


def _distance(boxes: Array, points: Array) -> Array:
    """Return the distance of each box from a point, or from its point; 0 inside."""
    nearest = np.clip(points, boxes[:, :2], boxes[:, 2:])
    return np.asarray(np.linalg.norm(nearest - points, axis=1))


def _grow(boxes: Array, by: tuple[float, float]) -> Array:
    return np.asarray(boxes + np.array([-by[0], -by[1], by[0], by[1]]))


def _overlap(boxes: Array, others: Array) -> Array:
    """Return the areas [k, m] that boxes [k, 4] share with others [m, 4]."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    return np.asarray(np.prod(np.maximum(0.0, high - low), axis=2))


def _leaders(boxes: Array, point: Array) -> Array:
    """Return positions [k, steps, 2] on the lines from a point to each box."""
    ends = np.clip(point, boxes[:, :2], boxes[:, 2:])
    return np.asarray(point + (ends - point)[:, None] * _LEADER_STEPS[:, None])


def _count_inside(positions: Array, boxes: Array) -> Array:
    """Count per line the positions [k, steps, 2] that lie in any of the boxes [m, 4]."""
    return np.asarray(_inside(positions, boxes).any(axis=2).sum(axis=1))


def _inside(positions: Array, boxes: Array) -> NDArray[np.bool_]:
    """Check for each of the positions [..., 2] in which of the boxes [m, 4] it lies: [..., m]."""
    low = (positions[..., None, :] >= boxes[:, :2]).all(axis=-1)
    high = (positions[..., None, :] <= boxes[:, 2:]).all(axis=-1)
    return np.asarray(low & high)
