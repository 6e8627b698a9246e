"""The task "segment": the class of each pixel, and another background behind people."""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from edge import draw
from edge import preprocessing as pixels
from edge.errors import LabelsError, ModelError, UsageError
from edge.frame import BgrImage, Frame
from edge.interpreter import Array, Runtime
from edge.modelfile.normalization import Levels, Normalization, normalization
from edge.preprocessing import Preprocessing
from edge.quantities import counted
from edge.registry import resolve_model
from edge.results import Segment, Segmentation
from edge.tasks.loading import LoadedModel, check_task, load_file, open_cpu_fallback
from edge.tasks.segment.background import Background, compose, parse_background
from edge.tasks.segment.masks import (
    MAX_CLASSES,
    SMOOTHING_S,
    MaskDecoder,
    mask_labels,
    match_decoder,
    reported_indices,
)
from edge.tasks.task import SingleImage, TaskSettings, check_classes, check_score, distinct

THRESHOLD = 0.5
"""Minimum probability of foreground, in models that output it."""

SELFIE = "selfie_segmenter"
"""Name in the registry of MediaPipe's selfie segmentation, the default model."""

_SELFIE_FILE = Path("modules/selfie_segmentation/selfie_segmentation.tflite")

MIN_SHARE = 0.001
"""Minimum share of the frame's area that is reported: less is noise."""

_FEATHER = 5
"""Width in pixels over which the edge of a class mask fades where the background is replaced."""

_NOT_EVERYWHERE = "Convolution2DTransposeBias"


@dataclass(frozen=True, slots=True)
class Segmenter(SingleImage):
    """The task "segment": finds the class of each pixel; see :meth:`open`.

    >>> segmenter = Segmenter.open("deeplab.tflite")
    >>> segmenter.predict("red.png").mask.shape
    (48, 64)

    Attributes:
        runtime: runs the model.
        labels: by class index.
        notes: sentences for the user about what was assumed or fell back.
        classes: names of the classes to report, None for all but the background.
        preprocessing: from an image to the model's input.
        decoder: from the model's output to a mask.
        background: drawn in place of what the classes do not cover; None: segments are colored.
        path: of the model.
    """

    runtime: Runtime
    labels: tuple[str, ...] = field(repr=False)
    notes: tuple[str, ...]
    classes: tuple[str, ...] | None
    preprocessing: Preprocessing
    decoder: MaskDecoder
    background: Background | None
    path: Path
    name: str = "segment"
    prefetchable: bool = True
    _table: Array | None = field(default=None, repr=False)

    @classmethod
    def open(
        cls,
        model: str | Path | None = None,
        *,
        labels: str | Path | None = None,
        threshold: float | None = None,
        delegate: str = "auto",
        threads: int | None = None,
        classes: Sequence[str] = (),
        smoothing: float = SMOOTHING_S,
        background: Background | str | None = None,
        mean: Levels | None = None,
        std: Levels | None = None,
        say: Callable[[str], None] = print,
    ) -> Self:
        """Open a segmentation model: DeepLab-style classes, or MediaPipe's selfie segmentation.

        Args:
            model: the path of a .tflite file, or of a folder with ``model.tflite``, or a name from
                ``edge models list``; by default MediaPipe's selfie segmentation from its installed
                package, else downloaded.
            labels: a file with one name per line; by default the labels in or next to the model.
            threshold: minimum probability of foreground, in models that output it, 0 to 1; by
                default 0.5.
            delegate: "auto", "cpu" or "edgetpu".
            threads: CPU threads; by default one per core, at most 4.
            classes: names of the classes to report; by default all but the background.
            smoothing: seconds over which uncertain pixels of such models are averaged in a stream;
                0 for none.
            background: drawn in place of what the classes do not cover: "blur", a color such as
                "green" or "#00b140", the path of an image, or a :class:`edge.Background`; without
                ``classes`` people are kept where the model knows them.
            mean: mean of the pixels, 0 to 255, that the model was trained with: a number, or three
                for R, G, B; by default that of ``MODEL.toml`` next to the model, else of its
                metadata.
            std: standard deviation, as ``mean``: a pixel p means (p - mean) / std to the model.
            say: called with a sentence before a model is downloaded.

        Raises:
            ModelError: no segmentation model.
            LabelsError: labels that do not fit the model.
            UsageError: an unknown class or background, or a value out of range.
            ImageError: the background's image cannot be read.
            DelegateError: no interpreter, or no Edge TPU for a model that needs one.
            DownloadError, OutputError: a model of the registry cannot be had.
        """
        if not 0 <= smoothing <= 10:
            raise UsageError(
                "a smoothing from 0 to 10 s",
                f"{smoothing:g} s",
                f"use --smoothing {SMOOTHING_S}",
                code="invalid-option-value",
            )
        given = normalization(mean, std)
        if isinstance(background, str):
            background = parse_background(background)
        path = resolve_model(default_model() if model is None else model, say, delegate)
        loaded = _load(path, labels, delegate, threads, given)
        check_task(loaded, "segment")
        minimum = check_score(THRESHOLD if threshold is None else threshold)
        decoder = match_decoder(loaded.runtime, minimum, smoothing)
        if decoder is None:
            raise _wrong_task(loaded)
        spec = loaded.runtime.inputs[0]
        preprocessing, notes = pixels.preprocessing_of(
            spec, loaded.about, loaded.name, loaded.normalization
        )
        known, label_notes = mask_labels(loaded, decoder)
        selected = tuple(classes) or None
        if selected is not None:
            selected = check_classes(selected, known)
        if background is not None and selected is None and "person" in known:
            selected = ("person",)
        return cls(
            runtime=loaded.runtime,
            labels=known,
            notes=(*loaded.notes, *notes, *label_notes),
            classes=selected,
            preprocessing=preprocessing,
            decoder=decoder,
            background=background,
            path=path,
            _table=pixels.input_table(spec, preprocessing),
        )

    def preprocess(self, frame: Frame) -> tuple[Array, ...]:
        """Return the model's input for a frame: [1, height, width, 3] in the input's dtype."""
        resized = self.preprocessing.resize(frame.image)
        rgb = np.asarray(cv2.cvtColor(resized, cv2.COLOR_BGR2RGB), np.uint8)
        return (pixels.apply_table(self._table, rgb),)

    def postprocess(self, outputs: tuple[Array, ...], frame: Frame) -> Segmentation:
        """Return the mask in pixels of the frame, and its segments of the reported classes."""
        mask, alpha = self.decoder(outputs[0], frame)
        bins = [MAX_CLASSES]
        shares = cv2.calcHist([mask], [0], None, bins, [0, MAX_CLASSES]).reshape(-1) / mask.size
        self._check_labels(shares)
        segments = [
            Segment(self.labels[index], index, float(shares[index]), _box(mask, index))
            for index in reported_indices(self.classes, self.labels)
            if shares[index] >= MIN_SHARE
        ]
        segments.sort(key=lambda segment: segment.share, reverse=True)
        if alpha is not None:
            alpha = _select_alpha(alpha, {segment.index for segment in segments})
        return Segmentation(tuple(segments), mask, alpha)

    def _check_labels(self, shares: NDArray[np.float32]) -> None:
        """Check that each class in a mask has a label, where the file does not tell their number.

        255 marks pixels that are of no class.
        """
        unnamed = np.flatnonzero(shares[len(self.labels) : MAX_CLASSES - 1] >= MIN_SHARE)
        if len(unnamed):
            raise LabelsError(
                f"a label for class {len(self.labels) + unnamed[0]}",
                counted(len(self.labels), "label"),
                "choose the right file with --labels",
                code="labels-count-mismatch",
            )

    def draw(self, image: BgrImage, result: Segmentation) -> BgrImage:
        """Color the segments in place, with a legend; or return them before the background."""
        if self.background is not None:
            return compose(image, _alpha(result), self.background)
        draw.segmentation(image, result)
        return image

    def fallback_to_cpu(self) -> Self:
        """Return this task on the CPU.

        Raises:
            DelegateError: there is no model for the CPU next to this one.
        """
        path, runtime = open_cpu_fallback(self.path, self.runtime.threads)
        return replace(self, runtime=runtime, path=path)

    def settings(self) -> TaskSettings:
        """Return the threshold of a probability mask, and the reported classes."""
        choices = tuple(self.labels[index] for index in reported_indices(None, self.labels))
        return TaskSettings(self.decoder.threshold, self.classes, distinct(choices))

    def with_settings(self, settings: TaskSettings) -> Self:
        """Return this task with other settings.

        Raises:
            UsageError: an unknown class, or a threshold out of range.
        """
        classes = settings.classes
        if classes is not None:
            classes = check_classes(classes, self.labels)
        threshold = None if self.decoder.threshold is None else check_score(settings.score)
        decoder = self.decoder.with_threshold(threshold)
        return replace(self, classes=classes, decoder=decoder)


