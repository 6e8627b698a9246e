"""Explanation of a class: which parts of an image speak for it."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.results import Classification, ClassScore


@dataclass(frozen=True, slots=True)
class Explanation(Classification):
    """Classes of one image, and what speaks for one of them.

    Attributes:
        explained: The class that is explained, with its score.
        heatmap: float32 [rows, columns] over the whole image, not in the JSON: 1 is what speaks
            most for the class, 0 what does not or speaks against it.
        method: "cam", "gradcam" or "occlusion".
    """

    explained: ClassScore = field(kw_only=True)
    heatmap: NDArray[np.float32] = field(kw_only=True, compare=False, repr=False)
    method: str = field(kw_only=True)

    @property
    def peak(self) -> tuple[float, float] | None:
        """Center of the strongest cell as x and y from 0 to 1; None where nothing speaks for it."""
        if not self.heatmap.any():
            return None
        rows, columns = self.heatmap.shape
        row, column = divmod(int(self.heatmap.argmax()), columns)
        return (column + 0.5) / columns, (row + 0.5) / rows

    def to_dict(self) -> dict[str, Any]:
        """Return the classes, and ``"explained": {"label", "score", "method", "peak"}``."""
        peak = self.peak
        explained = {
            "label": self.explained.label,
            "score": round(self.explained.score, 6),
            "method": self.method,
            "peak": None if peak is None else [round(value, 4) for value in peak],
        }
        return {**Classification.to_dict(self), "explained": explained}


def as_heatmap(evidence: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what speaks for a class, from 0 to 1, of signed evidence float32 [rows, columns]."""
    positive = np.maximum(evidence, 0)
    highest = float(positive.max())
    return np.asarray(positive / highest if highest > 0 else positive, np.float32)
