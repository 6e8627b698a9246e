"""Channel pruning: remove expansion channels, reconstruct the blocks, recover by distillation.

Reconstruction follows He, Zhang and Sun, "Channel Pruning for Accelerating Very Deep Neural
Networks", ICCV 2017: least squares on the activations of some images, block after block, without a
gradient. A block's projection is fitted on the actual output of the narrowed blocks before it, so
it also corrects their error.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import tf
from converters.compression.channels import importance
from converters.compression.channels.importance import (
    Block,
    allot_widths,
    find_blocks,
    keep_channels,
    top_channels,
)
from converters.compression.context import RecipeContext, RecipeState
from converters.compression.distillation import DistillationConfig, DistillationLog, distill
from converters.training import fit
from edge.errors import UsageError, did_you_mean
from edge.quantities import counted

_RIDGE = 1e-3
"""Added to the diagonal, relative to its mean: on few images channels are nearly collinear."""

_BATCH = 16

Activations = NDArray[np.float32]


def reconstruct(
    narrowed: Any, model: Any, blocks: tuple[Block, ...], inputs: Activations
) -> Iterator[Block]:
    """Fit the projections of ``narrowed`` in place, yielding each block when it is done.

    Afterwards a block's output has the same mean as in ``model`` and the least squared error to
    it. Where the removed channels were never read, nothing changes.

    Args:
        narrowed: the result of :func:`converters.compression.channels.importance.keep_channels`.
        model: the original network; not changed.
        blocks: those of ``model``, in order.
        inputs: float32 [n, h, w, 3] in [-1, 1], n ≥ 1.
    """
    part = tf.keras().Model
    target = entering = inputs
    whole_entry, narrow_entry = model.input, narrowed.input
    for block in blocks:
        whole_exit, narrow_exit = _exit(model, block), _exit(narrowed, block)
        read = narrowed.get_layer(block.layer("project")).input
        target = _run(part(whole_entry, whole_exit), target)
        _fit(narrowed, block, part(narrow_entry, [read, narrow_exit]), entering, target)
        entering = _run(part(narrow_entry, narrow_exit), entering)
        whole_entry, narrow_entry = whole_exit, narrow_exit
        yield block


def _exit(model: Any, block: Block) -> Any:
    """Return the output tensor of a block, after its shortcut if it has one."""
    shortcut = block.layer("add")
    has_shortcut = any(layer.name == shortcut for layer in model.layers)
    return model.get_layer(shortcut if has_shortcut else block.layer("project_BN")).output


def _batches(count: int) -> Iterator[slice]:
    for start in range(0, count, _BATCH):
        yield slice(start, start + _BATCH)


def _run(part: Any, inputs: Activations) -> Activations:
    outputs = [part(inputs[rows], training=False).numpy() for rows in _batches(len(inputs))]
    return np.concatenate(outputs)


def _fit(
    narrowed: Any, block: Block, part: Any, entering: Activations, target: Activations
) -> None:
    """Change projection and BatchNorm of one block so that its output comes close to ``target``.

    ``part`` maps the block's input to the input of its projection, [n, h, w, channels], and the
    block's output, [n, h, w, outputs].
    """
    project = narrowed.get_layer(block.layer("project"))
    norm = narrowed.get_layer(block.layer("project_BN"))
    (kernel,) = project.get_weights()
    gamma, beta, mean, variance = norm.get_weights()
    scale = gamma / np.sqrt(variance + norm.epsilon)
    gain = np.divide(
        1.0, scale, out=np.zeros_like(scale), where=scale != 0
    )  # 0: no effect on the output
    sums = _Sums(kernel.shape[2], len(scale))
    for rows in _batches(len(entering)):
        read, output = part(entering[rows], training=False)
        sums.add(read.numpy(), (target[rows] - output.numpy()) * gain)
    slope, offset = sums.regression()
    project.set_weights([(kernel + slope).astype(np.float32)])
    norm.set_weights([gamma, beta, (mean - offset).astype(np.float32), variance])


class _Sums:
    """Sums over positions for the regression of the error [outputs] on the input [channels]."""

    def __init__(self, channels: int, outputs: int) -> None:
        self._count = 0
        self._read, self._missing = np.zeros(channels), np.zeros(outputs)
        self._squares = np.zeros((channels, channels))
        self._products = np.zeros((channels, outputs))

    def add(self, read: Activations, missing: Activations) -> None:
        x, y = read.reshape(-1, read.shape[-1]), missing.reshape(-1, missing.shape[-1])
        self._count += len(x)
        self._read += x.sum(axis=0, dtype=np.float64)
        self._missing += y.sum(axis=0, dtype=np.float64)
        self._squares += x.T @ x
        self._products += x.T @ y

    def regression(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Solve the ridge regression: slope [channels, outputs] and offset [outputs]."""
        read, missing = self._read / self._count, self._missing / self._count
        covariance = self._squares / self._count - np.outer(read, read)
        common = self._products / self._count - np.outer(read, missing)
        ridge = _RIDGE * np.trace(covariance) / len(read) + np.finfo(np.float32).tiny
        slope = np.linalg.solve(covariance + ridge * np.eye(len(read)), common)
        return slope, missing - read @ slope


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
    :data:`converters.compression.channels.importance.MEASURES`. ``epochs`` (0 or more),
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
        )


