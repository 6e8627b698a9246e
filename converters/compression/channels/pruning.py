"""Channel pruning: remove expansion channels, reconstruct the blocks, recover by distillation."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.compression.channels import importance
from converters.compression.channels.importance import (
    Block,
    allot_widths,
    find_blocks,
    keep_channels,
    top_channels,
)
from converters.compression.channels.reconstruction import reconstruct
from converters.compression.context import RecipeContext, RecipeState
from converters.compression.distillation import DistillationConfig, DistillationLog, distill
from converters.compression.scoring import scorer
from converters.training import fit
from edge import blas
from edge.errors import UsageError, did_you_mean
from edge.quantities import counted

_RECONSTRUCTION_PIXELS = 256 * 224**2
"""Pixels of the training images from which blocks are reconstructed, at least of 32 images.

On 480 grocery photos at 224 pixels, 256 images keep half to two points more accuracy than the 96
that calibrate int8; on clothes at 96 pixels, 800 keep one point more than 256.
"""


@dataclass(frozen=True, slots=True)
class ChannelOptions:
    """Options of channel pruning.

    ``keep``: share of the expansion channels that stay, above 0 up to 1, the same in each block.
    ``importance``: the criterion that ranks channels, a name in
    :data:`converters.compression.channels.importance.MEASURES`. ``epochs`` (at most, 0 or more),
    ``learning_rate`` and ``label_weight``: of the retraining, see
    :class:`converters.compression.distillation.DistillationConfig`.

    Raises:
        UsageError: a value outside its range.
    """

    keep: float = 0.5
    importance: str = "contribution"
    epochs: int = 3
    learning_rate: float = 5e-5
    label_weight: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.keep <= 1:
            raise UsageError(
                "keep to be above 0 and at most 1",
                f"{self.keep:g}",
                "use keep = 0.5",
                code="option-out-of-range",
            )
        if self.importance not in importance.MEASURES:
            raise UsageError(
                f"importance to be one of {', '.join(importance.MEASURES)}",
                repr(self.importance),
                did_you_mean(
                    self.importance, importance.MEASURES, 'use importance = "contribution"'
                ),
                code="unknown-option-value",
            )
        if self.epochs < 0:
            raise UsageError(
                "epochs to be 0 or more",
                str(self.epochs),
                "use epochs = 3",
                code="option-out-of-range",
            )
        self.distillation()

    def distillation(self) -> DistillationConfig:
        """Return the configuration of the retraining; unused without ``epochs``."""
        return DistillationConfig(
            "recovering accuracy",
            max(1, self.epochs),
            self.learning_rate,
            label_weight=self.label_weight,
            patience=1,
        )


def run(state: RecipeState, options: ChannelOptions, context: RecipeContext) -> RecipeState:
    """Narrow the expansion of every inverted residual block of the state's model.

    The most important channels stay; the projections are refitted so that each block's output
    stays close to the original, and the head, so that the scores do. Only where the validation
    accuracy is lower by more than chance is the network then distilled from the teacher, until it
    is back; that is kept only if it improves the validation result.

    Raises:
        ConversionError: the model has no blocks that expand.
    """
    blocks = find_blocks(state.model)
    narrowed, widths = _narrow(state.model, blocks, options, context)
    before, reconstructed = (_validate(model, context) for model in (state.model, narrowed))
    recovery, end = None, reconstructed
    if options.epochs and _lost(before[0], reconstructed[0], len(context.split.validation)):
        recovery, end = _recover(narrowed, options, context, before[0], reconstructed)
    results = {"before": before, "reconstructed": reconstructed, "end": end}
    details = {
        "channels": widths,
        "channels_before": {block.name: block.channels for block in blocks},
        "validation_accuracy": {stage: accuracy for stage, (accuracy, _) in results.items()},
        "validation_loss": {stage: loss for stage, (_, loss) in results.items()},
        "recovery": None if recovery is None else recovery.to_dict(),
        "recovery_kept": results["end"] != reconstructed,
    }
    return replace(
        state,
        model=narrowed,
        notes=(*state.notes, _note(details)),
        details=(*state.details, details),
    )


def _note(details: dict[str, Any]) -> str:
    width, whole = (sum(details[name].values()) for name in ("channels", "channels_before"))
    accuracy = details["validation_accuracy"]
    note = (
        f"Kept {width} of {whole} expansion channels ({width / whole:.0%}). Validation accuracy: "
        f"{accuracy['before']:.1%} before, {accuracy['reconstructed']:.1%} after reconstructing "
        "blocks and head"
    )
    if details["recovery"] is None:
        return f"{note}."
    count = details["recovery"]["epochs"]
    training = f"{counted(count, 'epoch')} of training"
    if details["recovery_kept"]:
        return f"{note}, {accuracy['end']:.1%} after {training}."
    return f"{note}; {training} did not improve it and was discarded."


def _lost(before: float, after: float, images: int) -> bool:
    """Return whether accuracy fell by more than its standard error, on so many images.

    Least squares leaves little to train. On grocery photos an epoch for a loss within the error
    raised the log-loss.
    """
    return before - after > math.sqrt(after * (1 - after) / images)


def _narrow(
    model: Any, blocks: tuple[Block, ...], options: ChannelOptions, context: RecipeContext
) -> tuple[Any, dict[str, int]]:
    """Return the narrower network with its projections refitted, and the width of each block."""
    with blas.one_thread():
        with context.progress.working("ranking channels"):
            scores = importance.MEASURES[options.importance](model, blocks, context)
        widths = allot_widths(blocks, options.keep)
        narrowed = keep_channels(model, top_channels(scores, widths))
        fitting = reconstruct(narrowed, model, blocks, _inputs(context))
        for _ in context.progress.track(fitting, len(blocks), "reconstructing blocks"):
            pass
    return narrowed, widths


def _inputs(context: RecipeContext) -> Iterator[NDArray[np.float32]]:
    """Draw images from the training split, normalized, each float32 [h, w, 3]."""
    rng = np.random.default_rng([context.seed, 0xF17])  # a stream of its own
    pixels = context.dataset.pixels
    count = max(32, _RECONSTRUCTION_PIXELS // (pixels.shape[1] * pixels.shape[2]))
    drawn = rng.permutation(context.split.train)[:count]
    return (context.dataset.preprocessing.normalize(pixels[index]) for index in drawn)


def _recover(
    narrowed: Any,
    options: ChannelOptions,
    context: RecipeContext,
    goal: float,
    reconstructed: tuple[float, float],
) -> tuple[DistillationLog, tuple[float, float]]:
    """Train ``narrowed`` in place; undo it where the best epoch is worse than ``reconstructed``.

    Returns:
        The log, and the validation result of what is left in ``narrowed``.
    """
    weights = narrowed.get_weights()
    config = replace(options.distillation(), goal=goal)
    recovery = distill(narrowed, context.teacher, context, config)
    best = recovery.best - 1
    accuracy, loss = recovery.validation_accuracies[best], recovery.validation_losses[best]
    if (accuracy, -loss) < (reconstructed[0], -reconstructed[1]):
        narrowed.set_weights(weights)
        return recovery, reconstructed
    return recovery, (accuracy, loss)


def _validate(model: Any, context: RecipeContext) -> tuple[float, float]:
    """Return accuracy and log-loss on the validation split."""
    return fit.validate(scorer(model), context.dataset, context.split.validation)
