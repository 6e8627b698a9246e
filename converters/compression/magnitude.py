"""Magnitude pruning: the smallest weights become zero, and the others are refitted.

The share of zeros rises along a polynomial (Zhu and Gupta, "To prune, or not to prune", 2017) in
rounds; in each, least squares refit the remaining weights. Then the network trains with its zeros
held. On few images this keeps far more accuracy than raising the share while the network trains,
which destroys what it has learned before a low learning rate can recover it.

The refit applies the idea of He, Zhang and Sun, "Channel Pruning for Accelerating Very Deep Neural
Networks", ICCV 2017, to single weights: least squares on the activations of some images, layer
after layer, without a gradient. A layer is fitted on the actual output of the pruned layers before
it, so it also corrects their error.

Only 1×1 convolutions are pruned. They hold 97 % of MobileNetV2's weights; depthwise convolutions,
stem and head would lose much and save nothing. Zeros are spread over the layers after Lee et al.,
"Layer-adaptive Sparsity for the Magnitude-based Pruning", ICLR 2021: small early layers keep more.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import tf
from converters.compression import distillation
from converters.compression.context import RecipeContext, RecipeState
from converters.compression.keras_models import pointwise, weight_pairs
from edge.errors import ConversionError, UsageError

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


MAX_SPARSITY = 0.99
"""Share of zeros beyond which nothing would be left of a layer."""

_POWER = 3
"""Exponent of the polynomial, as in the paper: most weights go early, when many are redundant."""

_REFIT_IMAGES = 64
"""Calibration images to refit with: each layer is read at thousands of positions in each."""


@dataclass(frozen=True, slots=True)
class MagnitudeOptions:
    """Options of magnitude pruning.

    ``sparsity``: share of zeros among the weights of all convolutions and dense layers, above 0
    and below 1, as in the report. ``rounds``: in how many it is reached, 1 to 10. ``epochs``,
    ``learning_rate`` and ``label_weight`` as in
    :class:`converters.compression.distillation.DistillationConfig`.

    Raises:
        UsageError: a value out of its range.
    """

    sparsity: float = 0.75
    rounds: int = 3
    epochs: int = 5
    learning_rate: float = 1e-4
    label_weight: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.sparsity <= MAX_SPARSITY:
            raise UsageError(
                f"sparsity to be above 0 and at most {MAX_SPARSITY:g}",
                f"{self.sparsity:g}",
                "use sparsity = 0.75",
                code="option-out-of-range",
            )
        if not 1 <= self.rounds <= 10:
            raise UsageError(
                "rounds to be from 1 to 10",
                str(self.rounds),
                "use rounds = 3",
                code="option-out-of-range",
            )
        self.distillation()

    def distillation(self) -> distillation.DistillationConfig:
        """Return the configuration of the training that recovers accuracy."""
        return distillation.DistillationConfig(
            "recovering accuracy",
            self.epochs,
            self.learning_rate,
            label_weight=self.label_weight,
        )


def run(state: RecipeState, options: MagnitudeOptions, context: RecipeContext) -> RecipeState:
    """Return the state with a pruned model.

    Raises:
        ConversionError: the model has too few weights in 1×1 convolutions.
    """
    model, details = prune(state.model, options, context)
    note = (
        f"{details['zeros']:.1%} of the weights in 1x1 convolutions are zero. "
        "This makes the compressed file smaller but inference no faster: no int8 kernel skips "
        "individual zeros, on the CPU or on the Edge TPU."
    )
    return replace(
        state, model=model, notes=(*state.notes, note), details=(*state.details, details)
    )


def prune(
    model: Any, options: MagnitudeOptions, context: RecipeContext
) -> tuple[Any, dict[str, Any]]:
    """Copy, prune and retrain a flat tf_keras model, with the context's teacher.

    Returns:
        The plain model, and details: ``zeros``, the share among the weights of 1×1 convolutions,
        ``layers``, the share in each, and ``recovery``.

    Raises:
        ConversionError: the model has too few weights in 1×1 convolutions.
    """
    pruned = _prune_in_rounds(model, options, context)
    wrapped = _hold_zeros(pruned)
    log = distillation.distill(
        wrapped,
        context.teacher,
        context,
        options.distillation(),
        callbacks=[tf.tfmot().sparsity.keras.UpdatePruningStep()],
    )
    for weight, trained in weight_pairs(pruned, wrapped):
        weight.assign(trained)
    kernels = {layer.name: layer.get_weights()[0] for layer in pointwise(pruned)}
    sizes = [kernel.size for kernel in kernels.values()]
    zeros = {name: float(np.mean(kernel == 0)) for name, kernel in kernels.items()}
    return pruned, {
        "zeros": float(np.average(list(zeros.values()), weights=sizes)),
        "layers": zeros,
        "recovery": log.to_dict(),
    }


def sparsity_schedule(options: MagnitudeOptions) -> list[float]:
    """Return the share of zeros after each round.

    >>> [round(s, 2) for s in sparsity_schedule(MagnitudeOptions(sparsity=0.75, rounds=3))]
    [0.53, 0.72, 0.75]
    """
    left = (1 - number / options.rounds for number in range(1, options.rounds + 1))
    return [options.sparsity * (1 - part**_POWER) for part in left]


def allocate(model: Any, sparsity: float) -> dict[str, float]:
    """Return the share of zeros for each 1×1 convolution of a flat tf_keras model, by layer name.

    A weight's score is its square over the sum of the squares of all weights of its layer that are
    no smaller: the distortion of removing it once the smaller ones are gone. The lowest scores of
    all layers go, until ``sparsity`` of the weights of all convolutions and dense layers is zero,
    including those of layers that are not pruned.

    Raises:
        ConversionError: 1×1 convolutions hold too few of the model's weights for that.
    """
    kernels = {layer.name: layer.get_weights()[0] for layer in pointwise(model)}
    share = _prunable_share(model, sum(kernel.size for kernel in kernels.values()), sparsity)
    scores = {name: _scores(kernel) for name, kernel in kernels.items()}
    limit = np.quantile(np.concatenate(list(scores.values())), share)
    return {name: float((score < limit).mean()) for name, score in scores.items()}


def _prunable_share(model: Any, prunable: int, sparsity: float) -> float:
    """Return the share of the ``prunable`` weights that equals ``sparsity`` of all weights."""
    layers = tf.keras().layers
    kinds = (layers.Conv2D, layers.DepthwiseConv2D, layers.Dense)
    weighted = [layer for layer in model.layers if isinstance(layer, kinds)]
    total = sum(int(layer.get_weights()[0].size) for layer in weighted)
    limit = int(100 * MAX_SPARSITY * prunable / max(1, total)) / 100
    if sparsity > limit:
        raise ConversionError(
            f"sparsity to be at most {limit:g}, as only 1x1 convolutions are pruned",
            f"{sparsity:g}",
            f"use sparsity = {limit:g}" if limit > 0 else "remove the prune step",
            code="sparsity-too-high",
        )
    return sparsity * total / prunable


def _scores(kernel: NDArray[np.float32]) -> NDArray[np.float64]:
    squares = np.sort(np.square(kernel, dtype=np.float64), axis=None)[::-1]
    return np.asarray(squares / np.maximum(np.cumsum(squares), np.finfo(np.float64).tiny))


def _prune_in_rounds(model: Any, options: MagnitudeOptions, context: RecipeContext) -> Any:
    """Return a copy of ``model`` without the smallest weights, refitted."""
    student = tf.clone_model(model)
    inputs = context.dataset.preprocessing.normalize(context.calibration[:_REFIT_IMAGES])
    for number, share in enumerate(sparsity_schedule(options), start=1):
        zeros = allocate(student, share)
        for layer in pointwise(student):
            (kernel,) = layer.get_weights()
            size = np.abs(kernel)
            layer.set_weights([kernel * (size >= np.quantile(size, zeros[layer.name]))])
        title = f"pruning, round {number} of {options.rounds}"
        refitting = refit(student, model, set(zeros), inputs)
        for _ in context.progress.track(refitting, len(zeros), title):
            pass
    return student


def _hold_zeros(model: Any) -> Any:
    """Return a copy of ``model`` in wrappers, whose zeros stay while it trains."""
    sparsity = tf.tfmot().sparsity.keras
    pruned = {layer.name for layer in pointwise(model)}

    def wrap(layer: Any) -> Any:
        copy = type(layer).from_config(layer.get_config())
        if layer.name not in pruned:
            return copy
        share = float(np.mean(layer.get_weights()[0] == 0))
        # The mask is computed once, in the first step, before any weight has changed.
        once = sparsity.ConstantSparsity(share, begin_step=0, end_step=1, frequency=1)
        return sparsity.prune_low_magnitude(copy, pruning_schedule=once)

    wrapped = tf.keras().models.clone_model(model, clone_function=wrap)
    for weight, copied in weight_pairs(model, wrapped):
        copied.assign(weight)
    return wrapped
