"""What the Edge TPU's compiler looks for in an operation: each says what is in its way, or None.

Shapes are [batch, y, x, z]. Option fields are numbered as in TensorFlow Lite's ``schema.fbs``.
"""

import math

from converters.edgetpu.network import Operand, OpNode

INTEGERS = ("int8", "uint8")
_FLOATS = ("float32", "float16", "float64", "bfloat16")

PARAMETERS = {
    "CONV_2D": (1, 2), "DEPTHWISE_CONV_2D": (1, 2), "FULLY_CONNECTED": (1, 2),
    "TRANSPOSE_CONV": (0, 1, 3), "PRELU": (1,),
}  # fmt: skip
"""Positions of the inputs that must be constant: weights and biases."""

SIZES = {
    "RESHAPE": (1,), "PAD": (1,), "PADV2": (1,), "MIRROR_PAD": (1,), "MEAN": (1,), "SUM": (1,),
    "REDUCE_MAX": (1,), "REDUCE_MIN": (1,), "REDUCE_PROD": (1,), "RESIZE_BILINEAR": (1,),
    "RESIZE_NEAREST_NEIGHBOR": (1,), "STRIDED_SLICE": (1, 2, 3), "SLICE": (1, 2), "SPLIT": (0,),
    "SPLIT_V": (1, 2), "TRANSPOSE": (1,), "TRANSPOSE_CONV": (0,), "EXPAND_DIMS": (1,),
    "TILE": (1,), "FILL": (0,), "BROADCAST_TO": (1,), "RANGE": (0, 1, 2), "TOPK_V2": (1,),
    "ONE_HOT": (1,), "SPACE_TO_BATCH_ND": (1, 2), "BATCH_TO_SPACE_ND": (1, 2),
    "ARG_MAX": (1,), "ARG_MIN": (1,), "SPARSE_TO_DENSE": (1,),
}  # fmt: skip
"""Positions of the inputs that decide the shape of the output."""

_ACTIVATION = {"AVERAGE_POOL_2D": 5, "MAX_POOL_2D": 5, "CONCATENATION": 1}
"""Field of the fused activation."""

_DILATION = {"CONV_2D": (4, 5), "DEPTHWISE_CONV_2D": (5, 6)}
"""Fields of the dilation in x and y."""


def unknown_size(node: OpNode) -> str | None:
    """A tensor whose shape is not known before the model runs."""
    for operand in node.activations:
        if any(size < 1 for size in operand.shape):
            return f"{operand}, a size that is not fixed"
    for position in SIZES.get(node.name, ()):
        operand_or_none = node.operand(position)
        if operand_or_none is not None and not operand_or_none.constant:
            return f"output shape computed by {operand_or_none.name or 'another operation'}"
    return None


def float_values(node: OpNode) -> str | None:
    return _typed(node.activations, _FLOATS)


def float_border(node: OpNode) -> str | None:
    """Between floats and integers; of constants, as in a float16 model, it is none."""
    data = node.operand(0)
    return None if data is None or data.constant else float_values(node)


def int16_values(node: OpNode) -> str | None:
    return _typed(node.activations, ("int16",))


def other_values(node: OpNode) -> str | None:
    """Neither int8 nor uint8; shapes and the like, which are constant, may be int32."""
    found = next((each for each in node.activations if each.dtype not in INTEGERS), None)
    return str(found) if found else None


def no_scale(node: OpNode) -> str | None:
    found = next((each for each in node.activations if not each.quantized), None)
    return f"{found} without a quantization scale" if found else None


def _typed(operands: tuple[Operand, ...], dtypes: tuple[str, ...]) -> str | None:
    return next((str(each) for each in operands if each.dtype in dtypes), None)


def computed_parameters(node: OpNode) -> str | None:
    for position in PARAMETERS.get(node.name, ()):
        operand = node.operand(position)
        if operand is not None and not operand.constant:
            return f"{operand}, computed at run time"
    return None


