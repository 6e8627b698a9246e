"""The task "segment": what covers which part of an image, and what else may be put behind it."""

from collections.abc import Sequence, Set
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
from edge.interpreter import Array, Runtime
from edge.preprocessing import Preprocessing
from edge.results import Segment, Segmentation
from edge.tasks.loading import LoadedModel, load_file, open_cpu_fallback
from edge.tasks.segment import labels as names
from edge.tasks.segment.background import Background, compose
from edge.tasks.segment.masks import MOST, SMOOTHING, MaskDecoder, match_decoder
from edge.tasks.settings import TaskSettings, check_classes, check_score, distinct

SCORE = 0.5
"""Least probability of foreground, in models that say it."""

LEAST = 0.001
"""Least share of the frame's area that is reported: less is noise."""

_FEATHER = 5
"""Width in pixels over which a hard mask's edge fades where the background is replaced."""

_NOT_EVERYWHERE = "Convolution2DTransposeBias"


@dataclass(frozen=True, slots=True)
class Segmenter:
    """The task "segment"; see :func:`segmenter`.

    ``labels`` are by class index; ``classes``: names of those that are reported, None for all but
    the background.
    """

    runtime: Runtime
    labels: tuple[str, ...]
    notes: tuple[str, ...]
    classes: tuple[str, ...] | None
    preprocessing: Preprocessing
    reader: MaskDecoder
    background: Background | None
    path: Path
    name: str = "segment"
    prefetchable: bool = True
    _table: Array | None = field(default=None, repr=False)

    def preprocess(self, frame: Frame) -> tuple[Array, ...]:
        """The model's input of a frame."""
        stretched = self.preprocessing.resize(frame.image)
        rgb = np.asarray(cv2.cvtColor(stretched, cv2.COLOR_BGR2RGB), np.uint8)
        return (pixels.apply_table(self._table, rgb),)

    def postprocess(self, outputs: tuple[Array, ...], frame: Frame) -> Segmentation:
        """The mask in pixels of the frame, and what the classes asked for cover of it."""
        mask, cover = self.reader(outputs[0], frame)
        counts = cv2.calcHist([mask], [0], None, [MOST], [0, MOST]).reshape(-1) / mask.size
        wanted = names.chosen(self.classes, self.labels)
        found = [
            Segment(self.labels[index], index, float(counts[index]), _box(mask, index))
            for index in wanted
            if counts[index] >= LEAST
        ]
        found.sort(key=lambda one: one.share, reverse=True)
        if cover is not None:
            cover = _of_segments(cover, {one.index for one in found})
        return Segmentation(tuple(found), mask, cover)

    def draw(self, image: BgrImage, result: Segmentation) -> BgrImage:
        """Color the segments, with a legend; or put the background behind them."""
        if self.background is not None:
            return compose(image, _cover(result), self.background)
        draw.segmentation(image, result)
        return image

    def fallback_to_cpu(self) -> Self:
        """The same on the CPU.

        Raises:
            DelegateError: there is no model for the CPU beside this one.
        """
        path, runtime = open_cpu_fallback(self.path, self.runtime.threads)
        return replace(self, runtime=runtime, path=path)

    def settings(self) -> TaskSettings:
        """The threshold of a soft mask, and the classes that are reported."""
        choice = tuple(self.labels[index] for index in names.chosen(None, self.labels))
        return TaskSettings(self.reader.score, self.classes, distinct(choice))

    def with_settings(self, settings: TaskSettings) -> Self:
        """The same with other settings.

        Raises:
            UsageError: an unknown class, or a threshold out of range.
        """
        if settings.classes is not None:
            check_classes(settings.classes, self.labels)
        score = None if self.reader.score is None else check_score(settings.score)
        return replace(self, classes=settings.classes, reader=self.reader.with_settings(score))


