"""Least-squares refit: adjust the remaining weights of pruned kernels to compensate.

Least squares on the activations of some images, layer after layer, without a gradient: the idea
of He, Zhang and Sun, "Channel Pruning for Accelerating Very Deep Neural Networks", ICCV 2017, for
single weights. A layer is fitted on the actual output of the pruned layers before it, so it also
corrects their error.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import tf

_RIDGE = 1e-3
"""Pull towards the original weights, relative to the mean square of the activations."""

_BATCH = 16

Batches = list[Any]
"""Activations [16 or fewer, h, w, c] each, as tensors."""


def refit(pruned: Any, model: Any, names: set[str], inputs: NDArray[np.float32]) -> Iterator[str]:
    """Fit the kernels of 1×1 convolutions in place, yielding each name when it is done.

    Weights that are zero stay zero.

    Args:
        pruned: flat tf_keras model, the same layers as ``model`` with zeros in some kernels.
        model: the original network; not changed.
        names: the layers to fit.
        inputs: float32 [n, h, w, 3] in [-1, 1], n ≥ 1. About 20 MB are needed for each of 224
            pixels a side.
    """
    batches = [inputs[start : start + _BATCH] for start in range(0, len(inputs), _BATCH)]
    both = zip(_layers(pruned, batches), _layers(model, batches), strict=True)
    for (layer, inputs_now), (original, inputs_before) in both:
        if layer.name in names:
            (kernel,) = original.get_weights()
            kept = layer.get_weights()[0][0, 0] != 0
            squares, products = _moments(inputs_now, [original(x) for x in inputs_before])
            layer.set_weights([_solve(squares, products, kernel[0, 0], kept)[None, None]])
            yield layer.name


def _layers(model: Any, batches: Batches) -> Iterator[tuple[Any, Batches]]:
    """Yield each layer of a flat model with its (first) input, before the layer runs.

    It runs when the next one is requested, with its weights of that moment. Activations that no
    layer needs any more are freed.
    """
    nest = tf.tensorflow().nest
    layers = [layer for layer in model.layers if layer.input is not layer.output]
    needed = Counter(id(source) for layer in layers for source in nest.flatten(layer.input))
    values = {id(model.input): batches}
    for layer in layers:
        sources = [id(source) for source in nest.flatten(layer.input)]
        yield layer, values[sources[0]]
        rows = list(zip(*(values[source] for source in sources), strict=True))
        for source in sources:
            needed[source] -= 1
            if not needed[source]:
                del values[source]
        values[id(layer.output)] = [layer(row[0] if len(row) == 1 else list(row)) for row in rows]


def _moments(inputs: Batches, outputs: Batches) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Average products over all positions: of inputs with each other, and with the outputs."""
    flat = [(_flatten(x), _flatten(y)) for x, y in zip(inputs, outputs, strict=True)]
    count = sum(len(x) for x, _ in flat)
    squares = np.sum([x.T @ x for x, _ in flat], axis=0, dtype=np.float64)
    products = np.sum([x.T @ y for x, y in flat], axis=0, dtype=np.float64)
    return squares / count, products / count


def _flatten(activations: Any) -> NDArray[np.float32]:
    return np.asarray(activations).reshape(-1, activations.shape[-1])


def _solve(
    squares: NDArray[np.float64],
    products: NDArray[np.float64],
    kernel: NDArray[np.float32],
    kept: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """Solve for the kernel [inputs, outputs] with the least squared error, where ``kept``."""
    ridge = _RIDGE * np.trace(squares) / len(squares) + np.finfo(np.float32).tiny
    left = squares + ridge * np.eye(len(squares))
    right = products + ridge * kernel
    fitted = np.zeros(kernel.shape, np.float32)
    for output, own in enumerate(kept.T):
        (rows,) = np.nonzero(own)
        fitted[rows, output] = np.linalg.solve(left[np.ix_(rows, rows)], right[rows, output])
    return fitted
