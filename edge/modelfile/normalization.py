"""Normalization of pixels: what a model takes for a pixel of 0 to 255."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from edge.errors import UsageError

Levels = float | Sequence[float]
"""Mean or standard deviation of pixels: one number, or one for each of R, G, B."""


@dataclass(frozen=True, slots=True)
class Normalization:
    """Normalization of pixels: ``p`` of 0–255 means ``(p - mean) / std`` to a model.

    ``mean`` and ``std`` have one value for all channels, or one for each of R, G, B.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]


def normalization(mean: Levels | None, std: Levels | None) -> Normalization | None:
    """Return the normalization of a mean and a standard deviation, None where neither is given.

    Raises:
        UsageError: only one of them is given, or a value is no number, or ``std`` has a 0.
    """
    if mean is None and std is None:
        return None
    if mean is None or std is None:
        raise _no_normalization("std without mean" if mean is None else "mean without std")
    values = Normalization(_levels("mean", mean), _levels("std", std))
    if 0 in values.std:
        raise _no_normalization(f"std = {std!r}")
    return values


def _levels(name: str, value: Levels) -> tuple[float, ...]:
    listed = value.tolist() if hasattr(value, "tolist") else value  # NumPy's
    numbers = listed if isinstance(listed, list | tuple) else (listed,)
    known = all(type(number) in (int, float) and math.isfinite(number) for number in numbers)
    if not known or len(numbers) not in (1, 3):
        raise _no_normalization(f"{name} = {value!r}")
    return tuple(map(float, numbers))


def _no_normalization(problem: str) -> UsageError:
    return UsageError(
        "mean and std of pixels of 0 to 255, each one number or three, std without 0",
        problem,
        "use mean 0 and std 255 for inputs of 0 to 1, 127.5 and 127.5 for -1 to 1, 0 and 1 for "
        "0 to 255",
        code="invalid-normalization",
    )
