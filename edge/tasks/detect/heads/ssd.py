"""SSD whose post-processing is part of the model: the operation TFLite_Detection_PostProcess."""

from dataclasses import dataclass

import numpy as np

from edge.interpreter import Array, Runtime
from edge.tasks.detect.heads.yolo import Candidates

OPERATION = "TFLite_Detection_PostProcess"


@dataclass(frozen=True, slots=True)
class SsdHead:
    """The operation's outputs; ``indices``: of boxes, classes, scores and their number."""

    indices: tuple[int, int, int, int]
    classes: int | None = None
    letterbox: bool = False
    suppresses: bool = True

    def __call__(self, outputs: tuple[Array, ...], min_score: float) -> Candidates:
        """Return the candidates with a score of at min_score ``min_score``."""
        boxes, classes, scores, count = (outputs[index] for index in self.indices)
        valid = int(count.reshape(-1)[0])
        kept = scores[0, :valid] >= min_score
        top, left, bottom, right = boxes[0, :valid][kept].T
        return Candidates(
            np.stack([left, top, right, bottom], axis=1),
            scores[0, :valid][kept],
            classes[0, :valid][kept].astype(np.int64),
        )


def match_head(runtime: Runtime) -> SsdHead | None:
    """Return the head of a model that ends in the operation; None where it does not."""
    graph = runtime.file.main
    for op in graph.operators:
        if op.custom == OPERATION and len(op.outputs) >= 4:
            # Exports list the operation's outputs in different orders.
            boxes, classes, scores, count = (graph.outputs.index(i) for i in op.outputs[:4])
            return SsdHead((boxes, classes, scores, count))
    return None
