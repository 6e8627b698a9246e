"""Where the parameters of a model would lie: on the chip, or fetched anew for every image.

The Edge TPU has about 8 MB of memory. The program and activations take a part of it; parameters
fill the rest, in the order in which they are used, and what is left over is streamed at each
invoke (https://coral.ai/docs/edgetpu/compiler, "Parameter data caching"). This is an estimate: how
much is left differs with the model, and the compiler lays weights out in its own way, which makes
some of them much larger than they are in the file.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from converters.edgetpu.network import OpNode

ON_CHIP = 7 * 2**20
"""Bytes for parameters on the chip: in public transcripts of the compiler mostly 6.1 to 7.7 MiB."""


@dataclass(frozen=True, slots=True)
class ParameterMemory:
    """Bytes of weights and biases of the operations that are mapped, estimated."""

    on_chip: int
    off_chip: int

    def to_dict(self) -> dict[str, int]:
        return {"on_chip": self.on_chip, "off_chip": self.off_chip}


def parameter_memory(mapped: Iterable[OpNode]) -> ParameterMemory:
    """Where the parameters of the ``mapped`` operations would lie; shared ones count once."""
    constants = (operand for node in mapped for operand in node.constants)
    every = sum({operand.buffer: len(operand.data) for operand in constants}.values())
    return ParameterMemory(min(every, ON_CHIP), max(0, every - ON_CHIP))
