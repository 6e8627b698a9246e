"""Labels of the classes in a mask, and the classes to report."""

from collections.abc import Sequence

from edge.errors import LabelsError
from edge.tasks.loading import LoadedModel
from edge.tasks.segment.masks import MAX_CLASSES, MaskDecoder, ProbabilityMaskDecoder

_BACKGROUND = ("background", "_background_", "__background__", "???")
_SELFIE = "selfie"
"""Label of people in MediaPipe's selfie segmentation."""


def mask_labels(
    loaded: LoadedModel, decoder: MaskDecoder
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the labels by class index, with notes about what was assumed.

    Raises:
        LabelsError: there are more or fewer than the model has classes.
    """
    labels = loaded.labels
    if isinstance(decoder, ProbabilityMaskDecoder):
        return _of_two(loaded)
    if labels is None:
        note = (
            f"{loaded.name} has no labels: classes are numbered, with class 0 as background; "
            "name them with --labels FILE"
        )
        count = decoder.classes or MAX_CLASSES
        return ("background", *(f"class {index}" for index in range(1, count))), (note,)
    if decoder.classes == len(labels) + 1 and labels[0].lower() not in _BACKGROUND:
        note = f"{loaded.source} has no background label: added as the first label"
        return ("background", *labels), (note,)
    if decoder.classes == len(labels) - 1 and labels[0].lower() in _BACKGROUND:
        note = f"{loaded.source} has a background label that the model lacks: removed"
        return labels[1:], (note,)
    if len(labels) > MAX_CLASSES or decoder.classes not in (None, len(labels)):
        raise LabelsError(
            f"{decoder.classes or f'at most {MAX_CLASSES}'} labels, one per class of the model",
            f"{len(labels)} in {loaded.source}",
            "choose the right file with --labels",
            code="labels-count-mismatch",
        )
    return labels, ()


def reported_indices(classes: Sequence[str] | None, labels: tuple[str, ...]) -> tuple[int, ...]:
    """Return the indices of the classes to report; None stands for all but the background."""
    if classes is None:
        return tuple(i for i, label in enumerate(labels) if label.lower() not in _BACKGROUND)
    return tuple(i for i, label in enumerate(labels) if label in classes)


def _of_two(loaded: LoadedModel) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return background and foreground, whose name may be the only label."""
    labels = loaded.labels or ("foreground",)
    if len(labels) == 1:
        labels = ("background", "person" if labels[0] == _SELFIE else labels[0])
    if len(labels) != 2:
        raise LabelsError(
            "one label, for the model's foreground",
            f"{len(labels)} in {loaded.source}",
            "choose the right file with --labels",
            code="labels-count-mismatch",
        )
    return labels, ()
