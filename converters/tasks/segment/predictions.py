"""Masks that a file predicts for the images of a data set, made as ``edge demo segment`` does."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.dataset.audit import Dataset
from converters.dataset.split import Indices
from converters.progress import Progress
from converters.tasks.segment.masks import PackedMask
from converters.verification.evaluate import run_on_images
from edge.errors import ConversionError
from edge.interpreter import load
from edge.preprocessing import Preprocessing, apply_table, input_table
from edge.tasks.segment.masks import enlarged_classes

Segmented = tuple[PackedMask, ...]

FRAME = (640, 480)
"""Width and height of a camera's frame, for which masks are timed."""

_TIMED = 15
"""Masks that are timed."""


def segment(
    content: bytes, name: str, dataset: Dataset, indices: Indices, words: str, progress: Progress
) -> Segmented:
    """Return the masks of images, at the size of the input.

    Args:
        content: a .tflite file with logits of cells.
        name: of it, for errors.
        dataset: of the images.
        indices: int64 [n], of the images.
        words: what is done, for the progress.
        progress: shows it.

    Raises:
        ConversionError: a logit is not finite.
    """

    def open_model() -> Callable[[NDArray[np.uint8]], PackedMask]:
        return _opened(content, name, dataset.preprocessing)

    return tuple(run_on_images(open_model, dataset, indices, words, progress))


def true_masks(dataset: Dataset, indices: Indices) -> Segmented:
    """Return the masks of images."""
    return tuple(dataset.annotations[index] for index in indices)


def is_informative(masks: Sequence[PackedMask]) -> bool:
    """Return whether there are two classes among all masks."""
    seen: set[int] = set()
    for packed in masks:
        seen |= set(np.unique(packed.read()).tolist())
        if len(seen) > 1:
            return True
    return False


def enlarging_ms(
    content: bytes, name: str, pixels: NDArray[np.uint8], preprocessing: Preprocessing
) -> float:
    """Return what it takes to make a mask for :data:`FRAME` of the logits of an image.

    ``pixels``: uint8 RGB [h, w, 3] at the size of the input. It is the median in milliseconds, on
    this computer, beside the inference itself.
    """
    logits = _run_logits(content, name, preprocessing)(pixels)
    times = []
    for _ in range(_TIMED):
        start = time.perf_counter()
        enlarged_classes(logits, FRAME)
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times))


def _opened(
    content: bytes, name: str, preprocessing: Preprocessing
) -> Callable[[NDArray[np.uint8]], PackedMask]:
    run_logits = _run_logits(content, name, preprocessing)
    size = preprocessing.width, preprocessing.height

    def run(pixels: NDArray[np.uint8]) -> PackedMask:
        return PackedMask.pack(enlarged_classes(run_logits(pixels), size))

    return run


def _run_logits(
    content: bytes, name: str, preprocessing: Preprocessing
) -> Callable[[NDArray[np.uint8]], NDArray[Any]]:
    runtime = load(content, name=name, delegate="cpu", threads=1, trusted=True)
    table = input_table(runtime.inputs[0], preprocessing)

    def run(pixels: NDArray[np.uint8]) -> NDArray[Any]:
        (logits,) = runtime.invoke(apply_table(table, pixels))
        if not np.isfinite(logits).all():
            raise ConversionError(
                f"finite logits of {name}", "infinite ones, or no numbers",
                "train the network again", code="scores-not-finite",
            )  # fmt: skip
        return np.asarray(logits[0])

    return run
