"""Where in the image the cells of a feature map look: the centers of their receptive fields.

Padding decides that: five convolutions with stride 2 as TensorFlow pads them ("SAME", at the end
first) put the center of a cell half a cell to the lower right of where an even grid has it, and as
PyTorch pads them half a cell to the upper left (Araujo et al., "Computing Receptive Fields of
Convolutional Neural Networks", 2019).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from edge.modelfile.flatbuffer import FlatbufferError
from edge.modelfile.tflite import Graph, ModelFile, OpInfo

_AVERAGE_POOL_2D, _CONV_2D, _DEPTHWISE_CONV_2D, _MAX_POOL_2D, _PAD, _PADV2 = 1, 3, 4, 17, 34, 60
_POOLS = (_AVERAGE_POOL_2D, _MAX_POOL_2D)
_DILATIONS = {_CONV_2D: (5, 4), _DEPTHWISE_CONV_2D: (6, 5)}
"""Fields of the dilations along rows and columns."""

_SAME = 0


@dataclass(frozen=True, slots=True)
class CellCenters:
    """Centers of cells along one side: cell ``j`` looks at ``(step * j + first) / side`` of it."""

    step: float
    first: float
    side: int

    @classmethod
    def even(cls, cells: int) -> Self:
        """Return the centers of cells that divide the side evenly."""
        return cls(1, 0.5, cells)

    def positions(self, count: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        """Return where ``count`` even positions of the side lie in cells, 0 for the first's center.

        float32 [count]; below 0 and above the last cell where no cell has its center.
        """
        places = (np.arange(count, dtype=np.float32) + 0.5) / count * self.side
        return np.asarray((places - self.first) / self.step, np.float32)


def cell_centers(file: ModelFile, tensor: int) -> tuple[CellCenters, CellCenters]:
    """Return the centers of the cells of a feature map [1, rows, columns, n], along both sides.

    Where an operation on the way is not known, the cells are taken to divide the image evenly.
    """
    graph = file.main
    rows, columns = graph.tensors[tensor].shape[1:3]
    even = CellCenters.even(rows), CellCenters.even(columns)
    writers = {output: op for op in graph.operators for output in op.outputs}
    steps, firsts = [1.0, 1.0], [0.0, 0.0]
    while (operation := writers.get(tensor)) is not None:
        window = _window(operation, file)
        if window is None:
            return even
        for side, (stride, shift) in enumerate(window):
            firsts[side] = stride * firsts[side] + shift
            steps[side] *= stride
        tensor = operation.inputs[0]
    shape = graph.tensors[tensor].shape
    if len(shape) != 4:
        return even
    height, width = (
        CellCenters(step, first + 0.5, size)
        for step, first, size in zip(steps, firsts, shape[1:3], strict=True)
    )
    return height, width


Window = tuple[tuple[int, float], tuple[int, float]]
"""Stride and shift along rows and columns: place before = stride × place after + shift."""


def _window(operation: OpInfo, file: ModelFile) -> Window | None:
    graph = file.main
    before = graph.tensors[operation.inputs[0]].shape
    after = graph.tensors[operation.outputs[0]].shape
    if len(before) != 4 or len(after) != 4:
        return None
    if operation.code in (_PAD, _PADV2):
        return _of_padding(operation, file)
    if operation.code in (*_DILATIONS, *_POOLS):
        try:
            return _of_kernel(operation, graph)
        except FlatbufferError:
            return None
    return ((1, 0), (1, 0)) if before[1:3] == after[1:3] else None


def _of_padding(operation: OpInfo, file: ModelFile) -> Window | None:
    amounts = file.main.tensors[operation.inputs[1]]
    raw = file.buffer(amounts.buffer)
    if amounts.dtype != "int32" or len(raw) != 32:
        return None
    top, left = np.frombuffer(raw, "<i4").reshape(4, 2)[1:3, 0].tolist()
    return (1, -top), (1, -left)


def _of_kernel(operation: OpInfo, graph: Graph) -> Window | None:
    options = operation.options
    if options is None:
        return None
    strides = options.integer(2, "i"), options.integer(1, "i")
    if operation.code in _POOLS:
        kernel: tuple[int, ...] = options.integer(4, "i"), options.integer(3, "i")
    else:
        sizes = graph.tensors[operation.inputs[1]].shape[1:3]
        dilations = (options.integer(field, "i", 1) for field in _DILATIONS[operation.code])
        kernel = tuple((k - 1) * d + 1 for k, d in zip(sizes, dilations, strict=True))
    same = options.integer(0, "b") == _SAME
    before = graph.tensors[operation.inputs[0]].shape[1:3]
    after = graph.tensors[operation.outputs[0]].shape[1:3]
    height, width = (
        (stride, (size - 1) / 2 - (_padding(stride, size, *sides) if same else 0))
        for stride, size, *sides in zip(strides, kernel, before, after, strict=True)
    )
    return height, width


def _padding(stride: int, kernel: int, before: int, after: int) -> int:
    """Return the padding at the beginning of a side, as TensorFlow's "SAME" has it."""
    return max((after - 1) * stride + kernel - before, 0) // 2
