"""The on-device side of edge-toolkit: numpy, OpenCV and one TFLite interpreter.

An image:

>>> import edge
>>> classifier = edge.Classifier.open("model.tflite")
>>> classifier.predict("red.png").best.label
'red'

A stream, with its frames and results:

>>> for output in edge.stream(classifier, "synthetic:64x48?seed=1", frames=2):
...     print(output.frame.image.shape, len(output.result.classes))
(48, 64, 3) 3
(48, 64, 3) 3

A stream that runs until it ends, with sinks and a function of your own:

>>> def act(output):
...     if output.result.best.score > 0.5:
...         labels.append(output.result.best.label)
>>> labels = []
>>> sinks = ["none", edge.callback_sink(act)]
>>> edge.run(classifier, "synthetic:64x48?frames=20", sinks).frames
20
"""

from importlib import import_module
from typing import Any

from edge.version import __version__ as __version__

# Imported on first use, so that `edge --help` needs neither numpy nor OpenCV.
_EXPORTS = {
    "edge.errors": (
        "BoardError", "CompilerError", "ConversionError", "CorruptFrameError", "DatasetError",
        "DelegateError", "DetectionsError", "DownloadError", "EdgeError", "ImageError",
        "LabelsError", "ModelError", "OutputError", "ReleaseError", "SourceError", "UsageError",
        "WeightsError",
    ),
    "edge.explanation": ("Explanation",),
    "edge.frame": ("BgrImage", "Frame", "FrameResult", "Output", "StreamStatus"),
    "edge.image": ("read_image",),
    "edge.known_models": ("trust_model",),
    "edge.results": (
        "ClassScore", "Classification", "Detection", "Detections", "Event", "Keypoint",
        "MatchedPoses", "Pose", "PoseMatch", "Poses", "Repetition", "Result", "Segment",
        "Segmentation", "TrackedDetections",
    ),
    "edge.session": ("run", "stream"),
    "edge.sinks.callback": ("callback_sink",),
    "edge.sources": ("open_source",),
    "edge.sources.source": ("Source", "SourceOptions"),
    "edge.streaming.sink": ("Sink",),
    "edge.streaming.statistics": ("StreamStats",),
    "edge.tasks.classify.classifier": ("Classifier",),
    "edge.tasks.detect.detector": ("Detector",),
    "edge.tasks.explain.explainer": ("Explainer",),
    "edge.tasks.explain.occlusion": ("explain_by_occlusion",),
    "edge.tasks.pose.estimator": ("PoseEstimator",),
    "edge.tasks.pose_match.task": ("PoseMatcher",),
    "edge.tasks.segment.background": ("Background",),
    "edge.tasks.segment.segmenter": ("Segmenter",),
    "edge.tasks.task": ("Task", "TaskSettings"),
    "edge.tasks.track.tracker": ("Tracker",),
    "edge.teaching.once": ("TeachResult", "teach"),
    "edge.teaching.teacher": ("Teacher",),
    "edge.tracking.boundaries": ("Line", "Zone"),
}  # fmt: skip
"""The public names by module, written down here only: __init__.pyi is generated from it."""

_MODULES = {name: module for module, names in _EXPORTS.items() for name in names}

__all__ = sorted(_MODULES)  # noqa: PLE0605 (derived)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'edge' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, *(name for name in globals() if name.startswith("__"))])
