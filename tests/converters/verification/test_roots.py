"""Roots are found between two values, in few evaluations."""

import math
from collections.abc import Callable

import pytest

from converters.verification.roots import find_root


@pytest.mark.parametrize(
    ("function", "low", "high", "root"),
    [(math.cos, 0.0, 3.0, math.pi / 2), (lambda x: x**9 - 0.5, -1.0, 4.0, 0.5 ** (1 / 9)),
     (lambda x: math.exp(x) - 1e-3, -50.0, 10.0, math.log(1e-3)),
     (lambda x: math.tanh(40 * (x - 0.9)), 0.1, 4.0, 0.9), (lambda x: x - 4, 4.0, 9.0, 4.0),
     (lambda x: x - 9, 4.0, 9.0, 9.0), (lambda x: (x - 0.3) ** 3, 0.0, 1.0, 0.3)],
)  # fmt: skip
def test_it_is_found_from_either_side(
    function: Callable[[float], float], low: float, high: float, root: float
) -> None:
    calls = []

    def counted(x: float) -> float:
        assert low <= x <= high
        calls.append(x)
        return function(x)

    assert find_root(counted, low, high) == pytest.approx(root, abs=1e-4)
    assert find_root(counted, high, low) == pytest.approx(root, abs=1e-4)
    assert len(calls) < 260


def test_values_on_the_same_side_are_refused() -> None:
    with pytest.raises(ValueError, match="sign"):
        find_root(lambda x: x * x + 1, -1.0, 1.0)
