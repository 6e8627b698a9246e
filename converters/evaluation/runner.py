"""Run of models on labeled images, with their times."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from converters.evaluation.evaluation_task import (
    EvaluationImage,
    EvaluationTask,
)
from converters.evaluation.label_matching import LabelMatch
from converters.evaluation.records import ImageTime
from converters.progress import Progress
from edge.benchmark import percentiles
from edge.errors import DatasetError, ImageError
from edge.frame import BgrImage, Frame
from edge.image import read_image
from edge.quantities import counted
from edge.tasks.task import Task


@dataclass(frozen=True, slots=True)
class ImagesRun:
    """Images that could be evaluated, with their outcomes, in order.

    ``unreadable``: sentences on the others.
    """

    images: tuple[EvaluationImage, ...]
    outcomes: tuple[Any, ...]
    time: ImageTime
    unreadable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TimedResult:
    """A result with the milliseconds that the whole and the model alone took."""

    result: Any
    total_ms: float
    invoke_ms: float


def predict(opened: Task, image: BgrImage, name: str) -> TimedResult:
    """Run a model on an image, uint8 BGR, as :meth:`edge.Classifier.predict` does."""
    frame = Frame(0, 0.0, image, name)
    start = time.perf_counter()
    inputs = opened.preprocess(frame)
    before = time.perf_counter()
    outputs = opened.runtime.invoke(*inputs)
    after = time.perf_counter()
    result = opened.postprocess(outputs, frame)
    end = time.perf_counter()
    return TimedResult(result, 1e3 * (end - start), 1e3 * (after - before))


def run(
    task: EvaluationTask,
    models: Sequence[tuple[Task, LabelMatch]],
    images: Sequence[EvaluationImage],
    progress: Progress,
) -> tuple[ImagesRun, ...]:
    """Run models on images; one that cannot be read is left out.

    The models take turns, so that whatever else this computer does slows all of them.

    Args:
        task: of the models.
        models: with their labels.
        images: at least one.
        progress: shows how far it is.

    Returns:
        One for each model, all of the same images.

    Raises:
        DatasetError: none of the images can be read.
        ModelError: a model fails.
    """
    usable: list[EvaluationImage] = []
    unreadable: list[str] = []
    outcomes: list[list[Any]] = [[] for _ in models]
    times: list[list[TimedResult]] = [[] for _ in models]
    for image in progress.track(images, len(images), "evaluating"):
        try:
            pixels = read_image(image.path)
            timed = [predict(opened, pixels, image.name) for opened, _ in models]
            compared = [
                task.outcome(image, prediction.result, match)
                for prediction, (_, match) in zip(timed, models, strict=True)
            ]
        except (ImageError, DatasetError) as error:
            unreadable.append(f"{image.name}: {error}")
            continue
        usable.append(image)
        for index, (prediction, outcome) in enumerate(zip(timed, compared, strict=True)):
            outcomes[index].append(outcome)
            times[index].append(replace(prediction, result=None))
    if not usable:
        raise DatasetError(
            "images that can be read",
            f"{counted(len(images), 'image')}, none of which can: {unreadable[0]}",
            "check the files",
            code="no-usable-images",
        )
    return tuple(
        ImagesRun(tuple(usable), tuple(own), _time(ms, opened), tuple(unreadable))
        for own, ms, (opened, _) in zip(outcomes, times, models, strict=True)
    )


def _time(times: Sequence[TimedResult], opened: Task) -> ImageTime:
    """Summarize the times; the first run prepares the interpreter, and does not count."""
    timed_runs = times[1:] or times
    runtime = opened.runtime
    p50, p95 = percentiles([timed.total_ms for timed in timed_runs])
    invoke, _ = percentiles([timed.invoke_ms for timed in timed_runs])
    return ImageTime(p50, p95, invoke, runtime.package, runtime.delegate, runtime.threads)
