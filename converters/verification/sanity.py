"""Checks that a file's scores mean anything, before they are judged."""

import numpy as np
from numpy.typing import NDArray

from edge.errors import ConversionError
from edge.quantities import counted


def check_finite(name: str, scores: NDArray[np.float32]) -> None:
    """Check that scores [n, classes] are finite.

    Raises:
        ConversionError: they are not; the error names the variant.
    """
    bad = int((~np.isfinite(scores)).any(1).sum())
    if bad:
        raise ConversionError(
            "finite scores",
            f"NaN or infinity for {bad} of {counted(len(scores), 'image')} in {name}",
            _fix(name),
            code="scores-not-finite",
        )


def check_informative(name: str, scores: NDArray[np.float32]) -> None:
    """Check that scores [n, classes] depend on the image: neither constant nor saturated.

    Raises:
        ConversionError: they do not; the error names the variant.
    """
    fix = _fix(name)
    if len(scores) > 1 and float(np.ptp(scores, axis=0).max()) < 1e-6:
        raise ConversionError(
            "scores that depend on the image",
            f"the same scores for all {counted(len(scores), 'image')} in {name}",
            fix,
            code="scores-constant",
        )
    # A softmax has one highest class: several at 1, or all at 0, are saturated.
    stuck = int((((scores >= 1 - 1 / 256).sum(1) > 1) | (scores <= 0).all(1)).sum())
    if 2 * stuck > len(scores):
        raise ConversionError(
            "scores with a single highest class",
            f"saturated scores for {stuck} of {counted(len(scores), 'image')} in {name}",
            fix,
            code="scores-saturated",
        )


def _fix(name: str) -> str:
    again = "train again with other --weights, more --epochs or another --seed"
    return again if "float" in name else f"use another recipe, such as float16, or {again}"
