"""Read the MobileNet of an SSD detector from its .tflite file: weights that know boxes already.

The layers are followed from depthwise convolution to depthwise convolution, so that neither the
names of tensors nor the layers of the SSD matter. Weights are dequantized (real = scale × (q − zero
point)); BatchNorm is folded into them already.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from converters.backbone.mobilenet_v2 import BLOCKS
from converters.pyramid.trunk import Trunk, of_blocks
from converters.writer.folding import FoldedBlock, FoldedLayer
from edge.errors import WeightsError
from edge.modelfile import tflite
from edge.modelfile.tflite import ModelFile, OpInfo

_CONV_2D, _DEPTHWISE_CONV_2D, _DEQUANTIZE = 3, 4, 6  # of BuiltinOperator in schema.fbs
_LOWEST = {"uint8": 0, "int8": -128}

_V1_STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
"""Of the depthwise convolutions of a MobileNetV1."""

_V1_TAPS = {4: 3, 8: 5, 16: 11, 32: 13}
_V2_TAPS = {4: 3, 8: 6, 16: 13, 32: 17}
"""Last block of each stride; block 0 is the first convolution."""


def read_trunk(path: Path) -> Trunk:
    """Read the trunk of an SSD MobileNetV1 or V2 of any width, float or quantized.

    Raises:
        WeightsError: the file cannot be read, has other layers, or takes pixels in another range
            than [-1, 1].
    """
    content = path.read_bytes()
    if content[4:8] != tflite.IDENTIFIER:
        raise _error("a TFLite model", f"the non-TFLite file {path}", "weights-unreadable")
    file = tflite.parse(content, str(path))
    reader = _SsdReader(file, str(path))
    reader.check_input()
    depthwise = reader.operations(_DEPTHWISE_CONV_2D)
    if len(depthwise) >= len(_V1_STRIDES) and reader.is_plain(depthwise):
        trunk = of_blocks(_mobilenet_v1(reader, depthwise), _V1_TAPS)
    elif len(depthwise) >= len(BLOCKS):
        trunk = of_blocks(_mobilenet_v2(reader, depthwise), _V2_TAPS)
    else:
        raise reader.other_layers(f"{len(depthwise)} depthwise convolutions")
    # A classifier has one output, and no post-processing.
    return replace(trunk, knows_boxes=len(file.outputs) > 1)


def _mobilenet_v1(reader: "_SsdReader", depthwise: list[OpInfo]) -> tuple[FoldedBlock, ...]:
    blocks = [FoldedBlock((reader.layer("stem", reader.before(depthwise[0]), 2),))]
    for index, stride in enumerate(_V1_STRIDES, start=1):
        deep = depthwise[index - 1]
        blocks.append(FoldedBlock((
            reader.layer(f"depthwise_{index}", deep, stride),
            reader.layer(f"pointwise_{index}", reader.behind(deep), 1),
        )))  # fmt: skip
    return tuple(blocks)


def _mobilenet_v2(reader: "_SsdReader", depthwise: list[OpInfo]) -> tuple[FoldedBlock, ...]:
    blocks = [FoldedBlock((reader.layer("Conv1", reader.before(depthwise[0]), 2),))]
    width = 0
    for index, (_, stride) in enumerate(BLOCKS):
        deep = depthwise[index]
        layers = [
            reader.layer(f"block_{index}_depthwise", deep, stride),
            reader.layer(f"block_{index}_project", reader.behind(deep), 1, relu6=False),
        ]
        if index:
            layers.insert(0, reader.layer(f"block_{index}_expand", reader.before(deep), 1))
        out = len(layers[-1].bias)
        shortcut = f"block_{index}_add" if index and stride == 1 and out == width else ""
        blocks.append(FoldedBlock(tuple(layers), shortcut))
        width = out
    return tuple(blocks)


@dataclass(frozen=True, slots=True)
class _SsdReader:
    file: ModelFile
    name: str

    def operations(self, code: int) -> list[OpInfo]:
        return [op for op in self.file.main.operators if op.code == code]

    def before(self, operation: OpInfo) -> OpInfo:
        """Return the convolution that an operation reads."""
        return self._one(lambda op: operation.inputs[0] in op.outputs, "before")

    def behind(self, operation: OpInfo) -> OpInfo:
        """Return the convolution that reads the output of an operation."""
        return self._one(lambda op: operation.outputs[0] == op.inputs[0], "behind")

    def is_plain(self, depthwise: list[OpInfo]) -> bool:
        """Return whether nothing expands before the second depthwise convolution, as in V1."""
        return self.behind(depthwise[0]).outputs[0] == depthwise[1].inputs[0]

    def layer(
        self, name: str, operation: OpInfo, stride: int, *, relu6: bool = True
    ) -> FoldedLayer:
        depthwise = operation.code == _DEPTHWISE_CONV_2D
        if len(operation.inputs) != 3:
            raise self.other_layers(f"a convolution without bias in place of {name}")
        kernel, bias = (self._values(index) for index in operation.inputs[1:])
        side = 3 if depthwise or name in ("stem", "Conv1") else 1
        if kernel.ndim != 4 or kernel.shape[1:3] != (side, side):
            raise self.other_layers(f"a kernel of {list(kernel.shape)} in place of {name}")
        options = operation.options
        if options is not None and options.integer(1, "i") != stride:
            raise self.other_layers(f"stride {options.integer(1, 'i')} in {name}")
        return FoldedLayer(name, depthwise, kernel, bias, stride, relu6)

    def check_input(self) -> None:
        image = self.file.inputs[0]
        if len(image.shape) != 4 or image.shape[3] != 3:
            raise self.other_layers(f"an input of {list(image.shape)}")
        if image.dtype in _LOWEST and image.scales:
            zero = image.zero_points[0] if image.zero_points else 0
            ends = [(_LOWEST[image.dtype] + code - zero) * image.scales[0] for code in (0, 255)]
            if max(abs(ends[0] + 1), abs(ends[1] - 1)) > 0.05:
                raise _error(
                    "an input range of [-1, 1]",
                    f"[{ends[0]:.2f}, {ends[1]:.2f}] in {self.name}",
                    "weights-input-mismatch",
                )

    def other_layers(self, actual: str) -> WeightsError:
        return _error(
            "an SSD detector on a MobileNetV1 or V2", f"{actual} in {self.name}",
            "weights-layout-mismatch",
        )  # fmt: skip

    def _one(self, fits: Callable[[OpInfo], bool], where: str) -> OpInfo:
        matching = [op for op in self.operations(_CONV_2D) if fits(op)]
        if len(matching) != 1:
            raise self.other_layers(f"{len(matching)} convolutions {where} a depthwise convolution")
        return matching[0]

    def _values(self, index: int) -> NDArray[np.float32]:
        sources = {op.outputs[0]: op.inputs[0] for op in self.operations(_DEQUANTIZE)}
        tensor = self.file.main.tensors[sources.get(index, index)]
        raw = self.file.buffer(tensor.buffer)
        count = int(np.prod(tensor.shape))
        if tensor.dtype not in ("float32", "float16", "int32", "uint8", "int8") or tensor.sparse:
            raise self.other_layers(f"weights in {tensor.dtype}")
        values = np.frombuffer(raw, np.dtype(tensor.dtype).newbyteorder("<"))
        if len(values) != count:
            raise self.other_layers("a kernel that is packed or computed at run time")
        real = values.reshape(tensor.shape).astype(np.float32)
        if not tensor.scales:
            return real
        along = [1] * real.ndim
        if len(tensor.scales) > 1:
            along[tensor.axis] = len(tensor.scales)
        zero = np.array(tensor.zero_points or (0,), np.float32)
        zero = zero.reshape(along) if len(zero) > 1 else zero
        return np.asarray((real - zero) * np.array(tensor.scales, np.float32).reshape(along))


def _error(expected: str, actual: str, code: str) -> WeightsError:
    return WeightsError(
        expected, actual, "pass an SSD MobileNetV1 or V2 as .tflite, such as "
        "ssd_mobilenet_v2_coco of 'edge models list', or a MobileNetV2", code=code,
    )  # fmt: skip