def many_dimensions(node: OpNode) -> str | None:
    """More than three dimensions of more than 1: only the three innermost may have a size."""
    for operand in node.activations:
        if any(size > 1 for size in operand.shape[:-3]):
            return str(operand)
    return None


def several_vectors(node: OpNode) -> str | None:
    """A dense layer on more than one vector."""
    output = node.output
    return str(output) if math.prod(output.shape[:-1]) > 1 else None


def packed_weights(node: OpNode) -> str | None:
    return "shuffled weights" if node.option(1, "b") else None


def fused_activation(node: OpNode) -> str | None:
    return "a fused activation" if node.option(_ACTIVATION[node.name], "b") else None


def uneven_dilation(node: OpNode) -> str | None:
    x, y = (node.option(field, default=1) for field in _DILATION[node.name])
    return f"dilation {x} in x, {y} in y" if x != y else None


def constant_part(node: OpNode) -> str | None:
    """A constant that is joined on, unless it is one of two inputs and all zeros."""
    constants = node.constants
    if not constants or (len(node.inputs) == 2 and constants[0].is_zero()):
        return None
    return f"constant input {constants[0]}"


def padded_batch(node: OpNode) -> str | None:
    paddings = node.operand(1)
    batches = _batches(node.output)
    if paddings is None or not any(paddings.integers()[: 2 * batches]):
        return None
    return "padding of the batch dimension"


def reduced_batch(node: OpNode) -> str | None:
    data = node.operand(0)
    if data is None or not any(axis < _batches(data) for axis in _axes(node, data)):
        return None
    return f"reduction over the batch dimension of {data}"


def packed_batch(node: OpNode) -> str | None:
    output = node.output
    axis = node.option(1) % max(len(output.shape), 1)
    return f"along the batch dimension of {output}" if axis < _batches(output) else None


def _batches(operand: Operand) -> int:
    """How many dimensions are before y, x and z."""
    return max(0, len(operand.shape) - 3)


def odd_depth(node: OpNode) -> str | None:
    """A mean over z, whose size must be a multiple of 4."""
    data = node.operand(0)
    if data is None or len(data.shape) - 1 not in _axes(node, data) or data.shape[-1] % 4 == 0:
        return None
    return f"mean over {data.shape[-1]} channels"


def _axes(node: OpNode, data: Operand) -> tuple[int, ...]:
    axes = node.operand(1)
    return tuple(axis % max(len(data.shape), 1) for axis in axes.integers()) if axes else ()


def wide_alpha(node: OpNode) -> str | None:
    alpha = node.operand(1)
    return str(alpha) if alpha and any(size > 1 for size in alpha.shape[:-1]) else None


def steps_and_new_axes(node: OpNode) -> str | None:
    strides = node.operand(3)
    if strides and any(stride != 1 for stride in strides.integers()):
        return f"strides {list(strides.integers())}"
    if node.option(2) or node.option(3):
        return "an ellipsis or a new axis"
    return None


def long_softmax(node: OpNode) -> str | None:
    width = node.output.shape[-1] if node.output.shape else 1
    return f"{width:,} values" if width > 16_000 else None


def imprecise_resize(node: OpNode) -> str | None:
    """Interpolation between pixels whose weights are no short binary fractions.

    Factors of 2 and 4 have such weights, also between aligned corners.
    """
    image = node.operand(0)
    if image is None or len(image.shape) != 4:
        return None
    aligned = node.option(2, "b")
    for before, after in zip(image.shape[1:3], node.output.shape[1:3], strict=False):
        low, high = (before - 1, after - 1) if aligned else (before, after)
        if before != after and (not low or high % low or high // low not in (2, 4)):
            corners = " between aligned corners" if aligned else ""
            return f"{_plane(image)} → {_plane(node.output)}{corners}"
    return None


def _plane(operand: Operand) -> str:
    return " × ".join(map(str, operand.shape[1:3]))
