"""The task "detect": the objects in an image with their boxes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
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
from edge.modelfile.labels import is_background, is_unused
from edge.modelfile.normalization import Levels, Normalization, normalization
from edge.preprocessing import Preprocessing, input_transform, resize_to_input
from edge.quantities import counted
from edge.registry import resolve_model
from edge.results import Detection, Detections
from edge.tasks.detect import heads
from edge.tasks.detect.heads import DetectionHead, centers, head_config, ssd
from edge.tasks.detect.heads.yolo import Candidates, nms
from edge.tasks.loading import LoadedModel, check_task, load_file, open_cpu_fallback
from edge.tasks.task import (
    SingleImage,
    TaskSettings,
    check_finite,
    check_score,
    class_indices,
    distinct,
)

THRESHOLD, IOU = 0.4, 0.45
"""Minimum score of a detection, and IoU above which the lower-scoring of two boxes is dropped."""

UNIT = Normalization((0.0,), (255.0,))
"""Pixels of 0 to 1."""

_MIN_THRESHOLD = 0.01
"""Below it a head gives thousands of boxes, which take long to compare with each other."""


@dataclass(frozen=True, slots=True)
class Detector(SingleImage):
    """The task "detect": finds objects; see :meth:`open`.

    >>> detector = Detector.open("ssd.tflite", labels="coco_labels.txt", threshold=0.3)
    >>> all(detection.score >= 0.3 for detection in detector.predict("red.png").detections)
    True

    Attributes:
        runtime: runs the model.
        labels: by class index; None for a model without labels.
        notes: sentences for the user about what was assumed or fell back.
        threshold: minimum score of a detection.
        iou: overlap above which the lower-scoring of two boxes of one class is dropped.
        selected: indices of the classes to report, None for all.
    """

    runtime: Runtime
    labels: tuple[str, ...] | None = field(repr=False)
    notes: tuple[str, ...]
    threshold: float
    iou: float
    selected: NDArray[np.int64] | None
    name: str = "detect"
    prefetchable: bool = True
    _path: Path = Path()
    _head: DetectionHead | None = None
    _table: Array | None = field(default=None, repr=False)

    @classmethod
    def open(
        cls,
        model: str | Path,
        *,
        labels: str | Path | None = None,
        threshold: float | None = None,
        delegate: str = "auto",
        threads: int | None = None,
        classes: Sequence[str] = (),
        iou: float = IOU,
        head: str | Path | None = None,
        mean: Levels | None = None,
        std: Levels | None = None,
        say: Callable[[str], None] = print,
    ) -> Self:
        """Open a detector: of ``edge convert``, SSD with built-in post-processing, or YOLO.

        Args:
            model: the path of a .tflite file, or of a result folder of ``edge convert``, or a name
                from ``edge models list``.
            labels: a file with one name per line; by default the labels in or next to the model.
            threshold: minimum score of a detection, above 0, at most 1; by default that of the
                model's metadata, else 0.4.
            delegate: "auto", "cpu" or "edgetpu".
            threads: CPU threads; by default one per core, at most 4.
            classes: names of the classes to report; all by default.
            iou: overlap above which the lower-scoring of two boxes of one class is dropped.
            head: a TOML file that describes the outputs of a model that is not recognized; by
                default the file named after the model next to it, if there is one (see
                :mod:`edge.tasks.model_config`).
            mean: mean of the pixels, 0 to 255, that the model was trained with: a number, or three
                for R, G, B; by default that of ``MODEL.toml`` next to the model, else of its
                metadata.
            std: standard deviation, as ``mean``: a pixel p means (p - mean) / std to the model.
            say: called with a sentence before a model is downloaded.

        Raises:
            ModelError: no detector, or one whose outputs are not known.
            LabelsError: labels that do not fit the model.
            UsageError: an unknown class, or a value out of range.
            DelegateError: no interpreter, or no Edge TPU for a model that needs one.
            DownloadError, OutputError: a model of the registry cannot be had.
        """
        _check_fraction("a score", THRESHOLD if threshold is None else threshold)
        _check_fraction("an IoU", iou)
        given = normalization(mean, std)
        path = resolve_model(model, say, delegate)
        loaded = load_file(
            path, labels=labels, delegate=delegate, threads=threads, normalization=given,
            config=head,
        )  # fmt: skip
        check_task(loaded, "detect")
        matched = (
            heads.match_head(loaded.runtime, loaded.about)
            if loaded.config.head is None
            else head_config.build_head(loaded.config, loaded.runtime, str(path))
        )
        if matched is None or (loaded.labels is None and heads.is_pose(matched)):
            raise _wrong_task(loaded.runtime, str(path))
        stored = None if loaded.about is None else loaded.about.threshold
        minimum = threshold or stored or THRESHOLD
        preprocessing, notes = _preprocessing(loaded, matched)
        names, label_notes = _labels(loaded, matched)
        if isinstance(matched, ssd.SsdHead) and matched.scores is None:
            label_notes += (
                f"{path} does not name its outputs: their values show which are scores",
            )
        if isinstance(matched, centers.CentersHead) and not matched.sized:
            label_notes += (
                f"{path} does not say how large its objects are: trackers take them for "
                f"{centers.DEFAULT_CELLS * matched.stride:.0f} pixels of its input",
            )
        return cls(
            runtime=loaded.runtime,
            labels=names,
            notes=(*loaded.notes, *notes, *label_notes),
            threshold=minimum,
            iou=iou,
            selected=class_indices(classes, names or ()) if classes else None,
            _path=path,
            _head=matched,
            _table=pixels.input_table(loaded.runtime.inputs[0], preprocessing),
        )

    @property
    def finds_points(self) -> bool:
        """True where the model finds the middles of objects, and no boxes."""
        return isinstance(self._head, centers.CentersHead)

    def preprocess(self, frame: Frame) -> tuple[Array, ...]:
        """Return the model's input for a frame: [1, height, width, 3] in the input's dtype."""
        fitted = resize_to_input(frame.image, *self._size(), letterbox=self._known_head().letterbox)
        rgb = np.asarray(cv2.cvtColor(fitted, cv2.COLOR_BGR2RGB), np.uint8)
        return (pixels.apply_table(self._table, rgb),)

    def postprocess(self, outputs: tuple[Array, ...], frame: Frame) -> Detections:
        """Return the detections in pixels of the frame, best first."""
        head = self._known_head()
        candidates = head(outputs, self.threshold)
        check_finite(candidates.scores)
        check_finite(candidates.boxes)
        if self.selected is not None:
            candidates = candidates.select(np.isin(candidates.classes, self.selected))
        if not head.suppresses:
            candidates = nms(candidates, self.iou, head.max_detections)
        height, width = frame.image.shape[:2]
        whole = self._to_frame(candidates, width, height)
        boxes = np.clip(whole, 0, np.array([width, height] * 2))
        visible = (boxes[:, 2] - boxes[:, 0] >= 1) & (boxes[:, 3] - boxes[:, 1] >= 1)
        order = np.argsort(-candidates.scores[visible], kind="stable")
        rows = zip(
            candidates.classes[visible][order].tolist(),
            candidates.scores[visible][order].tolist(),
            boxes[visible][order].tolist(),
            whole[visible][order].tolist(),
            strict=True,
        )
        return Detections(
            tuple(
                Detection(
                    self.label(c), c, score, tuple(box),
                    point=middle(around, (width, height)) if self.finds_points else None,
                )
                for c, score, box, around in rows
            )
        )  # fmt: skip

    def draw(self, image: BgrImage, result: Detections) -> BgrImage:
        """Draw boxes and names, or points and their number, onto the image, in place."""
        draw.detections(image, result.detections)
        return image

    def settings(self) -> TaskSettings:
        """Return the minimum score of a detection, and the reported classes."""
        labels = self.labels or ()
        names = None if self.selected is None else distinct([labels[i] for i in self.selected])
        choices = [name for index, name in enumerate(labels) if not is_unused(name, index)]
        return TaskSettings(self.threshold, names, distinct(choices))

    def with_settings(self, settings: TaskSettings) -> Self:
        """Return this task with another threshold, of at least 0.01, and other classes.

        Raises:
            UsageError: no such class, or a score out of range.
        """
        names = settings.classes
        selected = None if names is None else class_indices(names, self.labels or ())
        threshold = max(check_score(settings.score), _MIN_THRESHOLD)
        return replace(self, threshold=threshold, selected=selected)

    def fallback_to_cpu(self) -> Self:
        """Return this task on the CPU.

        Raises:
            DelegateError: there is no model for the CPU next to this one.
        """
        path, runtime = open_cpu_fallback(self._path, self.runtime.threads)
        head = ssd.match_head(runtime) if isinstance(self._head, ssd.SsdHead) else None
        if head is not None:  # it may list its outputs in another order
            head = replace(head, letterbox=self._known_head().letterbox)
        return replace(self, runtime=runtime, _path=path, _head=head or self._head)

    def _size(self) -> tuple[int, int]:
        shape = self.runtime.inputs[0].shape
        return shape[2], shape[1]

    def _known_head(self) -> DetectionHead:
        assert self._head is not None
        return self._head

    def _to_frame(self, candidates: Candidates, width: int, height: int) -> NDArray[np.float64]:
        """Return boxes in pixels of the frame, float64 [n, 4], which may reach beyond it."""
        size = self._size()
        letterbox = self._known_head().letterbox
        transform = input_transform(width, height, *size, letterbox=letterbox)
        scale = np.array([transform.scale_x, transform.scale_y] * 2)
        offset = np.array([transform.left, transform.top] * 2)
        boxes = (candidates.boxes.astype(np.float64) * np.array([*size, *size]) - offset) / scale
        return np.asarray(boxes, np.float64)

    def label(self, index: int) -> str:
        """Return the name of a class."""
        if self.labels is not None and 0 <= index < len(self.labels):
            return self.labels[index]
        return f"class {index}"


def middle(box: Sequence[float], size: tuple[int, int]) -> tuple[float, float]:
    """Return the middle of a box, which may reach beyond a frame of this size, in the frame."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return min(max(x, 0.0), float(size[0])), min(max(y, 0.0), float(size[1]))


