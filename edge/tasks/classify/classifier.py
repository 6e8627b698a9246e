"""The task "classify": the best classes of an image, without flicker in a stream."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from edge import draw
from edge import preprocessing as pixels
from edge.errors import ModelError, UsageError
from edge.frame import BgrImage, Frame
from edge.image import RgbImage, wrong_array
from edge.interpreter import Array, Runtime
from edge.modelfile.labels import fit_labels
from edge.modelfile.metadata import ModelMetadata
from edge.modelfile.normalization import Levels, Normalization, normalization
from edge.preprocessing import Preprocessing
from edge.registry import resolve_model
from edge.results import Classification
from edge.tasks.classify.scores import (
    Scores,
    best_classes,
    count_classes,
    gives_logits,
    is_binary,
    to_scores,
)
from edge.tasks.loading import (
    LoadedModel,
    check_task,
    cpu_fallback_path,
    load_content,
    load_file,
)
from edge.tasks.task import SingleImage, TaskSettings, check_score, class_indices, distinct

SMOOTHING_S = 0.25
"""Time constant in seconds with which scores of a stream are averaged."""


class _ScoreAverage:
    """An exponential average of scores over time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._scores: Scores | None = None
        self._time_s = 0.0

    def __call__(self, scores: Scores, time_s: float) -> Scores:
        elapsed = time_s - self._time_s
        if self._scores is None or self._seconds == 0 or elapsed < 0:
            average = scores
        else:
            weight = math.exp(-elapsed / self._seconds)
            average = (weight * self._scores + (1 - weight) * scores).astype(np.float32)
        self._scores, self._time_s = average, time_s
        return average