def default_model() -> Path | str:
    """Return MediaPipe's selfie segmentation: the installed file, else its name in the registry.

    The package is not imported; MediaPipe 1 and later have no such file.
    """
    spec = find_spec("mediapipe")
    if spec is None or spec.origin is None:
        return SELFIE
    path = Path(spec.origin).parent / _SELFIE_FILE
    return path if path.is_file() else SELFIE


def _load(
    path: Path,
    labels: str | Path | None,
    delegate: str,
    threads: int | None,
    given: Normalization | None,
) -> LoadedModel:
    try:
        return load_file(
            path, labels=labels, delegate=delegate, threads=threads, normalization=given
        )
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


def _select_alpha(alpha: NDArray[np.uint8], classes: Set[int]) -> NDArray[np.uint8]:
    """Return the alpha of ``classes``: 1 is the foreground, 0 the background."""
    front = alpha if 1 in classes else np.zeros_like(alpha)
    return front | ~alpha if 0 in classes else front


def _alpha(result: Segmentation) -> NDArray[np.uint8]:
    """Return the foreground's alpha, uint8 [height, width]; a class mask's edges are softened."""
    if result.alpha is not None:
        return result.alpha
    table = np.zeros(MAX_CLASSES, np.uint8)
    table[[segment.index for segment in result.segments]] = 255
    return np.asarray(cv2.blur(cv2.LUT(result.mask, table), (_FEATHER, _FEATHER)), np.uint8)


def _wrong_task(loaded: LoadedModel) -> ModelError:
    outputs = ", ".join(f"{spec.dtype} {list(spec.shape)}" for spec in loaded.runtime.outputs)
    return ModelError(
        "a segmentation model with one output: a mask [1, height, width] or scores "
        f"[1, height, width, classes] of at most {MAX_CLASSES} classes",
        f"{loaded.name} with outputs {outputs}",
        "use a model such as DeepLab v3; 'edge demo --help' lists the demos for other models",
        code="model-wrong-task",
    )
