"""Tensors that are too large for the Edge TPU to rearrange: limits read off real compilations.

The compiler publishes none of them. Each lies between the largest tensor that had nothing in its
way and the smallest that was refused; where exactly is a guess.
"""

import math

from converters.edgetpu.network import Operand, OpNode

TRANSPOSED = 2**17
"""Values of a TRANSPOSE: 82,944 were taken, 134,400 refused."""

RESHAPED = 2**20
"""Values of a RESHAPE between images: 408,000 were taken, 1,632,000 refused."""

ROW = 3 * 2**16
"""Values of a single row [1, x, z]: 176,400 were taken, 199,920 refused."""

RESIZED = 2**21
"""Values that RESIZE_BILINEAR makes: 524,288 were taken, 8,388,608 refused."""

AVERAGED = 2**14
"""Positions (y × x) that a MEAN is taken over: 8,192 were taken, 32,768 refused."""


def large_mean(node: OpNode) -> str | None:
    image = node.operand(0)
    if image is None:
        return None
    positions = math.prod(image.shape[-3:-1])
    return f"{image}, {positions:,} positions" if positions > AVERAGED else None


def large_transpose(node: OpNode) -> str | None:
    return _above(node.output, TRANSPOSED)


def large_reshape(node: OpNode) -> str | None:
    return _above(node.output, RESHAPED)


def large_row(node: OpNode) -> str | None:
    """A row cannot be spread over the chip the way that an image is."""
    rows = (_above(operand, ROW) for operand in node.activations if _is_row(operand))
    return next(filter(None, rows), None)


def large_resize(node: OpNode) -> str | None:
    return _above(node.output, RESIZED)


def _is_row(operand: Operand) -> bool:
    return len(operand.shape) > 1 and operand.shape[-2] > 1 and math.prod(operand.shape[:-2]) == 1


def _above(operand: Operand, limit: int) -> str | None:
    return f"{operand}, {operand.size:,} values" if operand.size > limit else None