@dataclass(frozen=True, slots=True)
class Classifier(SingleImage):
    """The task "classify": names the best classes of an image; see :meth:`open`.

    >>> classifier = Classifier.open("model.tflite")
    >>> classifier.predict("red.png").best.label
    'red'

    Attributes:
        labels: in the order of the model's outputs.
        threshold: best score below which the image is unknown, None for no threshold.
        preprocessing: from an image to the model's input.
        runtime: runs the model.
        metadata: of the model file, None where it has none.
        notes: sentences for the user about what was assumed or fell back.
        path: of the model; its bare name where it was opened from bytes.
        top: number of classes in a result.
        selected: indices of the classes to report, None for all.
    """

    labels: tuple[str, ...] = field(repr=False)
    threshold: float | None
    preprocessing: Preprocessing
    runtime: Runtime
    metadata: ModelMetadata | None = field(repr=False)
    notes: tuple[str, ...]
    path: Path
    top: int
    _average: _ScoreAverage = field(repr=False)
    _table: Array | None = field(repr=False)
    _logits: bool = field(repr=False)
    selected: NDArray[np.int64] | None = None
    name: str = "classify"
    prefetchable: bool = True
    _normalization: Normalization | None = field(default=None, repr=False)

    @classmethod
    def open(
        cls,
        model: str | Path,
        *,
        labels: str | Path | None = None,
        threshold: float | None = None,
        delegate: str = "auto",
        threads: int | None = None,
        top: int = 3,
        smoothing: float = SMOOTHING_S,
        mean: Levels | None = None,
        std: Levels | None = None,
        say: Callable[[str], None] = print,
    ) -> Self:
        """Open a classifier.

        Args:
            model: the path of a .tflite file, or of a result folder of ``edge convert``, or a name
                from ``edge models list``. A model compiled for the Edge TPU falls back, with
                delegate "auto", to the model for the CPU next to it (its name without
                ``_edgetpu``), and a note says so.
            labels: a file with one name per line; by default the labels of the model's metadata,
                else those of a file next to it (``labels.txt`` or one named after the model), else
                classes are numbered, and a note says so.
            threshold: best score below which an image is unknown, 0 to 1, 0 for none; by default
                that of the model's metadata.
            delegate: "auto", "cpu" or "edgetpu".
            threads: CPU threads; by default one per core, at most 4.
            top: number of classes in a result.
            smoothing: seconds over which scores of a stream are averaged, so that the result does
                not flicker; 0 for none. Single images are never averaged.
            mean: mean of the pixels, 0 to 255, that the model was trained with: a number, or three
                for R, G, B; by default that of ``MODEL.toml`` next to the model, else of its
                metadata.
            std: standard deviation, as ``mean``: a pixel p means (p - mean) / std to the model.
            say: called with a sentence before a model is downloaded.

        Raises:
            ModelError: no usable classifier.
            LabelsError: labels that do not fit the model.
            UsageError: a value out of range.
            DelegateError: no interpreter, or no Edge TPU for a model that needs one.
            DownloadError, OutputError: a model of the registry cannot be had.
        """
        average, given = _score_average(smoothing), normalization(mean, std)
        path = resolve_model(model, say, delegate)
        loaded = load_file(
            path, labels=labels, delegate=delegate, threads=threads, normalization=given
        )
        return cls._of(loaded, path, threshold, top, average)

    @classmethod
    def from_bytes(
        cls,
        content: bytes,
        *,
        name: str,
        labels: str | Path | None = None,
        threshold: float | None = None,
        delegate: str = "cpu",
        threads: int | None = None,
        top: int = 3,
        trusted: bool = False,
    ) -> Self:
        """Open the content of a .tflite file; see :meth:`open`.

        ``name`` is used in errors; ``trusted``: the model needs no trial in a process of its own.
        """
        loaded = load_content(content, name, labels, delegate, threads, trusted=trusted)
        return cls._of(loaded, Path(name), threshold, top, _score_average(SMOOTHING_S))

    @classmethod
    def _of(
        cls,
        loaded: LoadedModel,
        path: Path,
        threshold: float | None,
        top: int,
        average: _ScoreAverage,
    ) -> Self:
        if top < 1:
            raise UsageError(
                "at least one class in a result",
                f"--top {top}",
                "use --top 1",
                code="invalid-option-value",
            )
        check_task(loaded, "classify")
        runtime = loaded.runtime
        classes = count_classes(runtime)
        if classes is None:
            raise _wrong_task(runtime, loaded.name)
        scores, count = runtime.outputs[0], len(loaded.labels or ())
        if scores.shape[-1] == 1 and not is_binary(runtime.file, scores, count):
            raise _no_classes(loaded.name)
        labels, label_notes = _labels(loaded, classes)
        spec = runtime.inputs[0]
        preprocessing, input_notes = pixels.preprocessing_of(
            spec, loaded.about, loaded.name, loaded.normalization
        )
        return cls(
            labels=labels,
            threshold=_threshold(loaded.about, threshold),
            preprocessing=preprocessing,
            runtime=runtime,
            metadata=loaded.about,
            notes=(*loaded.notes, *label_notes, *input_notes),
            path=path,
            top=top,
            _average=average,
            _table=pixels.input_table(spec, preprocessing),
            _logits=gives_logits(runtime.file, runtime.outputs[0]),
            _normalization=loaded.normalization,
        )

    def preprocess(self, frame: Frame) -> tuple[Array, ...]:
        """Return the model's input for a frame: [1, height, width, 3] in the input's dtype."""
        resized = self.preprocessing.resize(frame.image)
        rgb = np.asarray(cv2.cvtColor(resized, cv2.COLOR_BGR2RGB), np.uint8)
        return (pixels.apply_table(self._table, rgb),)

    def postprocess(self, outputs: tuple[Array, ...], frame: Frame) -> Classification:
        """Return the best classes; the scores of images with a name are not averaged."""
        scores = to_scores(outputs[0], self.runtime.outputs[0], self._logits)
        if not frame.name:
            scores = self._average(scores, frame.time_s)
        return best_classes(scores, self.labels, self.top, self.threshold, self.selected)

    def scores(self, image: RgbImage) -> Scores:
        """Return the scores, float32 [classes], of an image at the model's size.

        Args:
            image: uint8 RGB [height, width, 3], as the model's preprocessing resizes it.

        Raises:
            ModelError: the model fails.
            ImageError: the array has another shape or dtype.
        """
        shape = (self.preprocessing.height, self.preprocessing.width, 3)
        if image.shape != shape or image.dtype != np.uint8:
            raise wrong_array(f"an RGB image as uint8 {list(shape)}", image)
        (output,) = self.runtime.invoke(pixels.apply_table(self._table, image))
        return to_scores(output, self.runtime.outputs[0], self._logits)

    def draw(self, image: BgrImage, result: Classification) -> BgrImage:
        """Draw the classes into a corner of the image, in place."""
        draw.classification(image, result)
        return image

    def settings(self) -> TaskSettings:
        """Return the threshold, 0 where there is none, and the reported classes."""
        names = None if self.selected is None else [self.labels[i] for i in self.selected]
        return TaskSettings(
            self.threshold or 0.0,
            None if names is None else distinct(names),
            distinct(self.labels),
        )

    def with_settings(self, settings: TaskSettings) -> Self:
        """Return this task with another threshold, 0 for none, and other classes.

        Raises:
            UsageError: no such class, or a score out of range.
        """
        threshold = check_score(settings.score) or None
        names = settings.classes
        selected = None if names is None else class_indices(names, self.labels)
        return replace(self, threshold=threshold, selected=selected)

    def fallback_to_cpu(self) -> Self:
        """Return this task on the CPU.

        Raises:
            DelegateError: there is no model for the CPU next to this one.
        """
        path = cpu_fallback_path(self.path)
        loaded = load_file(
            path, labels=None, delegate="cpu", threads=self.runtime.threads,
            normalization=self._normalization,
        )  # fmt: skip
        named = replace(loaded, labels=self.labels)
        other = type(self)._of(named, path, None, self.top, self._average)
        return replace(other, threshold=self.threshold, selected=self.selected)


