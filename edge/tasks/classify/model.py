"""A model: a .tflite file with its labels and its preprocessing, ready for images."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge import preprocessing as pixels
from edge.errors import ImageError, ModelError, UsageError
from edge.image import RgbImage
from edge.interpreter import Array, Runtime
from edge.modelfile.labels import fit_labels
from edge.modelfile.metadata import ModelMetadata
from edge.preprocessing import Preprocessing
from edge.results import Classification
from edge.tasks import loading
from edge.tasks.classify import scores as classify
from edge.tasks.classify.scores import Scores
from edge.tasks.loading import LoadedModel


@dataclass(frozen=True, slots=True)
class ClassifierModel:
    """A classifier of images.

    ``task`` is "classify"; ``labels`` are in the order of the outputs; ``threshold`` is the best
    score below which the answer is unknown, None where there is none; ``notes`` are sentences for
    the user about what was assumed or fell back.
    """

    name: str
    task: str
    labels: tuple[str, ...]
    threshold: float | None
    preprocessing: Preprocessing
    runtime: Runtime
    metadata: ModelMetadata | None
    notes: tuple[str, ...]
    _table: Array | None
    _logits: bool

    def input_of(self, stretched: RgbImage) -> Array:
        """The model's input of an image at its size, uint8 RGB [h, w, 3]."""
        return pixels.apply_table(self._table, stretched)

    def scores_from(self, output: Array) -> Scores:
        """Scores, float32 [classes], of the model's raw output."""
        return classify.to_scores(output, self.runtime.outputs[0], self._logits)

    def scores(self, pixels_: RgbImage) -> Scores:
        """Scores, float32 [classes], of an image at the model's size: uint8 RGB [h, w, 3].

        Raises:
            ModelError: the model fails.
            ImageError: the pixels have another shape or dtype.
        """
        wanted = (self.preprocessing.height, self.preprocessing.width, 3)
        if pixels_.shape != wanted or pixels_.dtype != np.uint8:
            raise _wrong_array(list(wanted), pixels_)
        (output,) = self.runtime.invoke(self.input_of(pixels_))
        return self.scores_from(output)

    def classify(self, image: RgbImage, top: int = 3) -> Classification:
        """The ``top`` best classes of an image, uint8 RGB [height, width, 3] of any size.

        Raises:
            ModelError: the model fails.
            ImageError: the array is no such image.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise _wrong_array(["height", "width", 3], image)
        scores = self.scores(self.preprocessing.resize(image))
        return classify.best(scores, self.labels, top, self.threshold)


def open_model(
    path: str | Path,
    *,
    labels: str | Path | None = None,
    threshold: float | None = None,
    delegate: str = "auto",
    threads: int | None = None,
) -> ClassifierModel:
    """Open a .tflite file.

    Labels come from ``labels``, else from the model's metadata, else from a file beside it
    (``labels.txt`` or one named after the model); else classes are numbered, and a note says so.
    The threshold is ``threshold`` (0 to 1, 0 for none), else that of the model's metadata.
    With delegate "auto", a model compiled for the Edge TPU falls back to its twin for the CPU
    beside it (the name without ``_edgetpu``), and a note says so.

    Raises:
        ModelError: no usable classifier.
        LabelsError: labels that do not fit the model.
        UsageError: a threshold out of range.
        DelegateError: no interpreter, or no Edge TPU for a model that needs one.
    """
    opened = loading.load_file(Path(path), labels=labels, delegate=delegate, threads=threads)
    return _classifier(opened, threshold)


def load_model(
    content: bytes,
    *,
    name: str,
    labels: str | Path | None = None,
    threshold: float | None = None,
    delegate: str = "cpu",
    threads: int | None = None,
) -> ClassifierModel:
    """Like :func:`open_model`, for the content of a .tflite file; ``name`` is used in errors."""
    return _classifier(loading.load_content(content, name, labels, delegate, threads), threshold)


def _classifier(opened: LoadedModel, threshold: float | None) -> ClassifierModel:
    runtime, about, name = opened.runtime, opened.about, opened.name
    classes = classify.classes_of(runtime)
    if classes is None:
        raise _another_task(runtime, name)
    names, label_notes = _labels(opened, classes)
    preprocessing, input_notes = pixels.preprocessing_of(runtime.inputs[0], about, name)
    return ClassifierModel(
        name=name,
        task="classify",
        labels=names,
        threshold=_threshold(about, threshold),
        preprocessing=preprocessing,
        runtime=runtime,
        metadata=about,
        notes=(*opened.notes, *label_notes, *input_notes),
        _table=pixels.input_table(runtime.inputs[0], preprocessing),
        _logits=classify.gives_logits(runtime.file, runtime.outputs[0]),
    )


def _labels(opened: LoadedModel, classes: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if opened.labels is not None:
        return fit_labels(opened.labels, classes, opened.source)
    lost = ", ".join(opened.about.missing) if opened.about is not None else ""
    why = f" (its metadata lists {lost}, which is missing from the file)" if lost else ""
    note = f"{opened.name} has no labels{why}: classes are numbered; name them with --labels FILE"
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


def _another_task(runtime: Runtime, name: str) -> ModelError:
    outputs = ", ".join(f"{spec.dtype} {list(spec.shape)}" for spec in runtime.outputs)
    return ModelError(
        "a classifier with one image input and one output of scores [1, n]",
        f"{name}, a model for another task (outputs: {outputs})",
        "inspect it with 'edge inspect'",
        code="model-wrong-task",
    )


def _wrong_array(wanted: list[object] | list[int], found: RgbImage) -> ImageError:
    shape = ", ".join(str(size) for size in wanted)
    return ImageError(
        f"an RGB image as uint8 [{shape}]",
        f"{found.dtype} {list(found.shape)}",
        "convert the array, or read images with edge.read_image",
        code="invalid-image-array",
    )
