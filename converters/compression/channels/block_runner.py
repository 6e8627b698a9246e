"""Inverted residual blocks by themselves, run by an interpreter on the activations before them.

An interpreter takes a quarter of the time of TensorFlow for it, and the activations of many images
pass through each block once, not through all blocks before it again.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.compression.channels.blocks import FIRST, Block
from converters.writer.float_files import to_part
from converters.writer.folding import FoldedLayer, fold_block, fold_stem
from edge.errors import ConversionError
from edge.interpreter import Runtime, load

Activations = NDArray[np.float32]

_BATCH = 16
"""Images whose activations inside a block are in memory at the same time."""


def stack(inputs: Iterable[Activations]) -> Activations:
    """Return images, each float32 [h, w, 3], as one array [n, h, w, 3]."""
    return np.stack(list(inputs))


def fold_inside(model: Any, name: str) -> tuple[FoldedLayer, ...]:
    """Fold expansion, depthwise convolution and projection of a block of a flat tf_keras model.

    In place of an expansion, the first block has the convolution that reads the image.
    """
    block = Block(name, 0)
    if name == FIRST:
        return fold_stem(_weights(model, (block.layer("expand"), block.layer("expand_BN"), name)))
    stride = model.get_layer(block.layer("depthwise")).strides[0]
    return fold_block(_weights(model, (f"{name}_",)), f"{name}_", stride)


class BlockRunner:
    """A block of a flat tf_keras MobileNetV2, with its weights of now.

    ``projection``: float32 [channels, outputs], with BatchNorm folded in.

    Raises:
        ConversionError: the block pads symmetrically, as for XNNPACK's sparse kernels.
    """

    def __init__(self, model: Any, name: str, shape: tuple[int, ...]) -> None:
        """Open the block ``name``, such as "block_3"; ``shape``: [h, w, c] of what it reads."""
        _check_padding(model, name)
        *layers, project = fold_inside(model, name)
        self.projection = np.ascontiguousarray(project.kernel[:, 0, 0].T)
        self._bias = project.bias
        self._has_shortcut = any(layer.name == f"{name}_add" for layer in model.layers)
        self._inside = _open(tuple(layers), shape)

    def read(self, entering: Activations) -> Activations:
        """Return what the projection reads, [n, h, w, channels]."""
        return np.concatenate([_invoke(self._inside, activations) for activations in entering])

    def project(self, read: Activations, entering: Activations) -> Activations:
        """Return the block's output, [n, h, w, outputs], for what :meth:`read` returned."""
        output: Activations = read @ self.projection + self._bias
        return output + entering if self._has_shortcut else output

    def run(self, entering: Activations) -> Activations:
        """Return the block's output, [n, h, w, outputs]."""
        parts = (entering[rows] for rows in batches(len(entering)))
        return np.concatenate([self.project(self.read(part), part) for part in parts])


def batches(count: int) -> Iterator[slice]:
    """Yield slices of ``count`` images whose activations fit into memory."""
    for start in range(0, count, _BATCH):
        yield slice(start, start + _BATCH)


def _weights(model: Any, prefixes: tuple[str, ...]) -> dict[str, list[NDArray[np.float32]]]:
    return {
        layer.name: layer.get_weights() for layer in model.layers if layer.name.startswith(prefixes)
    }


def _open(layers: tuple[FoldedLayer, ...], shape: tuple[int, ...]) -> Runtime:
    content = to_part(layers, (1, *shape))
    return load(content, name="a part of the network", delegate="cpu", trusted=True)


def _invoke(runtime: Runtime, activations: Activations) -> Activations:
    output: Activations = runtime.invoke(activations[None])[0]
    return output


def _check_padding(model: Any, name: str) -> None:
    names = {"Conv1_pad"} if name == FIRST else {f"{name}_pad"}
    pads = [layer for layer in model.layers if layer.name in names]
    if any(layer.padding != ((0, 1), (0, 1)) for layer in pads):
        raise ConversionError(
            "a network that pads as MobileNetV2 does",
            f"another padding in {name}",
            'put the step method = "channels" before method = "xnnpack"',
            code="model-with-other-padding",
        )
