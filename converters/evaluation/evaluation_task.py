"""The interface of a task of evaluation: what stages need to know about labels and metrics."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from converters.evaluation.label_matching import LabelMatch
from converters.evaluation.records import Measurement, PairedDrop
from converters.metrics.resampling import drop_interval
from edge.modelfile.normalization import Levels
from edge.results import Classification, Detections, Segmentation
from edge.tasks.task import Task

ImageResult = Classification | Detections | Segmentation


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """How a model is opened; see :meth:`edge.Classifier.open`."""

    labels: Path | None = None
    mean: Levels | None = None
    std: Levels | None = None
    delegate: str = "auto"
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class EvaluationImage:
    """An image with its labels.

    ``name``: relative to the data set; ``split``: as in
    :class:`converters.dataset.listing.LabeledFile`; ``truth``: as the task reads it.
    """

    path: Path
    name: str
    split: str | None
    truth: Any


@dataclass(frozen=True, slots=True)
class EvaluationImages:
    """The images of a data set; ``notes``: sentences about what was left out."""

    name: str
    classes: tuple[str, ...]
    images: tuple[EvaluationImage, ...]
    notes: tuple[str, ...] = ()


class EvaluationTask(ABC):
    """A task of evaluation.

    Attributes:
        name: as in ``edge demo NAME``.
        main: the metric that the task is judged by.
        class_main: the figure that a class is judged by.
        headings: of the metrics, by name, the most important first.
        class_headings: of the figures per class that are shown, by name.
        minimums: metric that an option such as "min_accuracy" sets a limit to, by option.
    """

    name: ClassVar[str]
    main: ClassVar[str]
    class_main: ClassVar[str]
    headings: ClassVar[Mapping[str, str]]
    class_headings: ClassVar[Mapping[str, str]]
    minimums: ClassVar[Mapping[str, str]]

    @abstractmethod
    def open(self, model: Path, options: ModelOptions) -> Task:
        """Open a model.

        Raises:
            ModelError: it is not usable, with the code "model-wrong-task" where it is for another
                task.
            EdgeError: an option, or labels, do not fit.
        """

    @abstractmethod
    def labels(self, opened: Any) -> tuple[str, ...]:
        """Return the labels of a model by the index of its results."""

    @abstractmethod
    def list_images(self, dataset: Path, workdir: Path) -> EvaluationImages:
        """List the images of a data set, which may be unpacked into ``workdir``.

        Raises:
            DatasetError: it is missing, unreadable, or not labeled for this task.
        """

    def select(
        self, images: Sequence[EvaluationImage], match: LabelMatch
    ) -> tuple[EvaluationImage, ...]:
        """Return the images that can be evaluated on the matched classes."""
        return tuple(images)

    @abstractmethod
    def outcome(self, image: EvaluationImage, result: Any, match: LabelMatch) -> Any:
        """Compare a result with the truth, in indices of the matched classes.

        Raises:
            DatasetError: the labels of the image cannot be read.
        """

    @abstractmethod
    def measure(self, outcomes: Sequence[Any], classes: Sequence[str], seed: int) -> Measurement:
        """Measure all images; the same seed gives the same resamples."""

    def notes(self, opened: Any, outcomes: Sequence[Any]) -> Iterable[str]:
        """Say in sentences what limits a model on these images."""
        return ()

    def drops(self, reference: Measurement, measured: Measurement) -> tuple[PairedDrop, ...]:
        """Compare the metrics that were resampled on the same images."""
        return tuple(
            PairedDrop(
                metric=name,
                reference=reference.metrics[name],
                value=measured.metrics[name],
                drop=reference.metrics[name] - measured.metrics[name],
                interval=drop_interval(samples, measured.samples[name], len(measured.outcomes)),
            )
            for name, samples in reference.samples.items()
        )

    @abstractmethod
    def effects(self, reference: Measurement, measured: Measurement) -> tuple[str, ...]:
        """Say in sentences what differs on the same images, beyond the metrics."""

    @abstractmethod
    def describe(self, outcome: Any, classes: Sequence[str]) -> str:
        """Say in words what is wrong in an image."""

    @abstractmethod
    def shown(
        self, image: EvaluationImage, result: Any, match: LabelMatch
    ) -> tuple[ImageResult, ImageResult]:
        """Return the truth and the result of an image, both for drawing."""
