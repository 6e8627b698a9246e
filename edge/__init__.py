"""The on-device side of edge-toolkit: numpy, OpenCV and one TFLite interpreter.

An image:

>>> import edge
>>> model = edge.open_model("model.tflite")            # doctest: +SKIP
>>> model.classify(edge.read_image("cat.jpg")).best  # doctest: +SKIP
ClassScore(label='cat', index=0, score=0.98)

A camera, with something to do about what it sees:

>>> def act(output):
...     if any(found.label == "cat" for found in output.result.detections):
...         print(f"a cat after {output.time_s:.1f} s")
>>> task = edge.detector("ssd.tflite", labels="coco_labels.txt")  # doctest: +SKIP
>>> edge.run(task, "0", ["window", edge.callback_sink(act)]).fps           # doctest: +SKIP
29.9
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from edge.version import __version__ as __version__

if TYPE_CHECKING:
    from edge.errors import EdgeError as EdgeError
    from edge.frame import Frame as Frame
    from edge.frame import Output as Output
    from edge.image import read_image as read_image
    from edge.results import Classification as Classification
    from edge.results import ClassScore as ClassScore
    from edge.results import Detection as Detection
    from edge.results import Detections as Detections
    from edge.results import Keypoint as Keypoint
    from edge.results import Pose as Pose
    from edge.results import Poses as Poses
    from edge.results import Repetition as Repetition
    from edge.results import Segment as Segment
    from edge.results import Segmentation as Segmentation
    from edge.session import run as run
    from edge.sinks.callback import callback_sink as callback_sink
    from edge.sources import open_source as open_source
    from edge.sources.source import SourceOptions as SourceOptions
    from edge.streaming.statistics import StreamStats as StreamStats
    from edge.tasks.classify.classifier import classifier as classifier
    from edge.tasks.classify.model import ClassifierModel as ClassifierModel
    from edge.tasks.classify.model import open_model as open_model
    from edge.tasks.detect.detector import detector as detector
    from edge.tasks.pose.estimator import pose as pose
    from edge.tasks.pose_match.task import mirror as mirror
    from edge.tasks.segment.segmenter import segmenter as segmenter
    from edge.tasks.track.tracker import following as following

# Loaded on first use, so that `edge --help` needs neither numpy nor OpenCV.
_PUBLIC = {
    "EdgeError": "edge.errors",
    "Frame": "edge.frame",
    "Output": "edge.frame",
    "read_image": "edge.image",
    "ClassifierModel": "edge.tasks.classify.model",
    "open_model": "edge.tasks.classify.model",
    "Classification": "edge.results",
    "ClassScore": "edge.results",
    "Detection": "edge.results",
    "Detections": "edge.results",
    "Keypoint": "edge.results",
    "Pose": "edge.results",
    "Poses": "edge.results",
    "Repetition": "edge.results",
    "Segment": "edge.results",
    "Segmentation": "edge.results",
    "run": "edge.session",
    "callback_sink": "edge.sinks.callback",
    "open_source": "edge.sources",
    "SourceOptions": "edge.sources.source",
    "StreamStats": "edge.streaming.statistics",
    "classifier": "edge.tasks.classify.classifier",
    "detector": "edge.tasks.detect.detector",
    "mirror": "edge.tasks.pose_match.task",
    "segmenter": "edge.tasks.segment.segmenter",
    "pose": "edge.tasks.pose.estimator",
    "following": "edge.tasks.track.tracker",
}

__all__ = [
    "ClassScore",
    "Classification",
    "ClassifierModel",
    "Detection",
    "Detections",
    "EdgeError",
    "Frame",
    "Keypoint",
    "Output",
    "Pose",
    "Poses",
    "Repetition",
    "Segment",
    "Segmentation",
    "SourceOptions",
    "StreamStats",
    "callback_sink",
    "classifier",
    "detector",
    "following",
    "mirror",
    "open_model",
    "open_source",
    "pose",
    "read_image",
    "run",
    "segmenter",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'edge' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)
