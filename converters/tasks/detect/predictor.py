"""Detections of a network on images whose frozen layers were computed before."""

from collections.abc import Sequence

import numpy as np

from converters.tasks.detect.network import outputs
from converters.tasks.detect.views import Features
from converters.writer.float_files import DESCRIPTION, Float32
from converters.writer.graph import GraphNode, trace_graph
from edge.interpreter import load
from edge.modelwriter.network import Network, Tensor, to_bytes
from edge.tasks.detect.detector import IOU
from edge.tasks.detect.heads import levels
from edge.tasks.detect.heads.yolo import Candidates, nms
from edge.terminal import suppress_native_stderr

LOWEST_SCORE = 0.01
"""Of the detections that mAP is computed of."""


class Predictor:
    """The trained nodes in an interpreter.

    Args:
        nodes: those behind the frozen ones.
        names: of the features that they read.
        shapes: of these, [h, w, c] each.
        strides: of the network.
        size: side of the input.
    """

    def __init__(
        self,
        nodes: Sequence[GraphNode],
        names: Sequence[str],
        shapes: Sequence[tuple[int, ...]],
        strides: tuple[int, ...],
        size: int,
    ) -> None:
        inputs = {
            name: Tensor(name, (1, *shape), "float32")
            for name, shape in zip(names, shapes, strict=True)
        }
        traced = trace_graph(nodes, inputs, Float32())
        results = tuple(traced.activations[name] for name in outputs(strides))
        content = to_bytes(Network(tuple(inputs.values()), results, traced.operations, DESCRIPTION))
        with suppress_native_stderr():  # the interpreter announces its delegate
            self._runtime = load(
                content, name="the network", delegate="cpu", threads=1, trusted=True
            )
        head = levels.match(self._runtime.outputs, (size, size))
        assert head is not None, "the outputs are named so"
        self._head = head

    def __call__(self, features: Features) -> Candidates:
        """Return the detections of an image, best first, at most 100."""
        arrays = [each[None].astype(np.float32) for each in features]
        candidates = self._head(self._runtime.invoke(*arrays), LOWEST_SCORE)
        return nms(candidates, IOU)
