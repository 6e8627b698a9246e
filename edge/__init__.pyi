# Generated from the table in __init__.py by tests/support/api_stub.py.
# ruff: noqa

from edge.version import __version__ as __version__
from edge.errors import BoardError as BoardError
from edge.errors import CompilerError as CompilerError
from edge.errors import ConversionError as ConversionError
from edge.errors import CorruptFrameError as CorruptFrameError
from edge.errors import DatasetError as DatasetError
from edge.errors import DelegateError as DelegateError
from edge.errors import DetectionsError as DetectionsError
from edge.errors import DownloadError as DownloadError
from edge.errors import EdgeError as EdgeError
from edge.errors import ImageError as ImageError
from edge.errors import LabelsError as LabelsError
from edge.errors import ModelError as ModelError
from edge.errors import OutputError as OutputError
from edge.errors import ReleaseError as ReleaseError
from edge.errors import SourceError as SourceError
from edge.errors import UsageError as UsageError
from edge.errors import WeightsError as WeightsError
from edge.explanation import Explanation as Explanation
from edge.frame import BgrImage as BgrImage
from edge.frame import Frame as Frame
from edge.frame import FrameResult as FrameResult
from edge.frame import Output as Output
from edge.frame import StreamStatus as StreamStatus
from edge.image import read_image as read_image
from edge.known_models import trust_model as trust_model
from edge.results import ClassScore as ClassScore
from edge.results import Classification as Classification
from edge.results import Detection as Detection
from edge.results import Detections as Detections
from edge.results import Event as Event
from edge.results import Keypoint as Keypoint
from edge.results import MatchedPoses as MatchedPoses
from edge.results import Pose as Pose
from edge.results import PoseMatch as PoseMatch
from edge.results import Poses as Poses
from edge.results import Repetition as Repetition
from edge.results import Result as Result
from edge.results import Segment as Segment
from edge.results import Segmentation as Segmentation
from edge.results import TrackedDetections as TrackedDetections
from edge.session import run as run
from edge.session import stream as stream
from edge.sinks.callback import callback_sink as callback_sink
from edge.sources import open_source as open_source
from edge.sources.source import Source as Source
from edge.sources.source import SourceOptions as SourceOptions
from edge.streaming.sink import Sink as Sink
from edge.streaming.statistics import StreamStats as StreamStats
from edge.tasks.classify.classifier import Classifier as Classifier
from edge.tasks.detect.detector import Detector as Detector
from edge.tasks.explain.explainer import Explainer as Explainer
from edge.tasks.explain.occlusion import explain_by_occlusion as explain_by_occlusion
from edge.tasks.pose.estimator import PoseEstimator as PoseEstimator
from edge.tasks.pose_match.task import PoseMatcher as PoseMatcher
from edge.tasks.segment.background import Background as Background
from edge.tasks.segment.segmenter import Segmenter as Segmenter
from edge.tasks.task import Task as Task
from edge.tasks.task import TaskSettings as TaskSettings
from edge.tasks.track.tracker import Tracker as Tracker
from edge.teaching.once import TeachResult as TeachResult
from edge.teaching.once import teach as teach
from edge.teaching.teacher import Teacher as Teacher
from edge.tracking.boundaries import Line as Line
from edge.tracking.boundaries import Zone as Zone

__all__ = [
    "Background",
    "BgrImage",
    "BoardError",
    "ClassScore",
    "Classification",
    "Classifier",
    "CompilerError",
    "ConversionError",
    "CorruptFrameError",
    "DatasetError",
    "DelegateError",
    "Detection",
    "Detections",
    "DetectionsError",
    "Detector",
    "DownloadError",
    "EdgeError",
    "Event",
    "Explainer",
    "Explanation",
    "Frame",
    "FrameResult",
    "ImageError",
    "Keypoint",
    "LabelsError",
    "Line",
    "MatchedPoses",
    "ModelError",
    "Output",
    "OutputError",
    "Pose",
    "PoseEstimator",
    "PoseMatch",
    "PoseMatcher",
    "Poses",
    "ReleaseError",
    "Repetition",
    "Result",
    "Segment",
    "Segmentation",
    "Segmenter",
    "Sink",
    "Source",
    "SourceError",
    "SourceOptions",
    "StreamStats",
    "StreamStatus",
    "Task",
    "TaskSettings",
    "TeachResult",
    "Teacher",
    "TrackedDetections",
    "Tracker",
    "UsageError",
    "WeightsError",
    "Zone",
    "callback_sink",
    "explain_by_occlusion",
    "open_source",
    "read_image",
    "run",
    "stream",
    "teach",
    "trust_model",
]
