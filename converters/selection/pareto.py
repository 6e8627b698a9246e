"""Pareto front of accuracy and latency."""

from collections.abc import Sequence


def pareto_front(points: Sequence[tuple[float, float]]) -> tuple[bool, ...]:
    """Mark each (accuracy, latency) that no other beats.

    A point is beaten by one that is as accurate and as fast, and better in one of both; so equal
    points are both on the front.

    >>> pareto_front([(0.9, 5.0), (0.9, 4.0), (0.8, 4.0), (0.8, 1.0)])
    (False, True, False, True)
    """
    return tuple(not any(_beats(other, point) for other in points) for point in points)


def _beats(point: tuple[float, float], other: tuple[float, float]) -> bool:
    return point != other and point[0] >= other[0] and point[1] <= other[1]
