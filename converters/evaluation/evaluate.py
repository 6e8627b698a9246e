"""Evaluation of a model, alone or against another, on labeled images."""

import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from converters.evaluation.evaluation_task import (
    EvaluationImage,
    EvaluationImages,
    EvaluationTask,
    ModelOptions,
)
from converters.evaluation.label_matching import LabelMatch, match_labels
from converters.evaluation.notes import notes_on_images
from converters.evaluation.pictures import picture
from converters.evaluation.records import (
    Evaluation,
    ImageMistake,
    Measurement,
    MetricLimit,
    PairedEvaluation,
)
from converters.evaluation.runner import ImagesRun, predict, run
from converters.evaluation.splits import choose_split
from converters.evaluation.tasks import open_model
from converters.progress import Progress
from edge.errors import DatasetError, UsageError
from edge.image import read_image
from edge.quantities import counted
from edge.registry import resolve_model
from edge.tasks.task import Task

T = TypeVar("T")

_MISTAKES = 12
_CLASSES, _POINT = 3, 0.01
"""Classes that are named, and what each has to lose for that."""


@dataclass(frozen=True, slots=True)
class EvaluationSettings:
    """What to evaluate.

    Attributes:
        model: path of a file or result folder, or name in the registry.
        dataset: path of the labeled images.
        against: a second model, the reference.
        renames: other names of classes.
        task: "classify", "detect" or "segment"; None: the one that the model is for.
        split: "train", "validation", "test" or "all"; None: the first of :data:`SPLITS`.
        minimums: lower limits, such as ``{"min_accuracy": 0.9}``.
        options: how both models are opened.
        seed: of the resamples.
    """

    model: Path
    dataset: Path
    against: Path | None = None
    renames: Mapping[str, str] = field(default_factory=dict)
    task: str | None = None
    split: str | None = None
    minimums: Mapping[str, float] = field(default_factory=dict)
    options: ModelOptions = field(default_factory=ModelOptions)
    seed: int = 0


@dataclass(frozen=True, slots=True)
class NamedModel:
    """An opened model: ``name`` as the user gave it, its file, its classes in the data set."""

    name: str
    path: Path
    opened: Task
    match: LabelMatch


@dataclass(frozen=True, slots=True)
class MeasuredModel:
    """A model with its run on the images, and its metrics."""

    model: NamedModel
    run: ImagesRun
    measured: Measurement


def evaluate(settings: EvaluationSettings, progress: Progress) -> Evaluation:
    """Measure a model on labeled images.

    Raises:
        ModelError: a model is not usable, or for none of the tasks.
        DatasetError: the data set is missing, unreadable, or not labeled for the model's task.
        LabelsError: model and data set share no class.
        UsageError: an unknown task, split or class.
    """
    path = _file(settings.model, settings, progress)
    task, opened = _open(path, settings, settings.task, progress)
    _check_minimums(task, settings.minimums)
    with tempfile.TemporaryDirectory(prefix="edge-evaluate-") as workdir:
        listing = task.list_images(settings.dataset, Path(workdir))
        images, split = choose_split(listing, settings.split)
        models = _matched(task, settings, listing, path, opened, progress)
        images = _usable(task, images, models[0].match)
        results = _measure(task, models, images, settings.seed, progress)
        mistakes = _mistakes(task, results[0])
    return _summarize(task, settings, split, results, mistakes, listing.notes)


def _measure(
    task: EvaluationTask,
    models: Sequence[NamedModel],
    images: Sequence[EvaluationImage],
    seed: int,
    progress: Progress,
) -> tuple[MeasuredModel, ...]:
    runs = run(task, [(model.opened, model.match) for model in models], images, progress)
    with progress.working("computing metrics and intervals"):
        return tuple(
            MeasuredModel(
                model, finished, task.measure(finished.outcomes, model.match.classes, seed)
            )
            for model, finished in zip(models, runs, strict=True)
        )


def _summarize(
    task: EvaluationTask,
    settings: EvaluationSettings,
    split: str | None,
    results: Sequence[MeasuredModel],
    mistakes: tuple[ImageMistake, ...],
    dataset_notes: Sequence[str],
) -> Evaluation:
    first = results[0]
    measured, metrics = first.measured, _defined(first.measured.metrics)
    notes = [*first.model.opened.notes, *dataset_notes, *first.model.match.notes]
    notes += task.notes(first.model.opened, first.run.outcomes)
    notes += notes_on_images(first.model.path, settings.dataset, split, first.run, measured)
    return Evaluation(
        task=task.name,
        model=first.model.name,
        dataset=str(settings.dataset),
        images=len(first.run.images),
        split=split,
        metrics=metrics,
        intervals={
            key: bounds for key, bounds in measured.intervals.items() if math.isfinite(bounds[0])
        },
        per_class={label: _defined(row) for label, row in measured.per_class.items()},
        time=first.run.time,
        notes=tuple(notes),
        details={**measured.details, "unreadable": list(first.run.unreadable)},
        mistakes=mistakes,
        against=_compare(task, first, results[1]) if len(results) > 1 else None,
        limits=tuple(
            MetricLimit(metric, task.headings[metric], settings.minimums[option], metrics[metric])
            for option, metric in task.minimums.items()
            if option in settings.minimums
        ),
    )