def segmenter(
    model: str | Path,
    *,
    labels: str | Path | None = None,
    classes: Sequence[str] = (),
    score: float = SCORE,
    smoothing: float = SMOOTHING,
    background: Background | None = None,
    delegate: str = "auto",
    threads: int | None = None,
) -> Segmenter:
    """Open a segmentation model: DeepLab-style classes, or MediaPipe's selfie segmentation.

    Args:
        model: a .tflite file.
        labels: one name per line; by default those in or beside the model.
        classes: names of the classes to report; by default all but the background.
        score: least probability of foreground, in models that say it, 0 to 1.
        smoothing: seconds over which doubtful pixels of such models are averaged; 0 for none.
        background: drawn in place of what the classes do not cover (see
            :func:`edge.tasks.segment.background.parse`); without ``classes`` persons are kept where
            the model knows them.
        delegate: "auto", "cpu" or "edgetpu".
        threads: CPU threads.

    Raises:
        ModelError: no segmentation model.
        LabelsError: labels that do not fit.
        UsageError: an unknown class, or a value out of range.
        DelegateError: no interpreter, or no Edge TPU for a model that needs one.
    """
    if not 0 <= smoothing <= 10:
        raise UsageError(
            "a smoothing from 0 to 10 s",
            f"{smoothing:g} s",
            f"use --smoothing {SMOOTHING}",
            code="invalid-option-value",
        )
    opened = _open(Path(model), labels, delegate, threads)
    reader = match_decoder(opened.runtime, check_score(score), smoothing)
    if reader is None:
        raise _no_segmentation(opened)
    preprocessing, notes = pixels.preprocessing_of(
        opened.runtime.inputs[0], opened.about, opened.name
    )
    known, label_notes = names.of(opened, reader)
    kept = tuple(classes) or None
    if kept is not None:
        check_classes(kept, known)
    if background is not None and kept is None and "person" in known:
        kept = ("person",)
    return Segmenter(
        runtime=opened.runtime,
        labels=known,
        notes=(*opened.notes, *notes, *label_notes),
        classes=kept,
        preprocessing=preprocessing,
        reader=reader,
        background=background,
        path=Path(model),
        _table=pixels.input_table(opened.runtime.inputs[0], preprocessing),
    )


def _open(path: Path, labels: str | Path | None, delegate: str, threads: int | None) -> LoadedModel:
    try:
        return load_file(path, labels=labels, delegate=delegate, threads=threads)
    except ModelError as error:
        if _NOT_EVERYWHERE not in error.found:
            raise
        raise ModelError(
            "an interpreter with MediaPipe's operations",
            f"tflite-runtime, which lacks {_NOT_EVERYWHERE} of {path}",
            "pip install ai-edge-litert",
            code="operation-not-supported",
        ) from None


def _box(mask: NDArray[np.uint8], index: int) -> tuple[float, float, float, float]:
    left, top, width, height = cv2.boundingRect((mask == index).view(np.uint8))
    return float(left), float(top), float(left + width), float(top + height)


def _of_segments(cover: NDArray[np.uint8], shown: Set[int]) -> NDArray[np.uint8]:
    """What the classes ``shown`` have of a foreground's cover: 1 is that, 0 all the rest."""
    front = cover if 1 in shown else np.zeros_like(cover)
    return front | ~cover if 0 in shown else front


def _cover(result: Segmentation) -> NDArray[np.uint8]:
    """How much of each pixel is foreground, 0 to 255; a hard mask's edges are softened."""
    if result.alpha is not None:
        return result.alpha
    table = np.zeros(MOST, np.uint8)
    table[[one.index for one in result.segments]] = 255
    return np.asarray(cv2.blur(cv2.LUT(result.mask, table), (_FEATHER, _FEATHER)), np.uint8)


def _no_segmentation(opened: LoadedModel) -> ModelError:
    outputs = ", ".join(f"{spec.dtype} {list(spec.shape)}" for spec in opened.runtime.outputs)
    return ModelError(
        "a segmentation model with one output: a mask [1, height, width] or scores "
        f"[1, height, width, classes] of at most {MOST} classes",
        f"{opened.name} with outputs {outputs}",
        "use a model such as DeepLab v3; 'edge demo --help' lists the demos for other models",
        code="model-wrong-task",
    )
