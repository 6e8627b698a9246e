"""Where a graph is cut: which of its operations the Edge TPU's compiler takes together.

The compiler leaves the cutting to TensorFlow Lite's delegation, and takes the first part only
("More than one subgraph is not supported"). That delegation collects, in the order of execution,
operations of one kind, taken or refused, as far as their inputs are there; then those of the other
kind; and so on (``PartitionGraphIntoIndependentNodeSubsets`` of TensorFlow Lite).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from converters.edgetpu.network import OpNode


@dataclass(frozen=True, slots=True)
class Cut:
    """How a graph is cut, in indices of operations.

    ``mapped`` run on the Edge TPU. ``before``: refused ones that run before it, and cut nothing.
    ``cause``: operation that is not mapped → the first refused one that it depends on.
    """

    mapped: frozenset[int]
    before: frozenset[int]
    cause: dict[int, int]


def cut(nodes: Sequence[OpNode], refused: Collection[int]) -> Cut:
    """Cut a graph whose operations ``nodes``, in their order of execution, are partly refused."""
    before, mapped = _first_part(nodes, refused)
    cause: dict[int, int] = {}
    for node in nodes:
        if node.index in mapped or node.index in before:
            continue
        own = {node.index} if node.index in refused else set()
        cause[node.index] = min(own | {cause[i] for i in node.parents if i in cause})
    return Cut(mapped, before, cause)


def _first_part(
    nodes: Sequence[OpNode], refused: Collection[int]
) -> tuple[frozenset[int], frozenset[int]]:
    """What runs on the CPU before the first part that is taken, and that part."""
    before: frozenset[int] = frozenset()
    if nodes and nodes[0].index in refused:
        before = _ready([node for node in nodes if node.index in refused], before)
    return before, _ready([node for node in nodes if node.index not in refused], before)


def _ready(nodes: Sequence[OpNode], done: frozenset[int]) -> frozenset[int]:
    """Those of ``nodes`` that depend on nothing but each other and what is ``done``."""
    found: set[int] = set()
    for node in nodes:
        if node.parents <= done | found:
            found.add(node.index)
    return frozenset(found)
