"""Plain JSON values."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def to_plain(value: Any) -> Any:
    """Plain JSON values: NumPy scalars and arrays, tuples and non-finite numbers are turned.

    Raises:
        TypeError: a value that JSON has no place for.

    >>> to_plain({"a": (np.float32(0.5), float("nan"))})
    {'a': [0.5, None]}
    """
    if isinstance(value, np.ndarray | np.generic):
        return to_plain(value.tolist())
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return float(f"{value:.8g}") if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): to_plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(entry) for entry in value]
    raise TypeError(f"cannot convert to JSON: {type(value).__name__}")
