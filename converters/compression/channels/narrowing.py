"""Narrower trunks: channels inside of blocks are left out that the others can make up for.

An inner channel is computed by one convolution, runs through a depthwise one, and is read by a
third. How many of each block go is decided by what they cost, which is their time in int8 on this
machine. Least squares then bring the output of every block back to what it was, one block after
the other (He, Zhang and Sun, "Channel Pruning for Accelerating Very Deep Neural Networks", ICCV
2017). Shapes outside of blocks stay.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from converters.compression.channels.elimination import eliminate
from converters.compression.channels.layer_times import SizedBlock, measure
from converters.compression.channels.reconstruction import Sums
from converters.compression.channels.widths import choose_widths
from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.progress import Progress
from converters.pyramid.part import NetworkPart
from converters.pyramid.weights import PyramidBackbone
from converters.writer.folding import FoldedLayer
from converters.writer.graph import IMAGE, GraphNode, read_from_outside
from edge import blas

Values = dict[str, list[NDArray[np.float32]]]
"""Output of a node by its name: one array [h, w, c] for each image."""

Shape = tuple[int, int, int]

TRUNK_SHARE = 0.68
"""Of the time of a MobileNetV2 trained on ImageNet, that its trunk keeps.

At 320 pixels a detector takes half as long with it as an SSD MobileNetV1 0.75 at 300, and the
layers of strides 8 and 16 keep 95 % of their variance before anything is trained.
"""

_PIXELS = 32 * 320**2
"""Pixels of the images, together, on which channels are compared."""

_RIDGE = 1e-3
"""Added to the diagonal, relative to its mean: on few images channels are nearly collinear."""

_TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True, slots=True, eq=False)
class InnerBlock:
    """Three convolutions that inner channels run through, of which nobody else reads the first two.

    ``inside``: nodes behind the block before, up to the depthwise convolution. ``later``: those of
    their outputs that nodes behind it read. ``shortcut``: what is added to the block's output, "".
    """

    first: GraphNode
    depthwise: GraphNode
    last: GraphNode
    inside: tuple[GraphNode, ...]
    later: tuple[str, ...]
    shortcut: str

    @property
    def name(self) -> str:
        """Name of the depthwise convolution."""
        return self.depthwise.name

    @property
    def layers(self) -> tuple[FoldedLayer, FoldedLayer, FoldedLayer]:
        """The three convolutions."""
        first, depthwise, last = self.first.layer, self.depthwise.layer, self.last.layer
        assert first is not None and depthwise is not None and last is not None
        return first, depthwise, last


@dataclass(frozen=True, slots=True, eq=False)
class Narrowed:
    """``nodes`` of a narrower network, and the ``widths`` of its blocks by depthwise node."""

    nodes: tuple[GraphNode, ...]
    widths: Mapping[str, int]


def narrowed(
    backbone: PyramidBackbone, dataset: Dataset, split: Split, seed: int, progress: Progress
) -> tuple[PyramidBackbone, Mapping[str, int]]:
    """Return a backbone with a narrower trunk, and the widths of its blocks by depthwise node.

    That of a detector stays as it is: a head on it learns from what it knows of boxes.
    """
    trunk = backbone.trunk
    if trunk is None or trunk.knows_boxes:
        return backbone, {}
    images = example_images(dataset, split, seed)
    result = narrow(trunk.nodes, tuple(trunk.taps.values()), images, TRUNK_SHARE, progress)
    digest = hashlib.sha256(f"{backbone.fingerprint}{sorted(result.widths.items())}".encode())
    narrower = replace(
        backbone, trunk=replace(trunk, nodes=result.nodes), fingerprint=digest.hexdigest()
    )
    return narrower, result.widths


def example_images(dataset: Dataset, split: Split, seed: int) -> list[NDArray[np.float32]]:
    """Draw training images, float32 [size, size, 3] in [-1, 1] each, to compare channels on."""
    pixels = dataset.pixels
    count = max(16, _PIXELS // (pixels.shape[1] * pixels.shape[2]))
    drawn = np.random.default_rng([seed, 0xF17]).permutation(split.train)[:count]
    return [dataset.preprocessing.normalize(pixels[index]) for index in drawn]


def inner_blocks(nodes: Sequence[GraphNode], outputs: Sequence[str]) -> tuple[InnerBlock, ...]:
    """Find the blocks whose inner channels nobody else reads; ``outputs``: names that others do."""
    by_name = {node.name: node for node in nodes}
    readers: dict[str, list[GraphNode]] = {}
    for node in nodes:
        for name in node.inputs:
            readers.setdefault(name, []).append(node)

    def only_reader(name: str) -> GraphNode | None:
        own = readers.get(name, [])
        return own[0] if len(own) == 1 and name not in outputs else None

    blocks, done = [], 0
    for depthwise in nodes:
        if depthwise.layer is None or not depthwise.layer.depthwise:
            continue
        first, last = by_name.get(depthwise.inputs[0]), only_reader(depthwise.name)
        if first is None or first.layer is None or only_reader(first.name) is not depthwise:
            continue
        if last is None or last.layer is None or last.layer.kernel.shape[1:3] != (1, 1):
            continue
        start, done = done, nodes.index(last) + 1
        inside = [node for node in nodes[start:done] if node is not last]
        behind = {name for node in nodes[done:] for name in node.inputs}
        later = tuple(n.name for n in inside if n.name in behind and n is not depthwise)
        # An addition reads what was there before first.
        added = [n.inputs[0] for n in readers.get(last.name, []) if n.inputs[1:] == (last.name,)]
        shortcut = added[0] if added else ""
        blocks.append(InnerBlock(first, depthwise, last, tuple(inside), later, shortcut))
    return tuple(blocks)


def narrow(
    nodes: Sequence[GraphNode],
    outputs: Sequence[str],
    images: Sequence[NDArray[np.float32]],
    keep: float,
    progress: Progress,
) -> Narrowed:
    """Leave out inner channels until the blocks take a share ``keep`` of their time.

    Args:
        nodes: from the image on.
        outputs: names of nodes that are read from outside.
        images: float32 [size, size, 3] in [-1, 1], at least one.
        keep: above 0, up to 1.
        progress: shows what is done.
    """
    blocks = inner_blocks(nodes, outputs)
    with progress.working("measuring blocks"):
        costs = measure(_sized(blocks, len(images[0])))
    with blas.one_thread(), progress.working("choosing channels"):
        orders, losses, targets = _ranked(blocks, images)
        widths = choose_widths(losses, costs, keep)
        kept = {name: np.sort(orders[name][-width:]) for name, width in widths.items()}
        layers = _refitted(blocks, images, kept, targets)
    changed = tuple(
        replace(node, layer=layers[node.name]) if node.name in layers else node for node in nodes
    )
    return Narrowed(changed, widths)


def _sized(blocks: Sequence[InnerBlock], side: int) -> dict[str, SizedBlock]:
    shapes: dict[str, Shape] = {IMAGE: (side, side, 3)}
    sized = {}
    for block in blocks:
        for node in block.inside:
            if node is block.first:
                sized[block.name] = SizedBlock(block.layers, shapes[node.inputs[0]])
            shapes[node.name] = _shape(node, shapes)
        shapes[block.last.name] = _shape(block.last, shapes)
        if block.name not in sized:  # the convolution before is the last one of the block before
            sized[block.name] = SizedBlock(block.layers, shapes[block.first.inputs[0]])
    return sized


def _shape(node: GraphNode, shapes: Mapping[str, Shape]) -> Shape:
    height, width, channels = shapes[node.inputs[0]]
    if node.layer is None:
        return height, width, channels
    stride = node.layer.stride
    return -(-height // stride), -(-width // stride), len(node.layer.bias)


def _ranked(
    blocks: Sequence[InnerBlock], images: Sequence[NDArray[np.float32]]
) -> tuple[
    dict[str, NDArray[np.int64]], dict[str, NDArray[np.float64]], dict[str, NDArray[np.float32]]
]:
    """Return by block the order in which channels leave, what is lost, and the last's outputs."""
    values: Values = {IMAGE: list(images)}
    orders, losses, targets = {}, {}, {}
    for block in blocks:
        *_, last = block.layers
        weights = np.ascontiguousarray(last.kernel[:, 0, 0].T)
        sums = Sums(*weights.shape)
        outputs = []
        for read in _through(block, block.inside, values):
            outputs.append(read @ weights + last.bias)
            sums.add(read, outputs[-1])
        targets[block.name] = np.stack(outputs)
        whole = targets[block.name]
        if block.shortcut:
            whole = whole + np.stack(values[block.shortcut])
        variance = whole.reshape(-1, whole.shape[-1]).var(axis=0, dtype=np.float64).sum()
        orders[block.name], lost = eliminate(sums.covariance(), weights)
        losses[block.name] = lost / max(float(variance), _TINY)
        values[block.last.name] = [_activated(each, last) for each in outputs]
    return orders, losses, targets


