"""Detection: which objects an image shows, and where."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
from edge.preprocessing import Preprocessing, input_transform, resize_to_input
from edge.results import Detection, Detections
from edge.tasks.detect import heads
from edge.tasks.detect.heads import DetectionHead, head_config
from edge.tasks.detect.heads.nms import Candidates, nms
from edge.tasks.loading import LoadedModel, load_file, open_cpu_fallback
from edge.tasks.settings import TaskSettings, check_score, class_indices, distinct

SCORE, IOU = 0.4, 0.45
"""Least score of a detection, and overlap above which the weaker of two boxes goes."""

_LOWEST = 0.01
"""Below it a head gives thousands of boxes, which take long to compare with each other."""

_BACKGROUND = ("???", "background")
_NO_NAME = ("n/a", "???")


@dataclass(frozen=True, slots=True)
class Detector:
    """The task "detect"; see :func:`detector`.

    ``labels`` are by class index; None stands for a model without any. ``wanted``: class indices
    that are reported, None for all.
    """

    runtime: Runtime
    labels: tuple[str, ...] | None
    notes: tuple[str, ...]
    score: float
    iou: float
    wanted: NDArray[np.int64] | None
    name: str = "detect"
    prefetchable: bool = True
    _path: Path = Path()
    _head: DetectionHead | None = None
    _table: Array | None = None

    def preprocess(self, frame: Frame) -> tuple[Array, ...]:
        """The model's input of a frame."""
        fitted = resize_to_input(frame.image, *self._size(), letterbox=self._known_head().letterbox)
        rgb = np.asarray(cv2.cvtColor(fitted, cv2.COLOR_BGR2RGB), np.uint8)
        return (pixels.apply_table(self._table, rgb),)

    def postprocess(self, outputs: tuple[Array, ...], frame: Frame) -> Detections:
        """The detections in pixels of the frame, best first."""
        head = self._known_head()
        found = head(outputs, self.score)
        if self.wanted is not None:
            found = found.take(np.isin(found.classes, self.wanted))
        if not head.suppresses:
            found = nms(found, self.iou)
        height, width = frame.image.shape[:2]
        boxes = self._in_frame(found, width, height)
        real = (boxes[:, 2] - boxes[:, 0] >= 1) & (boxes[:, 3] - boxes[:, 1] >= 1)
        order = np.argsort(-found.scores[real], kind="stable")
        rows = zip(
            found.classes[real][order].tolist(),
            found.scores[real][order].tolist(),
            boxes[real][order].tolist(),
            strict=True,
        )
        return Detections(
            tuple(Detection(self.label(c), c, score, tuple(box)) for c, score, box in rows)
        )

    def draw(self, image: BgrImage, result: Detections) -> BgrImage:
        """Draw boxes and names onto the image."""
        draw.detections(image, result.detections)
        return image

    def settings(self) -> TaskSettings:
        """The least score of a detection, and the classes that are reported."""
        labels = self.labels or ()
        chosen = None if self.wanted is None else distinct([labels[i] for i in self.wanted])
        named = [name for name in labels if name.lower() not in _NO_NAME]
        return TaskSettings(self.score, chosen, distinct(named))

    def with_settings(self, settings: TaskSettings) -> Self:
        """The same with another score, of 0.01 at least, and other classes.

        Raises:
            UsageError: no such class, or a score out of range.
        """
        names = settings.classes
        wanted = None if names is None else class_indices(names, self.labels or ())
        return replace(self, score=max(check_score(settings.score), _LOWEST), wanted=wanted)

    def fallback_to_cpu(self) -> Self:
        """The same on the CPU.

        Raises:
            DelegateError: there is no model for the CPU beside this one.
        """
        path, runtime = open_cpu_fallback(self._path, self.runtime.threads)
        return replace(self, runtime=runtime, _path=path)

    def _size(self) -> tuple[int, int]:
        shape = self.runtime.inputs[0].shape
        return shape[2], shape[1]

    def _known_head(self) -> DetectionHead:
        assert self._head is not None
        return self._head

    def _in_frame(self, found: Candidates, width: int, height: int) -> NDArray[np.float64]:
        """Boxes in pixels of the frame, float64 [n, 4], cut off at its edges."""
        size = self._size()
        letterbox = self._known_head().letterbox
        place = input_transform(width, height, *size, letterbox=letterbox)
        scale = np.array([place.scale_x, place.scale_y] * 2)
        offset = np.array([place.left, place.top] * 2)
        boxes = (found.boxes.astype(np.float64) * np.array([*size, *size]) - offset) / scale
        return np.asarray(np.clip(boxes, 0, np.array([width, height] * 2)), np.float64)

    def label(self, index: int) -> str:
        """The name of a class."""
        if self.labels is not None and 0 <= index < len(self.labels):
            return self.labels[index]
        return f"class {index}"


