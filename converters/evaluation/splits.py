"""Which images of a data set with splits are evaluated."""

from converters.evaluation.evaluation_task import EvaluationImage, EvaluationImages
from edge.errors import UsageError

SPLITS = ("test", "validation", "train")
"""Subsets of a data set; the first that it has is evaluated unless another is chosen."""


def choose_split(
    listing: EvaluationImages, wished: str | None
) -> tuple[tuple[EvaluationImage, ...], str | None]:
    """Return the images to evaluate, and the name of their subset; None for all images.

    Raises:
        UsageError: the data set has no such subset.
    """
    present = [name for name in SPLITS if any(image.split == name for image in listing.images)]
    if wished == "all" or (wished is None and not present):
        return listing.images, None
    chosen = present[0] if wished is None else wished
    if chosen not in present:
        raise UsageError(
            f"images of the split {chosen}",
            f"only {', '.join(present)} in {listing.name}"
            if present
            else "a dataset without splits",
            f"use --split {present[0]}" if present else "leave out --split",
            code="no-such-split",
        )
    return tuple(image for image in listing.images if image.split == chosen), chosen
