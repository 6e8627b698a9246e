"""The .tflite files of a detector.

There are two for each number format. One ends in the outputs of each level, which our demos decode,
and is whole on an Edge TPU. In the other TFLite_Detection_PostProcess selects the boxes, in the
order that MediaPipe, pycoral and other programs expect; it runs on the CPU.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from converters.tasks.detect.network import DetectorNetwork
from converters.writer import graph_files
from converters.writer.ranges import Ranges
from edge.modelfile import flexbuffers
from edge.modelwriter import operations
from edge.modelwriter.network import Operation, Tensor, constant, quantization_of
from edge.modelwriter.quantization import SCORES
from edge.tasks.detect.detector import IOU
from edge.tasks.detect.heads.levels import SCALE, anchors
from edge.tasks.detect.heads.ssd import OPERATION

if TYPE_CHECKING:
    from edge.preprocessing import Preprocessing

SELECTED_FILE = "model_nms.tflite"
"""The file with TFLite_Detection_PostProcess, beside model.tflite."""

_CUSTOM = 32  # of BuiltinOperator in schema.fbs

LOWEST_LOGIT = -8.0
"""Lower logits, scores below 0.0004, all become this one: finer steps for those that matter."""

_OBJECT_LOGIT = -4.0
"""Logit, of a score of 0.02, from which the box of a cell counts."""

MAX_DETECTIONS = 50
"""Rows of the outputs of the file with post-processing."""

_LOWEST_SCORE = 0.01
"""Of the detections of the file with post-processing."""


@dataclass(frozen=True, slots=True)
class DetectorFiles:
    """Two files of one number format: raw outputs by level, and boxes that are selected."""

    raw: bytes
    selected: bytes


def to_float32(network: DetectorNetwork) -> DetectorFiles:
    """Return the files with float32 weights, batch 1."""
    graph, tail = network.graph(), _selecting(network)
    return DetectorFiles(
        graph_files.to_float32(graph), graph_files.to_float32(graph, tail)
    )  # fmt: skip


def to_float16(network: DetectorNetwork) -> DetectorFiles:
    """Return the files with float16 weights, which an interpreter converts when it loads them."""
    graph, tail = network.graph(), _selecting(network)
    return DetectorFiles(
        graph_files.to_float16(graph), graph_files.to_float16(graph, tail)
    )  # fmt: skip


def to_int8(
    network: DetectorNetwork,
    calibration: NDArray[np.uint8],
    preprocessing: "Preprocessing",
    input_type: str = "uint8",
) -> DetectorFiles:
    """Return the files with 8-bit weights and activations, batch 1.

    Args:
        network: its weights.
        calibration: uint8 RGB [n, size, size, 3], on which the ranges of activations are measured.
        preprocessing: maps pixel values to the network's input.
        input_type: "uint8" or "int8".

    Raises:
        ConversionError: there are no images, or a value is not finite.
    """
    graph = network.graph()
    ranges = _clipped(graph_files.measure(graph, calibration, preprocessing, _of_objects))
    # Both files round boxes alike.
    ranges = _with_one_range(ranges, [f"boxes/{stride}" for stride in network.strides])
    tail = _selecting(network)
    return DetectorFiles(
        graph_files.to_int8(graph, ranges, input_type=input_type),
        graph_files.to_int8(graph, ranges, tail, input_type=input_type),
    )


def _of_objects(activations: graph_files.Activations) -> graph_files.Activations:
    """Return the activations with the boxes of cells alone that may show an object.

    Training leaves the boxes of other cells as they are: they lie anywhere, and would make the
    steps of those that count coarser.
    """
    kept = dict(activations)
    for name, boxes in activations.items():
        if name.startswith("boxes/"):
            best = activations[name.replace("boxes", "classes", 1)].max(axis=-1)
            kept[name] = boxes[best >= min(_OBJECT_LOGIT, float(best.max()))]
    return kept


def _clipped(ranges: Ranges) -> Ranges:
    """Return the ranges with those of logits cut at the low end."""
    logits = {
        name: (max(low, LOWEST_LOGIT), max(high, 0.0))
        for name, (low, high) in ranges.items()
        if name.startswith("classes/")
    }
    return {**ranges, **logits}


def _with_one_range(ranges: Ranges, names: Sequence[str]) -> Ranges:
    """Return the ranges with one for all of ``names``, as tensors that are joined need."""
    low, high = min(ranges[name][0] for name in names), max(ranges[name][1] for name in names)
    return {**ranges, **dict.fromkeys(names, (low, high))}


def _selecting(network: DetectorNetwork) -> graph_files.Tail:
    """Return the tail that joins the levels and selects boxes."""

    def tail(activations: Mapping[str, Tensor]) -> tuple[list[Operation], tuple[Tensor, ...]]:
        steps: list[Operation] = []
        boxes, scores = [], []
        for stride in network.strides:
            boxes.append(_rows(activations[f"boxes/{stride}"], steps))
            scores.append(_rows(_scores(activations[f"classes/{stride}"], steps), steps))
        inputs = tuple(
            _real(_joined(name, parts, steps), steps)
            for name, parts in (("coded boxes", boxes), ("all scores", scores))
        )
        outputs = _outputs()
        steps.append(_post_processing(network, inputs, outputs))
        return steps, outputs

    return tail


def _scores(logits: Tensor, steps: list[Operation]) -> Tensor:
    quantized = logits.quantization and quantization_of(*SCORES["int8"])
    scores = replace(logits, name=f"{logits.name}/scores", quantization=quantized)
    steps.append(operations.logistic(logits, scores))
    return scores


def _rows(data: Tensor, steps: list[Operation]) -> Tensor:
    """Return [1, h, w, c] as [1, h × w, c]."""
    _, height, width, channels = data.shape
    rows = replace(data, name=f"{data.name}/rows", shape=(1, height * width, channels))
    steps.append(operations.reshape(data, rows))
    return rows


def _joined(name: str, parts: list[Tensor], steps: list[Operation]) -> Tensor:
    shape = (1, sum(part.shape[1] for part in parts), parts[0].shape[2])
    joined = replace(parts[0], name=name, shape=shape)
    steps.append(operations.concatenation(tuple(parts), 1, joined))
    return joined


def _real(data: Tensor, steps: list[Operation]) -> Tensor:
    if data.dtype == "float32":
        return data
    real = Tensor(f"{data.name}/real", data.shape, "float32")
    steps.append(operations.dequantize(data, real))
    return real


def _outputs() -> tuple[Tensor, ...]:
    shapes = ((1, MAX_DETECTIONS, 4), (1, MAX_DETECTIONS), (1, MAX_DETECTIONS), (1,))
    parts = ("", ":1", ":2", ":3")
    return tuple(
        Tensor(f"{OPERATION}{part}", shape, "float32")
        for part, shape in zip(parts, shapes, strict=True)
    )


def _post_processing(
    network: DetectorNetwork, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]
) -> Operation:
    options = flexbuffers.map_of({
        "max_detections": MAX_DETECTIONS,
        "max_classes_per_detection": 1,
        "detections_per_class": MAX_DETECTIONS,
        "use_regular_nms": True,  # the fast one compares boxes of different classes
        "nms_score_threshold": _LOWEST_SCORE,
        "nms_iou_threshold": float(IOU),
        "num_classes": network.classes,
        "y_scale": SCALE, "x_scale": SCALE, "h_scale": SCALE, "w_scale": SCALE,
    })  # fmt: skip
    table = constant("anchors", anchors(network.size, network.strides))
    return Operation(_CUSTOM, 1, (*inputs, table), outputs, None, OPERATION, options)
