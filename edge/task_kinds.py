"""Kinds of tasks: one record for each, from which everything that lists tasks is derived.

``edge demo`` and its help, the default models of the demos, the tasks of models in the registry
and the extras that a deployment installs come from :data:`TASKS`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TaskKind:
    """A kind of task; the modules that it names are imported only when they are used.

    Attributes:
        open: "module:Class" of the task, a public name of ``edge`` with a class method ``open``.
        demo: "module:command" of its demo, a command of click.
        help: A short description of the demo.
        model_task: Task of its models in the registry (``edge models list --task``).
        command: Its own command for images, ``edge COMMAND MODEL IMAGE``, None without.
        default_model: Name in the registry of the model that its demo takes by default; None where
            the task itself chooses one.
        extra: Extra of the distribution that it needs.
    """

    open: str
    demo: str
    help: str
    model_task: str
    command: str | None = None
    default_model: str | None = None
    extra: str | None = None


TASKS = {
    "classify": TaskKind(
        "edge.tasks.classify.classifier:Classifier",
        "demos.classify:main",
        "Classify what the camera sees.",
        model_task="classify",
        command="classify",
        default_model="mobilenet_v2_1.0_224_quant",
    ),
    "detect": TaskKind(
        "edge.tasks.detect.detector:Detector",
        "demos.detect:main",
        "Detect objects.",
        model_task="detect",
        default_model="ssd_mobilenet_v1_coco",
    ),
    "segment": TaskKind(
        "edge.tasks.segment.segmenter:Segmenter",
        "demos.segment:main",
        "Segment the image; blur or replace the background.",
        model_task="segment",
    ),
    "track": TaskKind(
        "edge.tasks.track.tracker:Tracker",
        "demos.track:main",
        "Track objects, and count line crossings.",
        model_task="detect",
        default_model="ssd_mobilenet_v1_coco",
        extra="track",
    ),
    "pose": TaskKind(
        "edge.tasks.pose.estimator:PoseEstimator",
        "demos.pose:main",
        "Estimate poses, and count exercises.",
        model_task="pose",
        extra="pose",
    ),
    "mirror": TaskKind(
        "edge.tasks.pose_match.task:PoseMatcher",
        "demos.mirror:main",
        "Find images of people in your pose.",
        model_task="pose",
        extra="pose",
    ),
}
"""Name of the task, as in ``edge demo NAME`` and in results → kind of task."""


def model_tasks() -> tuple[str, ...]:
    """Return the tasks that models of the registry may have."""
    return tuple(dict.fromkeys(kind.model_task for kind in TASKS.values()))
