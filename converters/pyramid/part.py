"""Parts of a network in interpreters: the frozen layers, and those behind them."""

import threading
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from converters.writer.float_files import DESCRIPTION, Float32
from converters.writer.graph import IMAGE, GraphNode, trace_graph
from edge.interpreter import Runtime, TensorSpec, load
from edge.modelwriter.network import Network, Tensor, to_bytes
from edge.preprocessing import Preprocessing
from edge.terminal import suppress_native_stderr

Features = tuple[NDArray[np.float16], ...]


class NetworkPart:
    """Some nodes in interpreters, one for each thread.

    Args:
        nodes: in their order.
        inputs: shape [h, w, c] of what they read from outside, by name.
        outputs: names of the nodes whose outputs are wanted.
    """

    def __init__(
        self,
        nodes: Sequence[GraphNode],
        inputs: Mapping[str, tuple[int, ...]],
        outputs: Sequence[str],
    ) -> None:
        read = {name: Tensor(name, (1, *shape), "float32") for name, shape in inputs.items()}
        traced = trace_graph(nodes, read, Float32())
        results = tuple(traced.activations[name] for name in outputs)
        self.shapes = tuple(result.shape[1:] for result in results)
        network = Network(tuple(read.values()), results, traced.operations, DESCRIPTION)
        self._content = to_bytes(network)
        self._local = threading.local()

    @property
    def specs(self) -> tuple[TensorSpec, ...]:
        """Descriptions of the outputs."""
        return self._runtime().outputs

    def __call__(self, *arrays: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """Return the outputs for the inputs of an image, float32 [1, h, w, c] each."""
        return self._runtime().invoke(*arrays)

    def _runtime(self) -> Runtime:
        if not hasattr(self._local, "runtime"):
            with suppress_native_stderr():  # the interpreter announces its delegate
                self._local.runtime = load(
                    self._content, name="the network", delegate="cpu", threads=1, trusted=True
                )
        runtime: Runtime = self._local.runtime
        return runtime


class FrozenLayers:
    """Layers from the image to features, which are kept in half the bytes."""

    def __init__(self, nodes: Sequence[GraphNode], names: Sequence[str], size: int) -> None:
        self._part = NetworkPart(nodes, {IMAGE: (size, size, 3)}, names)
        self._preprocessing = Preprocessing(size, size)
        self.shapes = self._part.shapes

    def __call__(self, pixels: NDArray[np.uint8]) -> Features:
        """Return the outputs, float16 [h, w, c] each, for an image, uint8 RGB [size, size, 3]."""
        outputs = self._part(self._preprocessing.normalize(pixels)[None])
        return tuple(output[0].astype(np.float16) for output in outputs)
