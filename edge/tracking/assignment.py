"""Optimal assignment of rows to columns by cost, by lapx or SciPy."""

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from edge.errors import UsageError
from edge.installation import install_command

Indices = NDArray[np.intp]
Solver = Callable[[NDArray[np.float64]], tuple[Indices, Indices]]


def assign(costs: NDArray[np.float64], limit: float) -> tuple[Indices, Indices]:
    """Pairs of least total cost, where leaving a row and a column alone costs ``limit``.

    Args:
        costs: float64 [n, m], finite.
        limit: pairs that cost as much or more are not made.

    Returns:
        Rows and columns of the pairs, in no special order.

    Raises:
        UsageError: neither lapx nor SciPy is installed.
    """
    if costs.size == 0:
        none = np.empty(0, np.intp)
        return none, none
    gains = np.minimum(costs - limit, 0)
    rows, columns = _solver()(gains)
    made = gains[rows, columns] < 0
    return rows[made], columns[made]


@cache
def _solver() -> Solver:
    """The linear assignment of lapx; else of SciPy, whose import takes a second."""
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
