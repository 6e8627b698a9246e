"""Points that a file detects in the images of a data set, as ``edge demo detect`` does."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from converters.dataset.audit import Dataset
from converters.dataset.split import Indices
from converters.metrics.points import DetectedPoints, middles
from converters.progress import Progress
from converters.verification.evaluate import run_on_images
from edge.interpreter import Array, load
from edge.modelfile import metadata
from edge.preprocessing import apply_table, input_table
from edge.tasks.detect import heads
from edge.tasks.detect.detector import IOU
from edge.tasks.detect.heads.centers import CentersHead
from edge.tasks.detect.heads.yolo import nms

LOWEST_SCORE = 0.02
"""Of the points among which the threshold is chosen."""

Detected = tuple[DetectedPoints, ...]


def points_of(head: CentersHead, outputs: tuple[Array, ...], least: float) -> DetectedPoints:
    """Return the points of an image with a score of at least ``least``, in pixels of the input."""
    candidates = nms(head(outputs, least), IOU, head.max_detections)
    points = middles(candidates.boxes) * np.array(head.size)
    return DetectedPoints(points, candidates.scores, candidates.classes)


def detect(
    content: bytes, name: str, dataset: Dataset, indices: Indices, words: str, progress: Progress
) -> Detected:
    """Return the points with a score of 0.02 or more, in pixels of the input.

    Args:
        content: a .tflite file with its metadata.
        name: of it, for errors.
        dataset: of the images.
        indices: int64 [n], of the images.
        words: what is done, for the progress.
        progress: shows it.
    """

    def open_model() -> Callable[[NDArray[np.uint8]], DetectedPoints]:
        runtime = load(content, name=name, delegate="cpu", threads=1, trusted=True)
        head = heads.match_head(runtime, metadata.of(runtime.file, name))
        assert isinstance(head, CentersHead), "it was written with such outputs"
        table = input_table(runtime.inputs[0], dataset.preprocessing)
        return lambda pixels: points_of(
            head, runtime.invoke(apply_table(table, pixels)), LOWEST_SCORE
        )

    return tuple(run_on_images(open_model, dataset, indices, words, progress))


def is_informative(detected: Sequence[DetectedPoints]) -> bool:
    """Return whether anything is detected, and not the same in every image."""
    best = [round(float(each.scores.max(initial=0.0)), 4) for each in detected]
    return max(best, default=0.0) > LOWEST_SCORE and (len(best) < 2 or len(set(best)) > 1)
