"""Optimal assignment of rows to columns by cost, by lapx or SciPy."""

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from edge.errors import UsageError
from edge.installation import install_command

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
