"""The step that prunes channels: choose, take out, reconstruct, recover."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.compress.channels import blocks, importance, widths
from converters.compress.channels.blocks import Block
from converters.compress.channels.reconstruction import reconstruct
from converters.compress.context import RecipeContext, RecipeState
from converters.compress.distillation import DistillationConfig, DistillationLog, distil
from converters.training import epochs
from edge.errors import UsageError, did_you_mean

_PIXELS = 256 * 224**2
"""Pixels of the training images from which blocks are reconstructed, at least of 32 images.

On 480 grocery photos at 224 pixels 256 leave half to two points more than the 96 that calibrate
int8; on clothes at 96 pixels 800 leave one point more than 256.
"""


@dataclass(frozen=True, slots=True)
class ChannelOptions:
    """``keep``: share of the expansion channels that stay, above 0 up to 1, the same in each
    block. ``importance``: how channels are ranked, a name in
    :data:`converters.compress.channels.importance.MEASURES`. ``epochs`` (0 or more), ``rate`` and
    ``hard``: of the recovery, see :class:`converters.compress.distillation.DistillationConfig`.

    Raises:
        UsageError: a value outside its range.
    """

    keep: float = 0.5
    importance: str = "contribution"
    epochs: int = 3
    rate: float = 5e-5
    hard: float = 0.1

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
        self.plan()

    def plan(self) -> DistillationConfig:
        """Of the recovery; without ``epochs`` there is none to follow it."""
        return DistillationConfig(
            "recovering accuracy", max(1, self.epochs), self.rate, hard=self.hard
        )


def run(draft: RecipeState, options: ChannelOptions, material: RecipeContext) -> RecipeState:
    """Narrow the expansion of every inverted residual block of the draft's model.

    The most important channels stay; the projections are fitted anew so that each block gives
    what it gave; then the whole network learns from the teacher, where that is better on
    validation.

    Raises:
        ConversionError: the model has no blocks that expand.
    """
    found = blocks.find(draft.model)
    narrowed, wanted = _narrowed(draft.model, found, options, material)
    fitted = _judge(narrowed, material)
    recovery = _recover(narrowed, options, material, fitted) if options.epochs else None
    judged = {
        "before": _judge(draft.model, material),
        "reconstructed": fitted,
        "end": _judge(narrowed, material),
    }
    details = {
        "channels": wanted,
        "channels_before": {block.name: block.channels for block in found},
        "validation_accuracy": {when: accuracy for when, (accuracy, _) in judged.items()},
        "validation_loss": {when: loss for when, (_, loss) in judged.items()},
        "recovery": None if recovery is None else recovery.to_dict(),
        "recovery_kept": judged["end"] != fitted,
    }
    return replace(
        draft,
        model=narrowed,
        notes=(*draft.notes, _note(details)),
        details=(*draft.details, details),
    )


def _note(details: dict[str, Any]) -> str:
    width, whole = (sum(details[name].values()) for name in ("channels", "channels_before"))
    accuracy = details["validation_accuracy"]
    note = (
        f"Kept {width} of {whole} expansion channels ({width / whole:.0%}). Validation accuracy: "
        f"{accuracy['before']:.1%} before, {accuracy['reconstructed']:.1%} after reconstructing "
        "the blocks"
    )
    if details["recovery"] is None:
        return f"{note}."
    count = details["recovery"]["epochs"]
    training = f"{count} epoch{'s' if count > 1 else ''} of training"
    if details["recovery_kept"]:
        return f"{note}, {accuracy['end']:.1%} after {training}."
    return f"{note}; {training} did not improve it and was discarded."


def _narrowed(
    model: Any, found: tuple[Block, ...], options: ChannelOptions, material: RecipeContext
) -> tuple[Any, dict[str, int]]:
    """The narrower network with its projections fitted, and the width of each block."""
    with material.progress.working("ranking channels"):
        scores = importance.MEASURES[options.importance](model, found, material)
    wanted = widths.widths(found, options.keep)
    narrowed = blocks.narrow(model, widths.choose(scores, wanted))
    fitting = reconstruct(narrowed, model, found, _inputs(material))
    for _ in material.progress.track(fitting, len(found), "reconstructing blocks"):
        pass
    return narrowed, wanted


def _inputs(material: RecipeContext) -> NDArray[np.float32]:
    """Images drawn from the training side, as the model gets them."""
    rng = np.random.default_rng([material.seed, 0xF17])  # a stream of its own
    pixels = material.dataset.pixels
    most = max(32, _PIXELS // (pixels.shape[1] * pixels.shape[2]))
    drawn = rng.permutation(material.split.train)[:most]
    return material.dataset.preprocessing.normalize(pixels[drawn])


def _recover(
    narrowed: Any, options: ChannelOptions, material: RecipeContext, fitted: tuple[float, float]
) -> DistillationLog:
    """Train ``narrowed``; it stays as it was where the best epoch is no better than ``fitted``."""
    weights = narrowed.get_weights()
    recovery = distil(narrowed, material.teacher, material, options.plan())
    accuracy, loss = _judge(narrowed, material)
    if (accuracy, -loss) < (fitted[0], -fitted[1]):
        narrowed.set_weights(weights)
    return recovery


def _judge(model: Any, material: RecipeContext) -> tuple[float, float]:
    """Accuracy and log-loss on the validation side."""
    return epochs.judge(model, material.dataset, material.split.validation)
