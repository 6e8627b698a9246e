"""Embeddings: the frozen backbone's pooled output for each picture, computed once, cached."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Pooled features, float32, with their labels, int64.

    ``train``: [n, views, d] (view 0 is the picture itself, the others are deterministic
    augmentations), ``validation``: [m, views, d] likewise (only view 0 is ever judged; the others
    serve the refit), ``computed`` and ``cached`` count pictures.
    """

    train: NDArray[np.float32]
    train_labels: NDArray[np.int64]
    validation: NDArray[np.float32]
    validation_labels: NDArray[np.int64]
    views: tuple[str, ...]
    computed: int
    cached: int
