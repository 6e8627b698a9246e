"""Sentences on the images of an evaluation that its reader should know."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from converters.evaluation.records import Measurement
from converters.evaluation.runner import ImagesRun
from edge.quantities import counted

_FEW = 30
"""Images below which the interval of a resampled metric is narrower than it should be."""

_LISTED = 5

_REPORT = "report.json"
"""File in the result folder of ``edge convert``."""


def notes_on_images(
    model: Path, dataset: Path, split: str | None, images_run: ImagesRun, measured: Measurement
) -> Iterator[str]:
    """Yield sentences on images that were left out, seen in training, or are few.

    Args:
        model: path of its file.
        dataset: path of the data set.
        split: that was evaluated.
        images_run: of the model.
        measured: of the same run.
    """
    if split in (None, "train") and _was_trained_on(model, dataset):
        yield (
            "the model was trained on images of this dataset: how well it does on images that it "
            "has seen says little about others"
        )
    if split is not None:
        yield f"only the split {split} of the dataset is evaluated; --split all takes all images"
    if images_run.unreadable:
        listed = "; ".join(images_run.unreadable[:_LISTED])
        yield f"{counted(len(images_run.unreadable), 'image')} could not be read: {listed}"
    if measured.samples and len(images_run.images) < _FEW:
        yield (
            f"{counted(len(images_run.images), 'image')} are few: intervals by resampling are "
            "narrower than they should be"
        )


def _was_trained_on(model: Path, dataset: Path) -> bool:
    """Return whether the report beside a model, or above it, names this data set."""
    for report in (model.parent / _REPORT, model.parent.parent / _REPORT):
        with suppress(OSError, ValueError, KeyError, TypeError):
            path = json.loads(report.read_bytes())["dataset"]["path"]
            return Path(path).resolve() == dataset.resolve()
    return False