def _check_fraction(name: str, value: float) -> None:
    if not 0 < value <= 1:
        raise UsageError(
            f"{name} above 0, at most 1",
            f"{value:g}",
            "use a value such as 0.4",
            code="invalid-option-value",
        )


def _preprocessing(
    loaded: LoadedModel, head: DetectionHead
) -> tuple[Preprocessing, tuple[str, ...]]:
    about, given = loaded.about, loaded.normalization
    if given is None and (about is None or about.mean is None) and not head.suppresses:
        given = UNIT  # YOLO takes pixels of 0 to 1, however its input is quantized
    return pixels.preprocessing_of(loaded.runtime.inputs[0], about, loaded.name, given)


def _labels(
    loaded: LoadedModel, head: DetectionHead
) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    """Return labels by class index, without background and unused indices, and notes."""
    labels = loaded.labels
    if labels is None:
        note = f"{loaded.name} has no labels: classes are numbered; name them with --labels FILE"
        return None, (note,)
    if head.suppresses:  # SSD's classes count from the first line that is not background
        labels = labels[1:] if labels and is_background(labels[0]) else labels
    elif len(labels) != head.classes:
        labels = tuple(name for index, name in enumerate(labels) if not is_unused(name, index))
        if len(labels) - 1 == head.classes and is_background(labels[0]):
            labels = labels[1:]
    if head.classes not in (None, len(labels)):
        raise LabelsError(
            f"{counted(head.classes, 'label')}, one per class of the model",
            f"{len(labels)} in {loaded.source}",
            "choose the right file with --labels",
            code="labels-count-mismatch",
        )
    return labels, ()


def _wrong_task(runtime: Runtime, name: str) -> ModelError:
    outputs = ", ".join(f"{spec.dtype} {list(spec.shape)}" for spec in runtime.outputs)
    return ModelError(
        "a detector (SSD or YOLO)",
        f"{name} with outputs {outputs}",
        heads.advice(runtime, name),
        code="model-wrong-task",
    )