def _compare(
    task: EvaluationTask, first: MeasuredModel, reference: MeasuredModel
) -> PairedEvaluation:
    return PairedEvaluation(
        reference=reference.model.name,
        drops=task.drops(reference.measured, first.measured),
        effects=(
            *task.effects(reference.measured, first.measured),
            *_classes_that_lose(task, reference.measured, first.measured),
        ),
        time=reference.run.time,
    )


def _classes_that_lose(
    task: EvaluationTask, reference: Measurement, measured: Measurement
) -> Iterator[str]:
    """Yield a sentence on the classes that lose the most, at least a point; chance included."""
    losses = {}
    for label, row in measured.per_class.items():
        before, after = reference.per_class[label][task.class_main], row[task.class_main]
        if isinstance(before, float) and isinstance(after, float) and before - after >= _POINT:
            losses[label] = before - after
    if losses:
        worst = sorted(losses.items(), key=lambda item: -item[1])[:_CLASSES]
        listed = ", ".join(f"{label} {100 * loss:.1f} points" for label, loss in worst)
        heading = task.class_headings[task.class_main]
        yield f"the classes that lose most of their {heading}: {listed}"


def _usable(
    task: EvaluationTask, images: Sequence[EvaluationImage], match: LabelMatch
) -> tuple[EvaluationImage, ...]:
    """Return the images that can be evaluated on the matched classes.

    Raises:
        DatasetError: there is none.
    """
    usable = task.select(images, match)
    if not usable:
        raise DatasetError(
            f"images of {', '.join(match.classes[:3])} or another class that the model has",
            f"none among {counted(len(images), 'image')}",
            "choose other images, or --split all",
            code="no-images-left",
        )
    return usable


def _check_minimums(task: EvaluationTask, minimums: Mapping[str, float]) -> None:
    for name in minimums:
        if name not in task.minimums:
            options = ", ".join(_option(known) for known in task.minimums)
            raise UsageError(
                f"{options}, for a model of the task {task.name}",
                _option(name),
                f"use {options}",
                code="minimum-of-another-task",
            )


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _defined(figures: Mapping[str, T]) -> dict[str, T | None]:
    """Return figures with None instead of NaN, as where a class does not occur."""
    return {
        key: None
        if (isinstance(value, float) and math.isnan(value))
        or (isinstance(value, tuple) and any(map(math.isnan, value)))
        else value
        for key, value in figures.items()
    }


def _file(model: Path, settings: EvaluationSettings, progress: Progress) -> Path:
    return resolve_model(model, progress.say, settings.options.delegate)


def _open(
    path: Path, settings: EvaluationSettings, task: str | None, progress: Progress
) -> tuple[EvaluationTask, Task]:
    with progress.working(f"opening {path.name}"):
        return open_model(path, settings.options, task)


def _matched(
    task: EvaluationTask,
    settings: EvaluationSettings,
    listing: EvaluationImages,
    path: Path,
    opened: Task,
    progress: Progress,
) -> tuple[NamedModel, ...]:
    """Match the classes of the models with those of the data set; both get the same ones."""
    match = match_labels(task.labels(opened), listing.classes, settings.renames)
    if settings.against is None:
        return (NamedModel(str(settings.model), path, opened, match),)
    reference = _file(settings.against, settings, progress)
    _, other = _open(reference, settings, task.name, progress)
    second = match_labels(task.labels(other), listing.classes, settings.renames)
    return (
        NamedModel(str(settings.model), path, opened, match.keep(second.classes)),
        NamedModel(str(settings.against), reference, other, second.keep(match.classes)),
    )


def _mistakes(task: EvaluationTask, result: MeasuredModel) -> tuple[ImageMistake, ...]:
    """Draw the images with the worst mistakes; they are predicted once more."""
    faults, model = result.measured.faults, result.model
    worst = [int(i) for i in np.argsort(-faults, kind="stable")[:_MISTAKES] if faults[i] > 0]
    mistakes = []
    for index in worst:
        image = result.run.images[index]
        pixels = read_image(image.path)
        predicted = predict(model.opened, pixels, image.name).result
        mistakes.append(
            ImageMistake(
                name=image.name,
                words=task.describe(result.run.outcomes[index], model.match.classes),
                uri=picture(pixels, *task.shown(image, predicted, model.match)),
            )
        )
    return tuple(mistakes)
