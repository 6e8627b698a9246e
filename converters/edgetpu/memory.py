"""Where the parameters of a model would lie: on the chip, or fetched anew for every picture.

The Edge TPU has about 8 MB of memory. Activations and the program take a part of it; parameters
fill the rest, in the order in which they are used, and what is left over is streamed at each
invoke (https://coral.ai/docs/edgetpu/compiler, "Parameter data caching"). Estimated: the compiler
lays weights out in its own way, which makes them larger by up to a third, sometimes by far more.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from converters.edgetpu.network import Node

ON_CHIP = 8 * 2**20
"""Bytes on the chip."""

RESERVED = 2**19
"""Bytes that are never there for parameters: with hardly any activations 7.5 MiB are left."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Bytes of weights and biases of the operations that are mapped, estimated."""

    on_chip: int
    off_chip: int

    def to_dict(self) -> dict[str, int]:
        return {"on_chip": self.on_chip, "off_chip": self.off_chip}


def parameters(mapped: Iterable[Node]) -> Parameters:
    """Where the parameters of the ``mapped`` operations would lie."""
    sizes: dict[int, int] = {}
    largest = 0
    for node in mapped:
        sizes |= {operand.buffer: len(operand.data) for operand in node.constants}
        largest = max([largest, *(operand.size for operand in node.activations)])
    every = sum(sizes.values())
    on_chip = min(every, max(0, ON_CHIP - RESERVED - largest))
    return Parameters(on_chip, every - on_chip)
