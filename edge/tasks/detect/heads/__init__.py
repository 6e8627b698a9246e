"""Detection heads: from a model's raw outputs to boxes, recognized by their shapes."""

from typing import Protocol

from edge.interpreter import Array, Runtime
from edge.modelfile.metadata import ModelMetadata
from edge.next_steps import command_line
from edge.tasks.detect.heads import centers, levels, ssd, yolo
from edge.tasks.detect.heads.yolo import Candidates


class DetectionHead(Protocol):
    """Decodes a model's outputs to candidate detections."""

    @property
    def classes(self) -> int | None:
        """Number of classes, None if the outputs do not show it."""

    @property
    def letterbox(self) -> bool:
        """True where the image keeps its aspect ratio in the model's input."""

    @property
    def suppresses(self) -> bool:
        """True where the model suppresses overlapping boxes itself."""

    @property
    def max_detections(self) -> int:
        """Detections of an image at most, the best ones."""

    def __call__(self, outputs: tuple[Array, ...], min_score: float) -> Candidates:
        """Return the candidates with a score of at least ``min_score``."""


def match_head(runtime: Runtime, about: ModelMetadata | None = None) -> DetectionHead | None:
    """Return the head of a model; None where no known head fits its outputs.

    ``about``: its metadata, which has what the outputs do not show.
    """
    values = None if about is None else about.head
    return (
        ssd.match_head(runtime)
        or levels.match_head(runtime)
        or centers.match_head(runtime, values)
        or yolo.match_head(runtime)
    )


COCO_POSE_CLASSES = 52
"""Classes that a pose export with COCO's keypoints seems to have: one, and 17 × (x, y, score)."""


def is_pose(head: DetectionHead) -> bool:
    """Return whether a YOLO head of unnamed classes has a person's keypoints in their place."""
    return isinstance(head, yolo.RowsHead) and head.classes == COCO_POSE_CLASSES


def advice(runtime: Runtime, model: str) -> str:
    """Return the fix for a model that is no detector, by its outputs; ``model`` is its name."""
    shapes = [spec.shape for spec in runtime.outputs]
    sizes = sorted(map(len, shapes))
    rows = shapes[0] if sizes == [3] else ()
    matched = match_head(runtime)
    cases = (
        (ssd.post_processing(runtime.file.main) is not None,
         "export it with all outputs of its last operation: boxes, classes, scores, their number"),
        (sizes == [2], "it looks like a classifier: "
         + command_line("edge", "demo", "classify", "--model", model)),
        (matched is not None and is_pose(matched),
         "it looks like poses of YOLO, which are not read yet: use 'edge demo pose' with "
         "movenet_lightning, or name its classes with --labels"),
        (rows[2:] == (6,), "it looks like YOLO with suppression inside: export it with nms=False"),
        (sizes == [3, 3] and 4 in (shape[2] for shape in shapes),
         f"it looks like SSD without its post-processing: export it with {ssd.OPERATION}, as "
         "export_tflite_graph_tf2.py does"),
        (sizes == [3, 4], "it looks like instance masks of YOLO, which are not read yet: use "
         "'edge demo segment' with deeplabv3_pascal"),
    )  # fmt: skip
    otherwise = "describe its head in a TOML file: see 'edge demo detect --help'"
    return next((text for applies, text in cases if applies), otherwise)
