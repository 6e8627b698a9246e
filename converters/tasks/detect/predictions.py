"""Detections of a file on the images of a data set, decoded as ``edge demo detect`` does."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.dataset.audit import Dataset
from converters.dataset.split import Indices
from converters.metrics.boxes import DetectedBoxes, TrueBoxes
from converters.progress import Progress
from converters.verification.evaluate import run_on_images
from edge.interpreter import Runtime, load
from edge.preprocessing import Preprocessing, apply_table, input_table
from edge.tasks.detect import heads
from edge.tasks.detect.detector import IOU, THRESHOLD
from edge.tasks.detect.heads.yolo import nms

_TIMED = 9
"""Images on which decoding is timed."""

Detected = tuple[DetectedBoxes, ...]

LOWEST_SCORE = 0.01
"""Of the detections that mAP is computed of."""


def detect(
    content: bytes, name: str, dataset: Dataset, indices: Indices, words: str, progress: Progress
) -> Detected:
    """Return the detections with a score of 0.01 or more, in pixels of the input.

    Args:
        content: a .tflite file with raw outputs by level.
        name: of it, for errors.
        dataset: of the images.
        indices: int64 [n], of the images.
        words: what is done, for the progress.
        progress: shows it.
    """

    def open_model() -> Callable[[NDArray[np.uint8]], DetectedBoxes]:
        return _opened(content, name, dataset.preprocessing)

    return tuple(run_on_images(open_model, dataset, indices, words, progress))


def true_boxes(dataset: Dataset, indices: Indices) -> tuple[TrueBoxes, ...]:
    """Return the boxes of images, in pixels of the input."""
    return tuple(dataset.annotations[index].true_boxes() for index in indices)


def decoding_time(content: bytes, dataset: Dataset, indices: Indices) -> float:
    """Return the milliseconds that decoding and suppression take after the model, per image.

    It is the median of a few images, with the threshold that detectors have by default.
    """
    runtime, head, table = _parts(content, "model.tflite", dataset.preprocessing)
    times = []
    for index in indices[:_TIMED]:
        outputs = runtime.invoke(apply_table(table, np.asarray(dataset.pixels[index])))
        start = time.perf_counter()
        nms(head(outputs, THRESHOLD), IOU)
        times.append(1e3 * (time.perf_counter() - start))
    return float(np.median(times))


def is_informative(detected: Sequence[DetectedBoxes]) -> bool:
    """Return whether anything is detected, and not the same in every image."""
    best = [round(float(each.scores.max(initial=0.0)), 4) for each in detected]
    return max(best, default=0.0) > LOWEST_SCORE and (len(best) < 2 or len(set(best)) > 1)


def _opened(
    content: bytes, name: str, preprocessing: Preprocessing
) -> Callable[[NDArray[np.uint8]], DetectedBoxes]:
    runtime, head, table = _parts(content, name, preprocessing)
    size = np.float32(preprocessing.width)

    def run(pixels: NDArray[np.uint8]) -> DetectedBoxes:
        candidates = nms(head(runtime.invoke(apply_table(table, pixels)), LOWEST_SCORE), IOU)
        return DetectedBoxes(
            np.clip(candidates.boxes, 0, 1) * size, candidates.scores, candidates.classes
        )

    return run


def _parts(
    content: bytes, name: str, preprocessing: Preprocessing
) -> tuple[Runtime, heads.DetectionHead, NDArray[Any] | None]:
    """Return the model, what decodes its outputs, and its input for each value of a pixel."""
    runtime = load(content, name=name, delegate="cpu", threads=1, trusted=True)
    head = heads.match_head(runtime)
    assert head is not None, "it was written with such outputs"
    return runtime, head, input_table(runtime.inputs[0], preprocessing)
