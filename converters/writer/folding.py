"""MobileNetV2 with its BatchNorm folded into the convolutions: a list of layers.

Shapes come from the weights, so that networks of any width fit, also those that were pruned by
channels: what is fixed are the names, strides and shortcuts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converters.backbone.mobilenet_v2 import BATCH_NORM_EPSILON, BLOCKS, Weights, block_prefix
from edge.errors import WeightsError
from edge.modelwriter.heads import LinearLayer


@dataclass(frozen=True, slots=True, eq=False)
class FoldedLayer:
    """A convolution as TFLite stores it.

    ``kernel``: float32 [out, h, w, in], or [1, h, w, channels] for a depthwise one; ``bias``:
    float32 [out]; ``relu6``: whether ReLU6 follows, or nothing.
    """

    name: str
    depthwise: bool
    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]
    stride: int
    relu6: bool


@dataclass(frozen=True, slots=True, eq=False)
class FoldedBlock:
    """Layers one after the other; ``shortcut``: name of the addition of its input, or ""."""

    layers: tuple[FoldedLayer, ...]
    shortcut: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class FoldedNetwork:
    """A MobileNetV2 for images [1, size, size, 3] in [-1, 1].

    It ends in the embedding, the mean of the last block's output, or in the scores of a ``head``.
    """

    size: int
    blocks: tuple[FoldedBlock, ...]
    head: LinearLayer | None = None


def fold(weights: Weights, size: int, head: LinearLayer | None = None) -> FoldedNetwork:
    """Fold the BatchNorm of a MobileNetV2.

    Args:
        weights: by layer name, of any width; what else it holds is not used.
        size: side of the input in pixels, a multiple of 32.
        head: the classifier on the embedding, with the temperature in it.

    Raises:
        WeightsError: a layer is missing, or the shapes of two do not fit each other.
    """
    folder = _Folder(weights)
    blocks = [FoldedBlock((folder.conv("Conv1", "bn_Conv1", stride=2),))]
    for index in range(len(BLOCKS)):
        blocks.append(_block(folder, index))
    blocks.append(FoldedBlock((folder.conv("Conv_1", "Conv_1_bn"),)))
    if head is not None and len(head.kernel) != folder.width:
        raise _mismatch("head", f"{len(head.kernel)} inputs after {folder.width} channels")
    return FoldedNetwork(size, tuple(blocks), head)


def fold_stem(weights: Weights) -> tuple[FoldedLayer, ...]:
    """Fold the layers before the first block that expands."""
    folder = _Folder(weights)
    stem = folder.conv("Conv1", "bn_Conv1", stride=2)
    return (stem, *_block(folder, 0).layers)


def fold_block(weights: Weights, prefix: str, stride: int) -> tuple[FoldedLayer, ...]:
    """Fold expansion, depthwise convolution and projection of the block of this prefix."""
    folder = _Folder(weights, width=weights[f"{prefix}expand"][0].shape[2])
    return (
        folder.conv(f"{prefix}expand", f"{prefix}expand_BN"),
        folder.depthwise(f"{prefix}depthwise", f"{prefix}depthwise_BN", stride),
        folder.conv(f"{prefix}project", f"{prefix}project_BN", relu6=False),
    )


def _block(folder: "_Folder", index: int) -> FoldedBlock:
    prefix, (channels, stride) = block_prefix(index), BLOCKS[index]
    entering = folder.width
    layers = [folder.conv(f"{prefix}expand", f"{prefix}expand_BN")] if index else []
    layers.append(folder.depthwise(f"{prefix}depthwise", f"{prefix}depthwise_BN", stride))
    layers.append(folder.conv(f"{prefix}project", f"{prefix}project_BN", relu6=False))
    if not index or stride > 1 or channels != BLOCKS[index - 1][0]:
        return FoldedBlock(tuple(layers))
    if entering != folder.width:
        raise _mismatch(f"{prefix}project", f"{folder.width} channels added to {entering}")
    return FoldedBlock(tuple(layers), f"{prefix}add")


class _Folder:
    """Folds layers in their order; ``width``: channels after the last one."""

    def __init__(self, weights: Weights, width: int = 3) -> None:
        self._weights = weights
        self.width = width

    def conv(self, name: str, norm: str, stride: int = 1, relu6: bool = True) -> FoldedLayer:
        (kernel,) = self._arrays(name, 1)
        if kernel.ndim != 4 or kernel.shape[2] != self.width:
            raise _mismatch(name, f"{list(kernel.shape)} after {self.width} channels")
        self.width = kernel.shape[3]
        scale, bias = self._norm(norm)
        folded = np.ascontiguousarray((kernel * scale).transpose(3, 0, 1, 2))
        return FoldedLayer(name, False, folded, bias, stride, relu6)

    def depthwise(self, name: str, norm: str, stride: int) -> FoldedLayer:
        (kernel,) = self._arrays(name, 1)
        if kernel.ndim != 4 or kernel.shape[2:] != (self.width, 1):
            raise _mismatch(name, f"{list(kernel.shape)} after {self.width} channels")
        scale, bias = self._norm(norm)
        folded = np.ascontiguousarray(kernel[..., 0] * scale)[None]
        return FoldedLayer(name, True, folded, bias, stride, True)

    def _norm(self, name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return factor and offset of a BatchNorm, rounded where TensorFlow rounds them."""
        gamma, beta, mean, variance = self._arrays(name, 4)
        if {array.shape for array in (gamma, beta, mean, variance)} != {(self.width,)}:
            raise _mismatch(name, f"{list(gamma.shape)} after {self.width} channels")
        spread = np.sqrt((variance + np.float32(BATCH_NORM_EPSILON)).astype(np.float64))
        scale = gamma * (1 / spread).astype(np.float32)
        return scale, beta - mean * scale

    def _arrays(self, name: str, count: int) -> list[NDArray[np.float32]]:
        arrays = self._weights.get(name, [])
        if len(arrays) != count:
            raise _mismatch(name, f"{len(arrays)} arrays of weights in place of {count}")
        return arrays


def _mismatch(layer: str, problem: str) -> WeightsError:
    return WeightsError(
        "the weights of a MobileNetV2",
        f"{problem} in the layer {layer!r}",
        "pass weights of the standard architecture",
        code="weights-layout-mismatch",
    )
