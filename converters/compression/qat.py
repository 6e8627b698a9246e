"""Quantization-aware training: int8 files of models that trained with simulated rounding.

Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference", CVPR 2018. ``qat`` trains any model; ``pqat`` keeps the zeros of a pruned one.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from converters import tf, tflite
from converters.compression import distillation
from converters.compression.context import RecipeContext, RecipeState
from converters.compression.keras_models import pointwise, weight_pairs
from converters.training import fit
from edge.errors import ConversionError

_DECAY = 0.999
"""Decay of the moving average in which tfmot keeps the range of an activation."""

_CALIBRATION_ROUNDS = 2
"""In a first round, layers get their ranges from inputs whose own ranges were still wrong."""

_MIN_RELATIVE_RANGE = 1e-4
"""The smallest range of a channel's weights, relative to the largest of its layer."""

_RANGES = tuple(
    f"{tensor}_{end}:0"
    for tensor in ("output", "pre_activation", "post_activation")
    for end in ("min", "max")
)


@dataclass(frozen=True, slots=True)
class QatOptions:
    """Options of quantization-aware training.

    ``epochs``, ``learning_rate`` and ``label_weight`` as in
    :class:`converters.compression.distillation.DistillationConfig`; ``input_type`` and
    ``output_type``: of the file, in :data:`converters.tflite.TYPES`.

    Raises:
        UsageError: a value out of its range.
    """

    epochs: int = 3
    learning_rate: float = 1e-4
    label_weight: float = 0.1
    input_type: str = "uint8"
    output_type: str = "uint8"

    def __post_init__(self) -> None:
        tflite.check_types(self.input_type, self.output_type)
        self.distillation()

    def distillation(self) -> distillation.DistillationConfig:
        """Return the configuration of the training."""
        return distillation.DistillationConfig(
            "quantization-aware training",
            self.epochs,
            self.learning_rate,
            label_weight=self.label_weight,
        )


def run_qat(state: RecipeState, options: QatOptions, context: RecipeContext) -> RecipeState:
    """Train with simulated rounding; return the state with its int8 file and the trained model.

    Raises:
        ConversionError: the converter rejected the model.
    """
    wrapped = tf.tfmot().quantization.keras.quantize_model(equalize_depthwise(state.model))
    return _train(state, wrapped, options, context)


def run_pqat(state: RecipeState, options: QatOptions, context: RecipeContext) -> RecipeState:
    """Do as :func:`run_qat` for a pruned model, whose zeros stay zeros.

    Raises:
        ConversionError: the model has no zeros, or the converter rejected it.
    """
    if not any((layer.get_weights()[0] == 0).any() for layer in pointwise(state.model)):
        raise ConversionError(
            "a pruned model",
            "no zeros in its 1x1 convolutions",
            'add a step before it: step = "prune", method = "magnitude"',
            code="model-not-pruned",
        )
    toolkit = tf.tfmot()
    annotated = toolkit.quantization.keras.quantize_annotate_model(equalize_depthwise(state.model))
    scheme = toolkit.experimental.combine.Default8BitPrunePreserveQuantizeScheme()
    wrapped = toolkit.quantization.keras.quantize_apply(annotated, scheme)
    return _train(state, wrapped, options, context)


def equalize_depthwise(model: Any) -> Any:
    """Scale depthwise kernels to one magnitude in all channels, without changing any output.

    tfmot rounds a depthwise kernel with one scale for all its channels. In pretrained networks
    with BatchNorm folded in, channels differ by up to seventy times, so most would be rounded to
    nothing. Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias
    Correction", ICCV 2019, move such factors to another layer; here the BatchNorm that follows
    takes them.

    Returns:
        A copy of a flat tf_keras model whose depthwise kernels reach to 1 or -1 in every channel
        where BatchNorm follows. Scores stay as they are, except for float rounding.
    """
    layers = tf.keras().layers
    copy = tf.clone_model(model)
    for layer in copy.layers:
        followers = [node.outbound_layer for node in layer.outbound_nodes]
        if not isinstance(layer, layers.DepthwiseConv2D) or len(followers) != 1:
            continue
        if isinstance(followers[0], layers.BatchNormalization):
            _move_scale(layer, followers[0])
    return copy


def calibrate_ranges(wrapped: Any, context: RecipeContext) -> None:
    """Set every activation's range to the one observed on the calibration set, in place.

    A moving average starts at -6 to 6 and forgets that only after thousands of steps. As Adam does
    with its moments, its start is taken out: after n steps it still weighs decay ** n.
    """
    preprocessing = context.dataset.preprocessing
    inputs = np.concatenate(list(tflite.representative_samples(context.calibration, preprocessing)))
    batches = np.array_split(inputs, -(-len(inputs) // 32))
    ranges = [w for w in wrapped.non_trainable_weights if w.name.endswith(_RANGES)]
    with fit.batch_norm_frozen(wrapped):
        for _ in range(_CALIBRATION_ROUNDS):
            before = [value.numpy() for value in ranges]
            for batch in batches:
                wrapped(batch, training=True)
            weight = _DECAY ** len(batches)
            for value, start in zip(ranges, before, strict=True):
                value.assign((value - weight * start) / (1 - weight))


def floor_weight_ranges(wrapped: Any) -> None:
    """Give channels without weights a minimum range, in place; no output of ``wrapped`` changes.

    A channel's bias counts in steps of its weights' range. Where that is next to nothing, the
    bias does not fit into 32 bits, and the converter clips it silently.
    """
    values = {weight.name: weight for weight in wrapped.non_trainable_weights}
    for name, maximum in values.items():
        if name.endswith("kernel_max:0") and maximum.shape.rank == 1:
            minimum = values[name.replace("kernel_max:0", "kernel_min:0")]
            floor = _MIN_RELATIVE_RANGE * max(float(np.max(maximum)), float(-np.min(minimum)))
            maximum.assign(np.maximum(maximum, floor))
            minimum.assign(np.minimum(minimum, -floor))


def _train(
    state: RecipeState, wrapped: Any, options: QatOptions, context: RecipeContext
) -> RecipeState:
    """Train ``wrapped``, which tfmot created from the state's model, and convert it.

    Returns:
        The state with the int8 file of ``wrapped`` and the plain model inside it.

    Raises:
        ConversionError: the converter rejected the model, or the input's scale is not one pixel
            value.
    """
    calibrate_ranges(wrapped, context)
    log = distillation.distill(wrapped, context.teacher, context, options.distillation())
    floor_weight_ranges(wrapped)
    content = tflite.from_qat_model(
        wrapped,
        context.dataset.preprocessing,
        input_type=options.input_type,
        output_type=options.output_type,
    )
    plain = tf.clone_model(state.model)
    for weight, trained in weight_pairs(plain, wrapped):
        weight.assign(trained)
    details = {"recovery": log.to_dict()}
    return replace(state, model=plain, content=content, details=(*state.details, details))


def _move_scale(depthwise: Any, norm: Any) -> None:
    kernel, *bias = depthwise.get_weights()  # [h, w, channels, multiplier]
    gamma, beta, mean, variance = norm.get_weights()
    size = np.abs(kernel).max(axis=(0, 1))
    size = np.where(size > 0, size, 1).astype(np.float32)
    outputs = size.reshape(-1)
    depthwise.set_weights([kernel / size, *(b / outputs for b in bias)])
    norm.set_weights([gamma * outputs, beta, mean / outputs, variance])
