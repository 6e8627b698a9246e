"""Root of a function of one variable."""

from collections.abc import Callable

_TOLERANCE = 1e-12
_MAX_STEPS = 200


def find_root(function: Callable[[float], float], first: float, second: float) -> float:
    """Find where a continuous function is 0, between two values where its signs differ.

    The Illinois method: Dowell, Jarratt, "A modified regula falsi method for computing the root of
    an equation", BIT 11 (1971) 168–174. It takes about ten evaluations.

    >>> round(find_root(lambda x: x * x - 2, 0.0, 2.0), 9)
    1.414213562

    Raises:
        ValueError: the signs do not differ.
    """
    at_first, at_second = function(first), function(second)
    if at_first == 0:
        return first
    if at_second == 0:
        return second
    if (at_first < 0) == (at_second < 0):
        raise ValueError(f"no change of sign from {at_first} to {at_second}")
    for _ in range(_MAX_STEPS):
        between = second - at_second * (second - first) / (at_second - at_first)
        at_between = function(between)
        moved = abs(between - second)
        if at_between == 0 or moved <= _TOLERANCE * max(1.0, abs(between)):
            return between
        if (at_between < 0) == (at_second < 0):
            at_first /= 2  # else this end would never move
        else:
            first, at_first = second, at_second
        second, at_second = between, at_between
    return second
