"""Magnitude pruning: the smallest weights become zero, while the others make up for it.

The share of zeros rises along a polynomial (Zhu and Gupta, "To prune, or not to prune", 2017) in
rounds, in each of which least squares refit what is left. Then the network trains with its zeros
held. On few images that keeps far more than letting zeros rise while the network trains, where
what it learned is gone before a low rate brings it back.

Only 1×1 convolutions are pruned. They hold 97 % of MobileNetV2's weights; depthwise convolutions,
stem and head would lose much and save nothing.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from converters import tf
from converters.compress import distillation
from converters.compress.allocation import MOST, allocate
from converters.compress.context import RecipeContext, RecipeState
from converters.compress.keras_models import clone, pointwise, strip_wrappers
from converters.compress.least_squares_refit import refit
from edge.errors import UsageError

_POWER = 3
"""Of the polynomial, as in the paper: most goes early, when much can be spared."""

_IMAGES = 64
"""Of the calibration set, to refit with: each layer is seen at thousands of places in each."""


@dataclass(frozen=True, slots=True)
class MagnitudeOptions:
    """``sparsity``: share of zeros among the weights of all convolutions and dense layers, above 0
    and below 1, as the report gives it. ``rounds``: in how many it is reached, 1 to 10.

    ``epochs``, ``rate`` and ``hard`` as in :class:`converters.compress.distillation.DistillationConfig`.

    Raises:
        UsageError: a value out of its range.
    """

    sparsity: float = 0.75
    rounds: int = 3
    epochs: int = 5
    rate: float = 1e-4
    hard: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.sparsity <= MOST:
            raise UsageError(
                f"sparsity to be above 0 and at most {MOST:g}",
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
        self.plan()

    def plan(self) -> distillation.DistillationConfig:
        return distillation.DistillationConfig(
            "recovering accuracy", self.epochs, self.rate, hard=self.hard
        )


def run(draft: RecipeState, options: MagnitudeOptions, material: RecipeContext) -> RecipeState:
    """The draft with a pruned model.

    Raises:
        ConversionError: the model has too few weights in 1×1 convolutions.
    """
    model, details = prune(draft.model, options, material)
    note = (
        f"{details['zeros']:.1%} of the weights in 1x1 convolutions are zero. "
        "This makes the compressed file smaller but inference no faster: no int8 kernel skips "
        "individual zeros, on the CPU or on the Edge TPU."
    )
    return replace(
        draft, model=model, notes=(*draft.notes, note), details=(*draft.details, details)
    )


def prune(
    model: Any, options: MagnitudeOptions, material: RecipeContext
) -> tuple[Any, dict[str, Any]]:
    """A pruned copy of a flat tf_keras model, recovered towards the material's teacher.

    Returns:
        the plain model, and what was done: ``zeros``, the share among the weights of 1×1
        convolutions, ``layers``, the share in each, and ``recovery``.

    Raises:
        ConversionError: the model has too few weights in 1×1 convolutions.
    """
    student = _cut(model, options, material)
    wrapped = _held(clone(student))
    done = distillation.distil(
        wrapped,
        material.teacher,
        material,
        options.plan(),
        callbacks=[tf.tfmot().sparsity.keras.UpdatePruningStep()],
    )
    pruned = strip_wrappers(wrapped, like=student)
    kernels = {layer.name: layer.get_weights()[0] for layer in pointwise(pruned)}
    sizes = [kernel.size for kernel in kernels.values()]
    zeros = {name: float(np.mean(kernel == 0)) for name, kernel in kernels.items()}
    return pruned, {
        "zeros": float(np.average(list(zeros.values()), weights=sizes)),
        "layers": zeros,
        "recovery": done.to_dict(),
    }


def shares(options: MagnitudeOptions) -> list[float]:
    """The share of zeros after each round.

    >>> [round(share, 2) for share in shares(MagnitudeOptions(sparsity=0.75, rounds=3))]
    [0.53, 0.72, 0.75]
    """
    left = (1 - number / options.rounds for number in range(1, options.rounds + 1))
    return [options.sparsity * (1 - part**_POWER) for part in left]


def _cut(model: Any, options: MagnitudeOptions, material: RecipeContext) -> Any:
    """A copy of ``model`` without the smallest weights, refitted."""
    student = clone(model)
    inputs = material.dataset.preprocessing.normalize(material.calibration[:_IMAGES])
    for number, share in enumerate(shares(options), start=1):
        zeros = allocate(student, share)
        for layer in pointwise(student):
            (kernel,) = layer.get_weights()
            size = np.abs(kernel)
            layer.set_weights([kernel * (size >= np.quantile(size, zeros[layer.name]))])
        what = f"pruning, round {number} of {options.rounds}"
        for _ in material.progress.track(
            refit(student, model, set(zeros), inputs), len(zeros), what
        ):
            pass
    return student


def _held(model: Any) -> Any:
    """``model`` within wrappers that keep its zeros while it trains."""
    sparsity = tf.tfmot().sparsity.keras
    pruned = {layer.name for layer in pointwise(model)}

    def wrap(layer: Any) -> Any:
        if layer.name not in pruned:
            return layer
        share = float(np.mean(layer.get_weights()[0] == 0))
        # The mask is taken once, in the first step, before anything has grown.
        once = sparsity.ConstantSparsity(share, begin_step=0, end_step=1, frequency=1)
        return sparsity.prune_low_magnitude(layer, pruning_schedule=once)

    return tf.keras().models.clone_model(model, clone_function=wrap)
