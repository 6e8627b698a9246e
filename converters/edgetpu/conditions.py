"""Conditions of the Edge TPU rules: each returns the obstacle in an operation, or None.

Shapes are [batch, y, x, z]. Option fields are numbered as in TensorFlow Lite's ``schema.fbs``.
"""

import math

from converters.edgetpu.network import Operand, OpNode
from edge.quantities import counted

INTEGERS = ("int8", "uint8")
_FLOATS = ("float32", "float16", "float64", "bfloat16")

PARAMETER_INPUTS = {
    "CONV_2D": (1, 2), "DEPTHWISE_CONV_2D": (1, 2), "FULLY_CONNECTED": (2,),
    "TRANSPOSE_CONV": (0, 1, 3), "PRELU": (1,),
}  # fmt: skip
"""Positions of the inputs that must be constant: weights and biases.

Weights of a FULLY_CONNECTED may be computed: thousands of such were mapped.
"""

SHAPE_INPUTS = {
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

# Limits on the size of tensors that the Edge TPU can rearrange. The compiler publishes none of
# them: each lies between the largest tensor seen mapped and the smallest seen refused in real
# compilations; where exactly is a guess.
_MAX_TRANSPOSE = 3 * 2**15
"""Values of a TRANSPOSE: 82,944 were mapped, 104,000 refused."""

_MAX_RESHAPE = 2**20
"""Values of a RESHAPE between images: 408,000 were mapped, 1,632,000 refused."""

_MAX_ROW = 3 * 2**16
"""Values of a single row [1, x, z]: 176,400 were mapped, 199,920 refused."""

_MAX_RESIZE = 2**21
"""Output values of a resize: 2,097,152 were mapped (RESIZE_NEAREST_NEIGHBOR), 4,194,304 refused."""

_MAX_SOFTMAX = 2**14
"""Values of a SOFTMAX: 16,384 were mapped, although 16,000 are documented as the limit."""

_MAX_MEAN = 2**14
"""Positions (y × x) averaged by a MEAN: 8,192 were mapped, 32,768 refused."""


def detached_weights(node: OpNode) -> str | None:
    """Find a constant that lies behind the FlatBuffer, as in files above 2 GB."""
    operands = (operand for operand in node.constants if operand.detached)
    return next((f"{operand} lies behind the model's FlatBuffer" for operand in operands), None)


def unknown_size(node: OpNode) -> str | None:
    """Find a tensor whose shape is not known before the model runs."""
    for operand in node.activations:
        if any(size < 1 for size in operand.shape):
            return f"{operand}, a size that is not fixed"
    for position in SHAPE_INPUTS.get(node.name, ()):
        shape = node.operand(position)
        if shape is not None and not shape.constant:
            return f"output shape computed by {shape.name or 'another operation'}"
    return None


def float_values(node: OpNode) -> str | None:
    """Find a float activation."""
    return _first_of_type(node.activations, _FLOATS)


def float_border(node: OpNode) -> str | None:
    """Find a conversion between floats and integers; constants (float16 weights) do not count."""
    data = node.operand(0)
    return None if data is None or data.constant else float_values(node)


def int16_values(node: OpNode) -> str | None:
    """Find an int16 activation."""
    return _first_of_type(node.activations, ("int16",))


def other_values(node: OpNode) -> str | None:
    """Find an activation that is neither int8 nor uint8; constants such as shapes may be int32."""
    operands = (operand for operand in node.activations if operand.dtype not in INTEGERS)
    return next(map(str, operands), None)


def no_scale(node: OpNode) -> str | None:
    """Find an activation without quantization parameters."""
    operands = (operand for operand in node.activations if not operand.quantized)
    return next((f"{operand} without a quantization scale" for operand in operands), None)


def _first_of_type(operands: tuple[Operand, ...], dtypes: tuple[str, ...]) -> str | None:
    return next((str(operand) for operand in operands if operand.dtype in dtypes), None)


def computed_parameters(node: OpNode) -> str | None:
    """Find weights or biases that are not constant."""
    for position in PARAMETER_INPUTS.get(node.name, ()):
        operand = node.operand(position)
        if operand is not None and not operand.constant:
            return f"{operand}, computed at run time"
    return None


def many_dimensions(node: OpNode) -> str | None:
    """Find a tensor with more than three dimensions: only the innermost three may exceed 1."""
    for operand in node.activations:
        if any(size > 1 for size in operand.shape[:-3]):
            return str(operand)
    return None


def packed_weights(node: OpNode) -> str | None:
    """Find a dense layer with shuffled weights."""
    return "shuffled weights" if node.option(1, "b") else None


def fused_activation(node: OpNode) -> str | None:
    """Find a fused activation function."""
    return "a fused activation" if node.option(_ACTIVATION[node.name], "b") else None


def uneven_dilation(node: OpNode) -> str | None:
    """Find a convolution whose dilation differs in x and y.

    Where the kernel is 1 wide or high, as in a convolution over time, only one of them counts.
    """
    weights = node.operand(1)
    if weights is None or 1 in weights.shape[1:3]:
        return None
    x, y = (node.option(field, default=1) for field in _DILATION[node.name])
    return f"dilation {x} in x, {y} in y" if x != y else None


def constant_part(node: OpNode) -> str | None:
    """Find a concatenation with a constant other than zeros."""
    constants = node.constants
    if not constants or (len(node.inputs) == 2 and constants[0].is_zero()):
        return None
    return f"constant input {constants[0]}"


def padded_batch(node: OpNode) -> str | None:
    """Find a padding of the batch dimension."""
    paddings = node.operand(1)
    batches = _batches(node.output)
    if paddings is None or not any(paddings.integers()[: 2 * batches]):
        return None
    return "padding of the batch dimension"


def reduced_batch(node: OpNode) -> str | None:
    """Find a reduction over the batch dimension."""
    data = node.operand(0)
    if data is None or not any(axis < _batches(data) for axis in _axes(node, data)):
        return None
    return f"reduction over the batch dimension of {data}"


def packed_batch(node: OpNode) -> str | None:
    """Find a packing along the batch dimension."""
    output = node.output
    axis = node.option(1) % max(len(output.shape), 1)
    return f"along the batch dimension of {output}" if axis < _batches(output) else None


def _batches(operand: Operand) -> int:
    """Return the number of dimensions before y, x and z."""
    return max(0, len(operand.shape) - 3)


def odd_depth(node: OpNode) -> str | None:
    """Find a mean over channels whose number is not a multiple of 4."""
    data = node.operand(0)
    if data is None or len(data.shape) - 1 not in _axes(node, data) or data.shape[-1] % 4 == 0:
        return None
    return f"mean over {counted(data.shape[-1], 'channel')}"


def _axes(node: OpNode, data: Operand) -> tuple[int, ...]:
    axes = node.operand(1)
    return tuple(axis % max(len(data.shape), 1) for axis in axes.integers()) if axes else ()


def wide_alpha(node: OpNode) -> str | None:
    """Find a PRELU whose alpha differs by position."""
    alpha = node.operand(1)
    return str(alpha) if alpha and any(size > 1 for size in alpha.shape[:-1]) else None


def steps_and_new_axes(node: OpNode) -> str | None:
    """Find a slice with strides, an ellipsis or a new axis."""
    strides = node.operand(3)
    if strides and any(stride != 1 for stride in strides.integers()):
        return f"strides {list(strides.integers())}"
    if node.option(2) or node.option(3):
        return "an ellipsis or a new axis"
    return None


def long_softmax(node: OpNode) -> str | None:
    """Find a softmax over too many values."""
    width = node.output.shape[-1] if node.output.shape else 1
    return f"{width:,} values" if width > _MAX_SOFTMAX else None


def split_first_axis(node: OpNode) -> str | None:
    """Find a split along the first axis, whatever the rank; a split into one part is a copy."""
    axis, data = node.operand(0), node.operand(1)
    if axis is None or data is None or len(node.outputs) < 2:
        return None
    first = any(value in (0, -len(data.shape)) for value in axis.integers())
    return f"{data} along its first axis" if first else None


def padded_addend(node: OpNode) -> str | None:
    """Find an addition of two tensors, one of which comes straight from a PAD of y.

    Such a tensor was seen mapped where it is added to itself.
    """
    if node.operand(0) is node.operand(1):
        return None
    for parent in node.parents:
        paddings = parent.operand(1) if parent.name == "PAD" else None
        if paddings is not None and any(paddings.integers()[-6:-4]):
            return f"adds the output of operation {parent.index}, PAD of y"
    return None


def separate_kernels(node: OpNode) -> str | None:
    """Find a transposed convolution whose kernels do not overlap, as with kernel 2 and stride 2."""
    weights = node.operand(1)
    if weights is None or len(weights.shape) != 4:
        return None
    kernel, strides = weights.shape[1:3], (node.option(2), node.option(1))
    apart = any(size <= stride > 1 for size, stride in zip(kernel, strides, strict=True))
    return f"kernel {_sides(kernel)}, stride {_sides(strides)}" if apart else None


def imprecise_resize(node: OpNode) -> str | None:
    """Find an interpolation whose weights are no short binary fractions.

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
    return _sides(operand.shape[1:3])


def _sides(sizes: tuple[int, ...]) -> str:
    return " × ".join(map(str, sizes))


def large_mean(node: OpNode) -> str | None:
    """Find a mean over too many positions."""
    image = node.operand(0)
    if image is None:
        return None
    positions = math.prod(image.shape[-3:-1])
    return f"{image}, {positions:,} positions" if positions > _MAX_MEAN else None


def large_transpose(node: OpNode) -> str | None:
    """Find a transpose of too many values."""
    return _above(node.output, _MAX_TRANSPOSE)


def large_reshape(node: OpNode) -> str | None:
    """Find a reshape of too many values."""
    return _above(node.output, _MAX_RESHAPE)


def large_row(node: OpNode) -> str | None:
    """Find a row too long for the chip: it cannot be spread over it the way an image is."""
    rows = (_above(operand, _MAX_ROW) for operand in node.activations if _is_row(operand))
    return next(filter(None, rows), None)


def large_resize(node: OpNode) -> str | None:
    """Find a resize to too many values."""
    return _above(node.output, _MAX_RESIZE)


def _is_row(operand: Operand) -> bool:
    return len(operand.shape) > 1 and operand.shape[-2] > 1 and math.prod(operand.shape[:-2]) == 1


def _above(operand: Operand, limit: int) -> str | None:
    return f"{operand}, {operand.size:,} values" if operand.size > limit else None
