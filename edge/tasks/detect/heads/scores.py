"""Scores and logits, and their values in the units of a quantized output."""

import math

import numpy as np
from numpy.typing import NDArray

from edge.interpreter import TensorSpec


def logit(score: float) -> float:
    """Return the logit of a score; 0 and 1 have large ones.

    >>> round(logit(0.5), 3), round(logit(0.9), 3)
    (0.0, 2.197)
    """
    bounded = min(max(score, 1e-6), 1 - 1e-6)
    return math.log(bounded / (1 - bounded))


def sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the scores of logits, of any shape."""
    scores: NDArray[np.float32] = 1 / (1 + np.exp(-np.clip(logits, -30, 30)))
    return scores


def quantized(spec: TensorSpec, value: float) -> float:
    """Return a real value in the units of an output, not rounded: as it is in a float one."""
    return value / spec.scale + spec.zero_point if spec.scale else value
