"""Tasks of training: one package and one line in :data:`TASKS` each.

Packages are imported only when their task is used, so that classes cost nothing of boxes.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from converters.task import TrainingTask
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


TASKS: dict[str, TaskEntry] = {}
"""Name as in ``edge demo NAME`` → task. The last is taken where no other recognizes its labels."""


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


def _load(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)