def _score_average(seconds: float) -> _ScoreAverage:
    if not 0 <= seconds < math.inf:
        raise UsageError(
            "a smoothing of at least 0 s",
            f"{seconds:g} s",
            f"use --smoothing {SMOOTHING_S:g}",
            code="invalid-option-value",
        )
    return _ScoreAverage(seconds)


def _labels(loaded: LoadedModel, classes: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the labels of the classes, and notes about them."""
    if loaded.labels is not None and len(loaded.labels) == 1 and classes == 2:
        (label,) = loaded.labels
        return (f"not {label}", label), ()
    if loaded.labels is not None:
        return fit_labels(loaded.labels, classes, loaded.source)
    lost = ", ".join(loaded.about.missing) if loaded.about is not None else ""
    why = f" (its metadata lists {lost}, which is missing from the file)" if lost else ""
    note = f"{loaded.name} has no labels{why}: classes are numbered; name them with --labels FILE"
    return tuple(f"class {index}" for index in range(classes)), (note,)


def _threshold(about: ModelMetadata | None, given: float | None) -> float | None:
    if given is None:
        return about.threshold if about is not None else None
    if not 0 <= given <= 1:
        raise UsageError(
            "a threshold from 0 to 1",
            f"{given:g}",
            "give a fraction: 0.8 for 80 %, 0 for none",
            code="invalid-option-value",
        )
    return given or None


def _no_classes(name: str) -> ModelError:
    return ModelError(
        "scores of classes",
        f"{name}, whose output is a single number without a sigmoid",
        "end the model in a sigmoid, or name its two classes with --labels if it is a logit",
        code="model-wrong-task",
    )


def _wrong_task(runtime: Runtime, name: str) -> ModelError:
    outputs = ", ".join(f"{spec.dtype} {list(spec.shape)}" for spec in runtime.outputs)
    return ModelError(
        "a classifier with one image input and one output of scores [1, n]",
        f"{name}, a model for another task (outputs: {outputs})",
        "inspect it with 'edge inspect'",
        code="model-wrong-task",
    )
