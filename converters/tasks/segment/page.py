"""The part of a report's page that is about masks: figures per class and the worst images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from converters.dataset.audit import Dataset
from converters.dataset.split import SPLITS, Split
from converters.metrics.masks import VOID, class_ious, mask_confusion, mean_iou
from converters.report.gallery import data_uri
from converters.report.html import TaskPage
from converters.report.model import Report
from converters.task import TrainingResult
from converters.tasks.segment import predictions, quality
from converters.tasks.segment.masks import Mask, PackedMask
from converters.verification.evaluate import Predictions
from edge.draw.masks import mask_color
from edge.modelfile.labels import is_background

_TRAINED = {
    "frozen": "A decoder on a frozen backbone",
    "fine-tuned": "A decoder and the last blocks of the backbone",
}

_SHOWN = 12
_SIDE = 256
_TINT = 0.5
_VOID_GRAY = 128

_RIGHT = 0.98
"""Mean IoU of an image above which it is no mistake to look at."""


@dataclass(frozen=True, slots=True)
class MaskMistake:
    """A test image with its true mask, left, beside the predicted one; ``faults``: in words."""

    uri: str
    name: str
    faults: str


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """A class and its color in masks, as CSS has it."""

    label: str
    color: str


def fill_page(report: Report, training: TrainingResult, selected: Predictions) -> TaskPage:
    """Return the part of the page; ``selected``: predictions of the chosen variant."""
    chosen, dataset = report.chosen_variant, training.dataset
    true = predictions.true_masks(dataset, training.split.test)
    counts = quality.confusions(true, true, len(dataset.classes))
    common, share = quality.common_share(counts)
    return TaskPage(
        templates=Path(__file__).parent,
        values={
            "figures": chosen.quality.figures,
            "per_class": sorted(chosen.quality.per_class, key=lambda row: row.figures["iou"]),
            "worst": worst_images(training, selected.test),
            "legend": _legend(dataset.classes),
            "common": dataset.classes[common],
            "common_share": share,
            "frame": predictions.FRAME,
        },
        trained=_TRAINED.get(report.training.method, report.training.method),
        baseline=(
            quality.without_knowledge(counts),
            f"naming {dataset.classes[common]} everywhere",
        ),
        not_measured=("Images from other cameras or places than those of the data set.",),
        draw=lambda index, pixels: tinted(
            pixels, dataset.annotations[index].read(), dataset.classes
        ),
        counted="images with the class",
        counts=_images(dataset, training.split),
    )


def worst_images(
    training: TrainingResult, predicted: Sequence[PackedMask]
) -> tuple[MaskMistake, ...]:
    """Return the test images with the lowest mean IoU, the worst first."""
    dataset, test = training.dataset, training.split.test
    classes = dataset.classes
    counts = [
        mask_confusion(dataset.annotations[index].read(), guessed.read(), len(classes))
        for index, guessed in zip(test, predicted, strict=True)
    ]
    scores = np.array([mean_iou(class_ious(each[None]))[0] for each in counts])
    shown = []
    for row in np.argsort(scores, kind="stable")[:_SHOWN].tolist():
        if not scores[row] < _RIGHT:
            break
        index = int(test[row])
        pixels = np.array(dataset.pixels[index])
        sides = [
            tinted(pixels, mask, classes)
            for mask in (dataset.annotations[index].read(), predicted[row].read())
        ]
        ious = class_ious(counts[row][None])[0]
        words = ", ".join(
            f"{classes[at]} {100 * ious[at]:.0f} %" for at in np.flatnonzero(~np.isnan(ious))
        )
        between = np.full((pixels.shape[0], max(2, pixels.shape[1] // 64), 3), 255, np.uint8)
        joined = np.concatenate([sides[0], between, sides[1]], axis=1)
        shown.append(MaskMistake(data_uri(joined, _SIDE), dataset.images[index].name, words))
    return tuple(shown)


def tinted(pixels: NDArray[np.uint8], mask: Mask, classes: Sequence[str]) -> NDArray[np.uint8]:
    """Return an image, uint8 RGB, in the colors of its classes; the background has none.

    Void is gray.
    """
    colors = np.zeros((256, 3), np.uint8)
    tint = np.zeros(256, np.float32)
    for index, label in enumerate(classes):
        if not is_background(label):
            colors[index], tint[index] = mask_color(index)[::-1], _TINT
    colors[VOID], tint[VOID] = _VOID_GRAY, _TINT
    weight = tint[mask][..., None]
    mixed = pixels * (1 - weight) + colors[mask] * weight
    return np.asarray(np.rint(mixed), np.uint8)


def _legend(classes: Sequence[str]) -> list[LegendEntry]:
    entries = []
    for index, label in enumerate(classes):
        if not is_background(label):
            blue, green, red = mask_color(index)
            entries.append(LegendEntry(label, f"#{red:02x}{green:02x}{blue:02x}"))
    return entries


def _images(dataset: Dataset, split: Split) -> list[dict[str, int]]:
    """Count the images with each class in each subset."""

    def count(subset: str) -> list[int]:
        shown = np.zeros(VOID + 1, np.int64)
        for index in getattr(split, subset):
            shown[np.unique(dataset.annotations[index].read())] += 1
        listed: list[int] = shown[: len(dataset.classes)].tolist()
        return listed

    counts = {subset: count(subset) for subset in SPLITS}
    return [
        {subset: counts[subset][label] for subset in SPLITS}
        for label in range(len(dataset.classes))
    ]
