"""Channel pruning: narrow the blocks, reconstruct them, recover by distillation."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.compression.channels.blocks import Block, find_blocks, keep_channels
from converters.compression.channels.costs import COSTS
from converters.compression.channels.importance import MEASURES
from converters.compression.channels.reconstruction import reconstruct
from converters.compression.channels.widths import Costs, choose_widths, cost_of
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

    ``keep``: share of what the blocks cost that stays, above 0 up to 1. ``cost``: what they cost, a
    name in :data:`converters.compression.channels.costs.COSTS`; only "multiply-adds" are the same
    on every machine. ``importance``: the criterion that ranks channels, a name in
    :data:`converters.compression.channels.importance.MEASURES`. ``epochs`` (at most, 0 or more),
    ``learning_rate`` and ``label_weight``: of the retraining, see
    :class:`converters.compression.distillation.DistillationConfig`.

    Raises:
        UsageError: a value outside its range.
    """

    keep: float = 0.5
    cost: str = "time"
    importance: str = "residual"
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
        _check_name("cost", self.cost, COSTS)
        _check_name("importance", self.importance, MEASURES)
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


def _check_name(key: str, value: str, known: Mapping[str, Any]) -> None:
    if value not in known:
        raise UsageError(
            f"{key} to be one of {', '.join(known)}",
            repr(value),
            did_you_mean(value, known, f'use {key} = "{next(iter(known))}"'),
            code="unknown-option-value",
        )


def run(state: RecipeState, options: ChannelOptions, context: RecipeContext) -> RecipeState:
    """Narrow the inverted residual blocks of the state's model.

    Their widths are those that lose least for a share of what the blocks cost. The most important
    channels stay; the projections are refitted so that each block's output stays close to the
    original, and the head, so that the scores do. Only where the validation
    accuracy is lower by more than chance is the network then distilled from the teacher, until it
    is back; that is kept only if it improves the validation result.

    Raises:
        ConversionError: the model has no inverted residual blocks.
    """
    blocks = find_blocks(state.model)
    narrowed, widths, costs = _narrow(state.model, blocks, options, context)
    before, reconstructed = (_validate(model, context) for model in (state.model, narrowed))
    recovery, end = None, reconstructed
    if options.epochs and _lost(before[0], reconstructed[0], len(context.split.validation)):
        recovery, end = _recover(narrowed, options, context, before[0], reconstructed)
    results = {"before": before, "reconstructed": reconstructed, "end": end}
    details = {
        "channels": widths,
        "channels_before": _widths(blocks),
        "costs": {name: {str(w): c for w, c in known.items()} for name, known in costs.items()},
        "cost_kept": cost_of(widths, costs) / cost_of(_widths(blocks), costs),
        "validation_accuracy": {stage: accuracy for stage, (accuracy, _) in results.items()},
        "validation_loss": {stage: loss for stage, (_, loss) in results.items()},
        "recovery": None if recovery is None else recovery.to_dict(),
        "recovery_kept": results["end"] != reconstructed,
    }
    return replace(
        state,
        model=narrowed,
        notes=(*state.notes, _note(details, options.cost)),
        details=(*state.details, details),
    )


def _widths(blocks: tuple[Block, ...]) -> dict[str, int]:
    return {block.name: block.channels for block in blocks}


def _note(details: dict[str, Any], unit: str) -> str:
    width, whole = (sum(details[name].values()) for name in ("channels", "channels_before"))
    accuracy = details["validation_accuracy"]
    note = (
        f"Kept {width} of {whole} inner channels, at {details['cost_kept']:.0%} of the blocks' "
        f"{unit}. Validation accuracy: "
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
) -> tuple[Any, dict[str, int], Costs]:
    """Return the narrower network with its projections refitted, the widths, and what they cost."""
    with context.progress.working("measuring blocks"):
        costs = COSTS[options.cost](model, blocks)
    with blas.one_thread():
        with context.progress.working("ranking channels"):
            rankings = MEASURES[options.importance](model, blocks, context)
        losses = {name: ranking.losses for name, ranking in rankings.items()}
        widths = choose_widths(losses, costs, options.keep)
        kept = {name: rankings[name].most_important(width) for name, width in widths.items()}
        narrowed = keep_channels(model, kept)
        fitting = reconstruct(narrowed, model, blocks, _inputs(context))
        for _ in context.progress.track(fitting, len(blocks), "reconstructing blocks"):
            pass
    return narrowed, widths, costs


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
