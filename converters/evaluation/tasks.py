"""The tasks of evaluation, and which of them a model is for."""

from pathlib import Path

from converters.evaluation.classification import ClassificationEvaluation
from converters.evaluation.counting import CountEvaluation
from converters.evaluation.detection import DetectionEvaluation
from converters.evaluation.evaluation_task import EvaluationTask, ModelOptions
from converters.evaluation.segmentation import SegmentationEvaluation
from edge.errors import ModelError, UsageError, did_you_mean
from edge.tasks.task import Task
from edge.terminal import suppress_native_stderr

EVALUATIONS: dict[str, EvaluationTask] = {
    task.name: task
    for task in (
        ClassificationEvaluation(),
        DetectionEvaluation(),
        CountEvaluation(),
        SegmentationEvaluation(),
    )
}
"""Name of the task → task; models are tried in this order."""


def open_model(
    model: Path, options: ModelOptions, task: str | None = None
) -> tuple[EvaluationTask, Task]:
    """Open a model for a task; None: the first of :data:`EVALUATIONS` that it fits.

    Raises:
        UsageError: there is no such task.
        ModelError: the model is for none of the tasks, or not usable.
    """
    if task is not None and task not in EVALUATIONS:
        fix = did_you_mean(task, EVALUATIONS, f"choose from {', '.join(EVALUATIONS)}")
        raise UsageError("a task that can be evaluated", f"'{task}'", fix, code="unknown-task")
    with suppress_native_stderr():
        if task is not None:
            return EVALUATIONS[task], EVALUATIONS[task].open(model, options)
        for candidate in EVALUATIONS.values():
            try:
                return candidate, candidate.open(model, options)
            except ModelError as error:
                if error.code != "model-wrong-task":
                    raise
    raise ModelError(
        "a model that classifies, detects or segments",
        f"{model}, whose outputs are those of none",
        f"see 'edge inspect {model}'; a TOML file next to a detector can describe its outputs",
        code="model-wrong-task",
    )
