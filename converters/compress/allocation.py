"""Allocation: how the zeros of a pruned model are spread over its layers.

Lee et al., "Layer-adaptive Sparsity for the Magnitude-based Pruning", ICLR 2021: small early layers
keep more.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import tf
from converters.compress.keras_models import pointwise
from edge.errors import ConversionError

MOST = 0.99
"""The share of zeros beyond which nothing would be left of a layer."""


def allocate(model: Any, sparsity: float) -> dict[str, float]:
    """The share of zeros for each 1×1 convolution of a flat tf_keras model.

    A weight's score is its square over the sum of the squares of all of its layer that are no
    smaller: what removing it would distort, given that smaller ones are gone already. The lowest
    scores of all layers go, until ``sparsity`` of the weights of all convolutions and dense layers
    is zero, the others' included, which are left alone.

    Raises:
        ConversionError: 1×1 convolutions hold too few of the model's weights for that.
    """
    kernels = {layer.name: layer.get_weights()[0] for layer in pointwise(model)}
    share = _within(model, sum(kernel.size for kernel in kernels.values()), sparsity)
    scores = {name: _scores(kernel) for name, kernel in kernels.items()}
    limit = np.quantile(np.concatenate(list(scores.values())), share)
    return {name: float((score < limit).mean()) for name, score in scores.items()}


def _within(model: Any, prunable: int, sparsity: float) -> float:
    """The share of the ``prunable`` weights that is the share ``sparsity`` of all."""
    layers = tf.keras().layers
    kinds = (layers.Conv2D, layers.DepthwiseConv2D, layers.Dense)
    weighted = [one for one in model.layers if isinstance(one, kinds)]
    every = sum(int(one.get_weights()[0].size) for one in weighted)
    most = int(100 * MOST * prunable / max(1, every)) / 100
    if sparsity > most:
        raise ConversionError(
            f"sparsity to be at most {most:g}, as only 1x1 convolutions are pruned",
            f"{sparsity:g}",
            f"use sparsity = {most:g}" if most > 0 else "remove the prune step",
            code="sparsity-too-high",
        )
    return sparsity * every / prunable


def _scores(kernel: NDArray[np.float32]) -> NDArray[np.float64]:
    squares = np.sort(np.square(kernel, dtype=np.float64), axis=None)[::-1]
    return np.asarray(squares / np.maximum(np.cumsum(squares), np.finfo(np.float64).tiny))
