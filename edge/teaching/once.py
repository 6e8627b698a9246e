"""Teach once: learn from the images of a folder, without a page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.errors import DatasetError
from edge.teaching.assessment import Assessment
from edge.teaching.features import BUILTIN
from edge.teaching.teacher import Teacher


@dataclass(frozen=True, slots=True)
class TeachResult:
    """What :func:`teach` learned.

    ``model``: path of the model; ``counts``: examples by class, in the order of its outputs;
    ``assessment``: result of the cross-validation.
    """

    model: Path
    counts: Mapping[str, int]
    assessment: Assessment

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {"model": str(self.model), **self.assessment.to_dict()}


def teach(
    folder: str | Path,
    out: str | Path | None = None,
    *,
    backbone: str | Path = BUILTIN,
    forget: Sequence[str] = (),
    delegate: str = "auto",
    threads: int | None = None,
    say: Callable[[str], None] = print,
) -> TeachResult:
    """Learn to classify the images of a folder, once; see :meth:`Teacher.open` for the arguments.

    ``forget`` names classes to remove first, with their images.

    Raises:
        DatasetError: fewer than two classes, or one without images.
        EdgeError: see :meth:`Teacher.open` and :meth:`Teacher.save`.
    """
    if not Path(folder).is_dir():
        raise DatasetError(
            "a folder with a folder of images per class",
            f"no folder {folder}",
            "check the path, or leave out --once to record images",
            code="dataset-not-found",
        )
    teacher = Teacher.open(
        folder, out, backbone=backbone, delegate=delegate, threads=threads, say=say
    )
    for label in forget:
        teacher.forget(label)
    empty = [label for label, count in teacher.counts.items() if not count]
    if empty:
        raise DatasetError(
            "images in every class",
            f"none in {', '.join(empty)}",
            "add images, or remove the folder",
            code="empty-class",
        )
    assessment = teacher.assess()
    teacher.learn()
    return TeachResult(teacher.save(), teacher.counts, assessment)
