"""Names of the classes in a mask, and which of them are reported."""

from collections.abc import Sequence

from edge.errors import LabelsError
from edge.tasks.loading import LoadedModel
from edge.tasks.segment.masks import MOST, MaskDecoder, ProbabilityMaskDecoder

_BACKGROUND = ("background", "_background_", "__background__", "???")
_SELFIE = "selfie"
"""What MediaPipe's selfie segmentation calls people."""


def of(opened: LoadedModel, reader: MaskDecoder) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The labels by class index, with notes about what was assumed.

    Raises:
        LabelsError: there are more or fewer than the model has classes.
    """
    labels = opened.labels
    if isinstance(reader, ProbabilityMaskDecoder):
        return _of_two(opened)
    if labels is None:
        note = (
            f"{opened.name} has no labels: classes are numbered, with class 0 as background; "
            "name them with --labels FILE"
        )
        count = reader.classes or MOST
        return ("background", *(f"class {index}" for index in range(1, count))), (note,)
    if reader.classes == len(labels) + 1 and labels[0].lower() not in _BACKGROUND:
        note = f"{opened.source} has no background label: added as the first label"
        return ("background", *labels), (note,)
    if reader.classes == len(labels) - 1 and labels[0].lower() in _BACKGROUND:
        note = f"{opened.source} has a background label that the model lacks: removed"
        return labels[1:], (note,)
    if len(labels) > MOST or reader.classes not in (None, len(labels)):
        raise LabelsError(
            f"{reader.classes or f'at most {MOST}'} labels, one per class of the model",
            f"{len(labels)} in {opened.source}",
            "choose the right file with --labels",
            code="labels-count-mismatch",
        )
    return labels, ()


def chosen(classes: Sequence[str] | None, labels: tuple[str, ...]) -> tuple[int, ...]:
    """Indices of the classes that are reported; None stands for all but the background."""
    if classes is None:
        return tuple(i for i, label in enumerate(labels) if label.lower() not in _BACKGROUND)
    return tuple(i for i, label in enumerate(labels) if label in classes)


def _of_two(opened: LoadedModel) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Background and foreground, whose name may be the only label."""
    labels = opened.labels or ("foreground",)
    if len(labels) == 1:
        labels = ("background", "person" if labels[0] == _SELFIE else labels[0])
    if len(labels) != 2:
        raise LabelsError(
            "one label, for the model's foreground",
            f"{len(labels)} in {opened.source}",
            "choose the right file with --labels",
            code="labels-count-mismatch",
        )
    return labels, ()