def detector(
    model: str | Path,
    *,
    labels: str | Path | None = None,
    classes: Sequence[str] = (),
    score: float = SCORE,
    iou: float = IOU,
    delegate: str = "auto",
    threads: int | None = None,
    head: str | Path | None = None,
) -> Detector:
    """Open a detector: SSD with its post-processing inside, or YOLO.

    Args:
        model: a .tflite file.
        labels: one name per line; by default those in or beside the model.
        classes: names of the classes to report; all by default.
        score: least score of a detection, 0 to 1.
        iou: overlap from which the weaker of two boxes of one class goes, 0 to 1.
        delegate: "auto", "cpu" or "edgetpu".
        threads: CPU threads.
        head: a TOML file that describes the outputs of a model that is not recognized; by default
            the one named after the model beside it, if there is one (see
            :mod:`edge.tasks.detect.heads.head_config`).

    Raises:
        ModelError: no detector, or one whose outputs are not known.
        LabelsError: labels that do not fit.
        UsageError: an unknown class, or a share out of range.
        DelegateError: no interpreter, or no Edge TPU for a model that needs one.
    """
    for what, share in (("score", score), ("IoU", iou)):
        if not 0 < share <= 1:
            raise UsageError(
                f"{'an' if what == 'IoU' else 'a'} {what} above 0, at most 1",
                f"{share:g}",
                "use a value such as 0.4",
                code="invalid-option-value",
            )
    path = Path(model)
    opened = load_file(path, labels=labels, delegate=delegate, threads=threads)
    described = _described(path, head)
    found = (
        heads.match_head(opened.runtime)
        if described is None
        else head_config.build_head(described, opened.runtime, str(path))
    )
    if found is None:
        raise _not_a_detector(opened.runtime, str(path))
    preprocessing, notes = _preprocessing(opened, found, described)
    names, label_notes = _names(opened, found)
    return Detector(
        runtime=opened.runtime,
        labels=names,
        notes=(*opened.notes, *notes, *label_notes),
        score=score,
        iou=iou,
        wanted=_wanted(classes, names),
        _path=path,
        _head=found,
        _table=pixels.input_table(opened.runtime.inputs[0], preprocessing),
    )


def _described(path: Path, given: str | Path | None) -> head_config.HeadConfig | None:
    if given is not None:
        return head_config.read_head_config(Path(given))
    beside = path.with_suffix(".toml")
    return head_config.read_head_config(beside) if beside.is_file() else None


def _preprocessing(
    opened: LoadedModel, head: DetectionHead, described: head_config.HeadConfig | None
) -> tuple[Preprocessing, tuple[str, ...]]:
    about, spec = opened.about, opened.runtime.inputs[0]
    found, notes = pixels.preprocessing_of(spec, about, opened.name)
    if described is not None and described.mean is not None and described.std is not None:
        return replace(found, mean=described.mean, std=described.std), ()
    if about is not None and about.mean is not None:
        return found, notes
    if not head.suppresses:  # YOLO takes pixels of 0 to 1, however its input is quantized
        return replace(found, mean=(0.0,), std=(255.0,)), ()
    return found, notes


def _names(
    opened: LoadedModel, head: DetectionHead
) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    """Labels by class index: without a background line, and without numbers nobody uses."""
    labels = opened.labels
    if labels is None:
        note = f"{opened.name} has no labels: classes are numbered; name them with --labels FILE"
        return None, (note,)
    if head.classes is None:  # SSD's classes count from the first line that is not background
        return (labels[1:] if labels[0].lower() in _BACKGROUND else labels), ()
    if len(labels) != head.classes:
        labels = tuple(label for label in labels if label.lower() not in _NO_NAME)
    if len(labels) == head.classes + 1 and labels[0].lower() in _BACKGROUND:
        labels = labels[1:]
    if len(labels) != head.classes:
        raise LabelsError(
            f"{head.classes} labels, one per class of the model",
            f"{len(labels)} in {opened.source}",
            "choose the right file with --labels",
            code="labels-count-mismatch",
        )
    return labels, ()


def _wanted(classes: Sequence[str], labels: tuple[str, ...] | None) -> NDArray[np.int64] | None:
    if not classes:
        return None
    return class_indices(classes, labels or ())


def _not_a_detector(runtime: Runtime, name: str) -> ModelError:
    outputs = ", ".join(f"{spec.dtype} {list(spec.shape)}" for spec in runtime.outputs)
    single = len(runtime.outputs) == 1 and len(runtime.outputs[0].shape) == 2
    fix = (
        f"it looks like a classifier: edge demo classify --model {name}"
        if single
        else "describe its head in a TOML file: see 'edge demo detect --help'"
    )
    return ModelError(
        "a detector (SSD or YOLO)",
        f"{name} with outputs {outputs}",
        fix,
        code="model-wrong-task",
    )
