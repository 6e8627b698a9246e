"""The part of a network that comes pretrained: a MobileNetV2, or the MobileNet of an SSD."""

from dataclasses import dataclass

from converters.backbone.mobilenet_v2 import Weights
from converters.writer.folding import FoldedBlock, fold
from converters.writer.graph import IMAGE, GraphNode, nodes_of

_V2_TAPS = {4: 2, 8: 5, 16: 12, 32: 16}
"""Block of a MobileNetV2 whose output is the last of a stride: bottlenecks, which are small."""

_FIRST_CUT = 8
"""Least stride of the layers that may be trained: earlier ones take the most time."""


@dataclass(frozen=True, slots=True, eq=False)
class Trunk:
    """Convolutions from the image in [-1, 1] to layers of several strides, BatchNorm folded.

    ``nodes`` read ``IMAGE`` first. ``taps``: the last node of each stride. ``cuts``: nodes behind
    which training may begin, those before stay as they are; the first one leaves all as it is.
    ``knows_boxes``: whether the weights are those of a detector, on which a head alone gets far.
    """

    nodes: tuple[GraphNode, ...]
    taps: dict[int, str]
    cuts: tuple[str, ...]
    knows_boxes: bool = False

    def split(self, cut: str) -> tuple[tuple[GraphNode, ...], tuple[GraphNode, ...]]:
        """Return the nodes up to ``cut``, and those behind it."""
        end = [node.name for node in self.nodes].index(cut) + 1
        return self.nodes[:end], self.nodes[end:]

    def channels(self, name: str) -> int:
        """Return the channels of the output of a convolution or of an addition."""
        node = next(node for node in self.nodes if node.name == name)
        return self.channels(node.inputs[-1]) if node.layer is None else len(node.layer.bias)


def of_blocks(blocks: tuple[FoldedBlock, ...], taps: dict[int, int]) -> Trunk:
    """Return the trunk of blocks, one behind the other, of which ``taps`` names some by stride."""
    nodes: list[GraphNode] = []
    ends = []
    for block in blocks[: max(taps.values()) + 1]:
        nodes += nodes_of(block, nodes[-1].name if nodes else IMAGE)
        ends.append(nodes[-1].name)
    named = {stride: ends[index] for stride, index in taps.items()}
    cuts = tuple(named[stride] for stride in sorted(named, reverse=True) if stride >= _FIRST_CUT)
    return Trunk(tuple(nodes), named, cuts)


def of_mobilenet_v2(weights: Weights, size: int) -> Trunk:
    """Return the trunk of a MobileNetV2 of any width.

    Its last convolution, which widens the last block for a classifier, is left out.

    Raises:
        WeightsError: a layer is missing, or the shapes of two do not fit each other.
    """
    blocks = fold(weights, size).blocks  # the stem is block 0 there
    return of_blocks(blocks, {stride: index + 1 for stride, index in _V2_TAPS.items()})
