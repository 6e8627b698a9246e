"""Occlusion maps: how much a class loses where the image is covered."""

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.explanation import Explanation, as_heatmap
from edge.frame import BgrImage
from edge.image import RgbImage, as_image
from edge.tasks.classify.classifier import Classifier
from edge.tasks.classify.scores import best_classes
from edge.tasks.explain.explainer import choose
from edge.tasks.task import check_classes

CELLS = 8
"""Rows and columns of the map."""

_PATCHES = (2, 4)
"""Sides of the patches in cells: small ones show details, and large ones cover a whole object."""

_GRAY = 127

RUNS = sum((CELLS + side - 1) ** 2 for side in _PATCHES)
"""Times that the model is run on one image, one by one, besides the first."""

Cells = tuple[slice, slice]


def explain_by_occlusion(
    classifier: Classifier,
    image: BgrImage | str | Path,
    label: str | None = None,
    *,
    tell: Callable[[int, int | None], None] = lambda done, total: None,
) -> Explanation:
    """Cover an image with gray patches, one after the other, and see what the class loses.

    This takes about 200 runs of the model and looks at scores only: it works for any classifier,
    also one that is compiled for the Edge TPU (Zeiler and Fergus, "Visualizing and Understanding
    Convolutional Networks", 2014).

    Args:
        classifier: any.
        image: uint8 BGR [height, width, 3], or the path of an image.
        label: the class to explain; None for the best.
        tell: called with the runs that are done, and the number of all.

    Raises:
        UsageError: no such class.
        ImageError: the image cannot be read.
        ModelError: the model fails.
    """
    if label is not None:
        check_classes([label], classifier.labels)
    resized = classifier.preprocessing.resize(as_image(image))
    pixels: RgbImage = np.asarray(cv2.cvtColor(resized, cv2.COLOR_BGR2RGB), np.uint8)
    scores = classifier.scores(pixels)
    ranked = best_classes(scores, classifier.labels, len(scores), classifier.threshold)
    explained = choose(ranked, label)
    loss, times = np.zeros((2, CELLS, CELLS), np.float32)
    for done, cells in enumerate(_patches()):
        tell(done, RUNS)
        covered = classifier.scores(_covered(pixels, cells))
        loss[cells] += explained.score - covered[explained.index]
        times[cells] += 1
    tell(RUNS, RUNS)
    return Explanation(
        ranked.classes[: classifier.top],
        ranked.threshold,
        explained=explained,
        heatmap=as_heatmap(loss / times),
        method="occlusion",
    )


def _patches() -> Iterator[Cells]:
    """Yield the rows and columns that each patch covers; those at the edge overlap it."""
    for side in _PATCHES:
        spans = [slice(max(0, end - side), min(end, CELLS)) for end in range(1, CELLS + side)]
        yield from product(spans, spans)


def _covered(pixels: RgbImage, cells: Cells) -> RgbImage:
    covered: NDArray[np.uint8] = pixels.copy()
    rows, columns = (
        slice(round(span.start * size / CELLS), round(span.stop * size / CELLS))
        for span, size in zip(cells, pixels.shape, strict=False)
    )
    covered[rows, columns] = _GRAY
    return covered
