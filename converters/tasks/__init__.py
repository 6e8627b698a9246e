"""Tasks of training: one package and one line in :data:`TASKS` each.

Packages are imported only when their task is used, so that classes cost nothing of boxes.
"""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from converters.report.html import TaskPage
from converters.report.model import Report
from converters.task import TrainingResult, TrainingTask
from converters.verification.evaluate import Predictions
from edge.errors import UsageError, did_you_mean


@dataclass(frozen=True, slots=True)
class TaskEntry:
    """A task that can be trained.

    ``task``: "module:object" of its :class:`converters.task.TrainingTask`; ``page``: that of the
    function that fills its part of report.html; ``labels``: how its images are labeled, for help.
    """

    task: str
    page: str
    labels: str


TASKS = {
    "classify": TaskEntry(
        "converters.tasks.classify.task:TASK",
        "converters.tasks.classify.page:fill_page",
        "a folder per class, or a CSV path,label",
    ),
}
"""Name as in ``edge demo NAME`` → task, in the order in which they are asked for their labels.

The last one takes what no other recognizes.
"""


def load_task(name: str) -> TrainingTask:
    """Return the task of this name.

    Raises:
        UsageError: there is none.
    """
    if name not in TASKS:
        raise UsageError(
            f"--task {', '.join(TASKS)}",
            repr(name),
            did_you_mean(name, TASKS, f"use --task {next(iter(TASKS))}"),
            code="unknown-option-value",
        )
    task: TrainingTask = _load(TASKS[name].task)
    return task


def fill_page(report: Report, training: TrainingResult, selected: Predictions) -> TaskPage:
    """Return the part of the page that is the task's; ``selected``: predictions of the chosen."""
    page: TaskPage = _load(TASKS[report.task].page)(report, training, selected)
    return page


def choose_task(dataset: Path, name: str | None) -> TrainingTask:
    """Return the task of this name, or without one that whose labels a dataset has.

    Raises:
        UsageError: there is none of this name.
    """
    if name is not None:
        return load_task(name)
    return next(task for task in map(load_task, TASKS) if task.recognizes(dataset))


def _load(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)
