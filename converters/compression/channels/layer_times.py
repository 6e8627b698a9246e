"""Times of blocks in int8 at several inner widths, through the interpreter, on one thread.

Multiply-adds predict them badly: on x86 a channel of the first blocks takes three to five times as
long per multiply-add as one of the last, since its kernels are short and its images large.
"""

import json
import platform
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from converters.compression.channels.widths import multiples
from converters.writer.folding import FoldedLayer
from converters.writer.int8_file import to_int8_part
from edge.errors import OutputError
from edge.files import cache_folder, write_atomic
from edge.interpreter import Runtime, load

FILE = "layer-times.json"
"""File in the cache with the times that were measured on this machine."""

_SHARES = (0.125, 0.25, 0.5, 0.75, 1.0)
"""Shares of the inner channels at which a block is measured; between them times are linear."""

_ROUNDS = 12
"""Times that all blocks are measured in turns; the least counts, which other load cannot lower."""

Times = Mapping[int, float]
"""Inner width → milliseconds."""


@dataclass(frozen=True, slots=True, eq=False)
class SizedBlock:
    """The ``layers`` of a block (expand, depthwise, project) and the shape [h, w, c] it reads."""

    layers: tuple[FoldedLayer, ...]
    shape: tuple[int, int, int]

    @property
    def channels(self) -> int:
        """Inner width."""
        return len(self.layers[0].bias)

    @property
    def geometry(self) -> str:
        """Everything that its time depends on; equal for blocks that are alike."""
        layers = (f"{layer.kernel.shape}/{layer.stride}" for layer in self.layers)
        return f"{self.shape}: {', '.join(layers)}"

    @property
    def multiply_adds(self) -> int:
        """Number of multiply-adds."""
        height, width, _ = self.shape
        total = 0
        for layer in self.layers:
            height, width = (-(-side // layer.stride) for side in (height, width))
            total += height * width * layer.kernel.size
        return total

    def narrowed(self, width: int) -> "SizedBlock":
        """Return the block with its first ``width`` inner channels."""
        expand, depthwise, project = self.layers
        layers = (
            replace(expand, kernel=expand.kernel[:width], bias=expand.bias[:width]),
            replace(depthwise, kernel=depthwise.kernel[..., :width], bias=depthwise.bias[:width]),
            replace(project, kernel=project.kernel[..., :width]),
        )
        return replace(self, layers=layers)


def measure(blocks: Mapping[str, SizedBlock]) -> dict[str, Times]:
    """Return the time of each block at a few of the widths that it may have.

    What this machine measured before is taken from the cache, so that the same network has the
    same times in every run.
    """
    table = _Table()
    missing = {
        block.geometry: block for block in blocks.values() if block.geometry not in table.times
    }
    table.add(_measure(missing))
    return {name: table.times[block.geometry] for name, block in blocks.items()}


def _measure(blocks: Mapping[str, SizedBlock]) -> dict[str, Times]:
    """Measure blocks in turns, by their geometry."""
    runtimes = {
        (geometry, width): _open(block.narrowed(width))
        for geometry, block in blocks.items()
        for width in _widths(block.channels)
    }
    images = {key: _noise(runtime) for key, runtime in runtimes.items()}
    least: dict[tuple[str, int], float] = {}
    for _ in range(_ROUNDS):
        for key, runtime in runtimes.items():
            runtime.invoke(images[key])  # into the processor's caches
            start = time.perf_counter()
            runtime.invoke(images[key])
            took = 1e3 * (time.perf_counter() - start)
            least[key] = min(took, least.get(key, took))
    times: dict[str, dict[int, float]] = {geometry: {} for geometry in blocks}
    for (geometry, width), milliseconds in least.items():
        times[geometry][width] = round(milliseconds, 4)
    return dict(times)


def _widths(channels: int) -> list[int]:
    """Return the widths that are nearest to the shares of the channels."""
    allowed = multiples(channels)
    nearest = (min(allowed, key=lambda w: abs(w - share * channels)) for share in _SHARES)
    return sorted(set(nearest))


def _open(block: SizedBlock) -> Runtime:
    content = to_int8_part(block.layers, (1, *block.shape))
    return load(content, name="a block of the network", delegate="cpu", threads=1, trusted=True)


def _noise(runtime: Runtime) -> Any:
    shape = runtime.inputs[0].shape
    return np.random.default_rng(0).integers(-128, 128, shape).astype(np.int8)


class _Table:
    """Times by geometry that were measured on this machine, in the cache."""

    def __init__(self) -> None:
        self._machine = f"{platform.node()}, {platform.processor() or platform.machine()}"
        self.times = dict(_read().get(self._machine, {}))

    def add(self, measured: Mapping[str, Times]) -> None:
        """Keep more times, also for later runs."""
        self.times.update(measured)
        if measured:
            machines = _read() | {self._machine: self.times}
            with suppress(OutputError):  # no run fails for the sake of later ones
                write_atomic(cache_folder() / FILE, json.dumps(machines, indent=1) + "\n")


def _read() -> dict[str, dict[str, Times]]:
    """Read the times of all machines that share the cache; a damaged file counts as empty."""
    try:
        machines = json.loads((cache_folder() / FILE).read_text("utf-8"))
        return {
            machine: {
                geometry: {int(width): float(ms) for width, ms in times.items()}
                for geometry, times in blocks.items()
            }
            for machine, blocks in machines.items()
        }
    except (OSError, ValueError, TypeError, AttributeError, OutputError):
        return {}
