"""Analysis of classes: what cached embeddings tell in seconds about labels and training."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from converters import background
from converters.backbone.weights import Backbone
from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.progress import Progress
from converters.tasks.classify.suspects import EmbeddedImages, embed_all, find_suspects
from converters.tasks.classify.train import FrozenFindings
from converters.training.analysis import MORE_PHOTOS, ClassGain, CurvePoint, TrainingAnalysis
from converters.training.learning_curve import LearningCurve, measure_curve

_MOST_WORK = 1e9
"""Rows × features × classes × fits of an analysis within a conversion: some seconds."""

_USUAL_STRENGTH = 0.03
"""C of the heads of the learning curve where the backbone was fine-tuned."""

_STEPS, _BEYOND = 9, 2.0
"""Points of the fitted curve, and the multiple of the photos that it ends at."""


def begin_analysis(
    backbone: Backbone,
    dataset: Dataset,
    split: Split,
    findings: FrozenFindings | None,
    cache: Path,
    progress: Progress,
) -> Callable[[], TrainingAnalysis]:
    """Begin to look for wrong labels, and to measure the learning curve; what is returned waits.

    ``findings``: None where the backbone was fine-tuned.
    """
    indices = np.sort(np.concatenate([split.train, split.validation, split.test]))
    images = embed_all(backbone, dataset, indices, cache, progress)
    strength = _USUAL_STRENGTH if findings is None else findings.strength

    def analyze() -> TrainingAnalysis:
        suspects = find_suspects(images, dataset, split.seed, _MOST_WORK)
        curve = measure_curve(
            images.features, images.labels, images.groups, strength, split.seed, _MOST_WORK
        )
        return TrainingAnalysis(
            suspects=suspects or (),
            images=0 if suspects is None else len(indices),
            curve=() if curve is None else tuple(_points(curve)),
            gains=() if curve is None else tuple(_gains(curve, dataset, images)),
            training_accuracy=None if findings is None else findings.training_accuracy,
            notes=tuple(_left_out(suspects is None, curve is None)),
        )

    return background.begin(analyze)


def _points(curve: LearningCurve) -> Iterator[CurvePoint]:
    """Yield the measured sizes and those of the fitted curve, by rising photos."""
    first, last = float(curve.totals[0]), float(curve.totals[-1])
    measured = dict(zip(curve.totals.tolist(), curve.accuracy.tolist(), strict=True))
    fitted = np.geomspace(first, _BEYOND * last, _STEPS).tolist()
    photos = sorted({*measured, *(number for number in fitted if number > 1.01 * last)})
    for number, estimate in zip(photos, curve.predict(photos), strict=True):
        yield CurvePoint(number, measured.get(number), estimate.value, estimate.low, estimate.high)


def _gains(curve: LearningCurve, dataset: Dataset, images: EmbeddedImages) -> Iterator[ClassGain]:
    """Yield what more photos of each class bring, if as large a share of them is trained on."""
    counts = np.bincount(images.labels, minlength=len(dataset.classes))
    factors = (counts + MORE_PHOTOS) / counts
    for name, gain in zip(dataset.classes, curve.gains(factors.tolist()), strict=True):
        yield ClassGain(name, 100 * gain.value, 100 * gain.low, 100 * gain.high)


def _left_out(suspects: bool, curve: bool) -> Iterator[str]:
    """Yield what was left out, and why."""
    why = "a class has too few images that are not alike, or all take too long here"
    if suspects:
        yield f"Wrong labels were not looked for: {why}. 'edge dataset suspects' takes its time."
    if curve:
        yield f"The learning curve was not measured: {why}."