def _refitted(
    blocks: Sequence[InnerBlock],
    images: Sequence[NDArray[np.float32]],
    kept: Mapping[str, NDArray[np.int64]],
    targets: Mapping[str, NDArray[np.float32]],
) -> dict[str, FoldedLayer]:
    """Return the narrower layers by node; the last of each block is fitted to ``targets``."""
    values: Values = {IMAGE: list(images)}
    layers: dict[str, FoldedLayer] = {}
    for block in blocks:
        channels = kept[block.name]
        # The first may be the last of the block before, which is refitted already.
        first = layers.get(block.first.name, block.first.layer)
        assert first is not None
        _, depthwise, last = block.layers
        layers[block.first.name] = replace(
            first, kernel=first.kernel[channels], bias=first.bias[channels]
        )
        layers[block.name] = replace(
            depthwise, kernel=depthwise.kernel[..., channels], bias=depthwise.bias[channels]
        )
        if block.first not in block.inside:
            values[block.first.name] = [each[..., channels] for each in values[block.first.name]]
        inside = [
            replace(node, layer=layers[node.name]) if node.name in layers else node
            for node in block.inside
        ]
        weights = np.ascontiguousarray(last.kernel[:, 0, 0, channels].T)
        sums, reads = Sums(*weights.shape), []
        for read, target in zip(_through(block, inside, values), targets[block.name], strict=True):
            reads.append(read)
            sums.add(read, target - (read @ weights + last.bias))
        slope, offset = sums.regression(_RIDGE)
        fitted = (weights + slope).astype(np.float32)
        bias = (last.bias + offset).astype(np.float32)
        layers[block.last.name] = replace(
            last, kernel=np.ascontiguousarray(fitted.T[:, None, None]), bias=bias
        )
        values[block.last.name] = [_activated(read @ fitted + bias, last) for read in reads]
    return layers


def _through(
    block: InnerBlock, inside: Sequence[GraphNode], values: Values
) -> Iterator[NDArray[np.float32]]:
    """Yield what the last convolution reads of each image, and keep what later blocks read."""
    names = read_from_outside(inside)
    shapes = {name: values[name][0].shape for name in names}
    part = NetworkPart(inside, shapes, (block.name, *block.later))
    for name in block.later:
        values[name] = []
    for number in range(len(values[IMAGE])):
        read, *rest = part(*(values[name][number][None] for name in names))
        for name, value in zip(block.later, rest, strict=True):
            values[name].append(value[0])
        yield read[0]


def _activated(values: NDArray[np.float32], layer: FoldedLayer) -> NDArray[np.float32]:
    return np.clip(values, 0, 6) if layer.relu6 else values