def run(state: RecipeState, options: ChannelOptions, context: RecipeContext) -> RecipeState:
    """Narrow the expansion of every inverted residual block of the state's model.

    The most important channels stay; the projections are refitted so that each block's output
    stays close to the original; then the network is distilled from the teacher, which is kept only
    if it improves the validation result.

    Raises:
        ConversionError: the model has no blocks that expand.
    """
    blocks = find_blocks(state.model)
    narrowed, widths = _narrow(state.model, blocks, options, context)
    reconstructed = _validate(narrowed, context)
    recovery = _recover(narrowed, options, context, reconstructed) if options.epochs else None
    results = {
        "before": _validate(state.model, context),
        "reconstructed": reconstructed,
        "end": _validate(narrowed, context),
    }
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
        "the blocks"
    )
    if details["recovery"] is None:
        return f"{note}."
    count = details["recovery"]["epochs"]
    training = f"{counted(count, 'epoch')} of training"
    if details["recovery_kept"]:
        return f"{note}, {accuracy['end']:.1%} after {training}."
    return f"{note}; {training} did not improve it and was discarded."


def _narrow(
    model: Any, blocks: tuple[Block, ...], options: ChannelOptions, context: RecipeContext
) -> tuple[Any, dict[str, int]]:
    """Return the narrower network with its projections refitted, and the width of each block."""
    with context.progress.working("ranking channels"):
        scores = importance.MEASURES[options.importance](model, blocks, context)
    widths = allot_widths(blocks, options.keep)
    narrowed = keep_channels(model, top_channels(scores, widths))
    fitting = reconstruct(narrowed, model, blocks, _inputs(context))
    for _ in context.progress.track(fitting, len(blocks), "reconstructing blocks"):
        pass
    return narrowed, widths


def _inputs(context: RecipeContext) -> NDArray[np.float32]:
    """Draw images from the training split, normalized: float32 [n, h, w, 3]."""
    rng = np.random.default_rng([context.seed, 0xF17])  # a stream of its own
    pixels = context.dataset.pixels
    count = max(32, _RECONSTRUCTION_PIXELS // (pixels.shape[1] * pixels.shape[2]))
    drawn = rng.permutation(context.split.train)[:count]
    return context.dataset.preprocessing.normalize(pixels[drawn])


def _recover(
    narrowed: Any,
    options: ChannelOptions,
    context: RecipeContext,
    reconstructed: tuple[float, float],
) -> DistillationLog:
    """Train ``narrowed`` in place; undo it where the best epoch is worse than ``reconstructed``."""
    weights = narrowed.get_weights()
    recovery = distill(narrowed, context.teacher, context, options.distillation())
    accuracy, loss = _validate(narrowed, context)
    if (accuracy, -loss) < (reconstructed[0], -reconstructed[1]):
        narrowed.set_weights(weights)
    return recovery


def _validate(model: Any, context: RecipeContext) -> tuple[float, float]:
    """Return accuracy and log-loss on the validation split."""
    return fit.validate(model, context.dataset, context.split.validation)
