"""Tasks of training: one package and one line in :data:`TASKS` each.

Packages are imported only when their task is used, so that classes cost nothing of boxes.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from edge.errors import DatasetError, UsageError, did_you_mean

if TYPE_CHECKING:  # the names alone are for help texts
    from converters.dataset.intake import OpenedDataset
    from converters.report.html import TaskPage
    from converters.report.model import Report
    from converters.task import TrainingResult, TrainingTask
    from converters.verification.evaluate import Predictions


@dataclass(frozen=True, slots=True)
class TaskEntry:
    """A task that can be trained.

    ``task``: "module:object" of its :class:`converters.task.TrainingTask`; ``page``: that of the
    function that fills its part of report.html; ``labels``: how its images are labeled, for help;
    ``minimum``: the option that requires a minimum of its metric; ``recognizes``: "module:object"
    of a function that tells whether an opened dataset is labeled for the task, "" where
    :mod:`converters.dataset.recognition` knows its name; ``head``: name of what its head finds,
    where labels can be learned by different heads.
    """

    task: str
    page: str
    labels: str
    minimum: str
    recognizes: str = ""
    head: str = ""


TASKS = {
    "detect": TaskEntry(
        "converters.tasks.detect.task:TASK",
        "converters.tasks.detect.page:fill_page",
        "boxes as COCO, Pascal VOC, YOLO, Label Studio or a CSV",
        "--min-map50",
        head="boxes",
    ),
    "count": TaskEntry(
        "converters.tasks.detect.centers.task:TASK",
        "converters.tasks.detect.centers.page:fill_page",
        "the same boxes, of small objects that look alike",
        "--min-f1",
        head="centers",
    ),
    "segment": TaskEntry(
        "converters.tasks.segment.task:TASK",
        "converters.tasks.segment.page:fill_page",
        "masks as PNG in masks/ beside images/, or outlines as COCO, YOLO or Label Studio",
        "--min-miou",
    ),
    "classify": TaskEntry(
        "converters.tasks.classify.task:TASK",
        "converters.tasks.classify.page:fill_page",
        "a folder per class, or a CSV path,label",
        "--min-accuracy",
    ),
}
"""Name as in ``edge demo NAME`` → task.

They are asked in this order whose labels a dataset has: one without any other is of classes.
"""

HEADS = {entry.head: name for name, entry in TASKS.items() if entry.head}
"""What a head finds → task."""


def load_task(name: str) -> "TrainingTask":
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


def fill_page(report: "Report", training: "TrainingResult", selected: "Predictions") -> "TaskPage":
    """Return the part of the page that is the task's; ``selected``: predictions of the chosen."""
    page: TaskPage = _load(TASKS[report.task].page)(report, training, selected)
    return page


def choose_task(
    opened: "OpenedDataset", name: str | None, head: str | None = None
) -> "TrainingTask":
    """Return the task of this name or with this head, else that whose labels a dataset has.

    Raises:
        UsageError: there is none of this name, or with this head.
        DatasetError: the labels are for a task that cannot be trained.
    """
    if head is not None:
        name = _with_head(head, name)
    if name is not None:
        return load_task(name)
    for known, entry in TASKS.items():
        own = _load(entry.recognizes)(opened) if entry.recognizes else False
        if own or opened.recognition.task == known:
            return load_task(known)
    raise DatasetError(
        f"labels to {' or '.join(TASKS)} by: {'; '.join(e.labels for e in TASKS.values())}",
        f"{opened.location}, a {opened.recognition.kind}",
        "choose what to train with --task",
        code="dataset-for-another-task",
    )


def _with_head(head: str, name: str | None) -> str:
    if head not in HEADS:
        raise UsageError(
            f"--head {' or '.join(HEADS)}",
            repr(head),
            did_you_mean(head, HEADS, f"use --head {next(iter(HEADS))}"),
            code="unknown-option-value",
        )
    if name is not None and name not in HEADS.values():
        raise UsageError(
            f"--task {' or '.join(HEADS.values())} with --head",
            f"--task {name} --head {head}",
            "leave out --task, or --head",
            code="option-conflict",
        )
    return HEADS[head]


def _load(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)
