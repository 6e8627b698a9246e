"""Audit of masks: leave out images whose masks cannot be used, and count the pixels of classes."""

from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np

from converters.dataset.annotations import VOID, AnnotationFinding, MaskListing, finding
from converters.progress import Progress
from edge.errors import DatasetError
from edge.quantities import counted

_TEXTS = {
    "mask-size": "Left out {image} with a mask of another shape",
    "mask-values": "Left out {image} with values in the mask that are no class",
    "mask-unreadable": "Left out {image} with a mask that cannot be read",
    "outline-invalid": "Left out {image} with a broken outline",
}


@dataclass(frozen=True, slots=True)
class MaskAudit:
    """Images whose masks can be used, and what was noticed about all.

    ``shares``: of each class in the pixels that count, in the order of the classes; ``images``:
    number of images with at least a pixel of each class; ``shown``: classes in each image.
    """

    listing: MaskListing
    shares: dict[str, float]
    images: dict[str, int]
    shown: tuple[tuple[int, ...], ...]
    findings: tuple[AnnotationFinding, ...]

    def sentences(self) -> tuple[str, ...]:
        """Describe the audit; the first sentence has the share of each class in the pixels."""
        images = counted(len(self.listing.images), "image")
        shares = ", ".join(
            f"{name} {100 * share:.2g} % (in {self.images[name]:,})"
            for name, share in self.shares.items()
        )
        return f"{images}: {shares}.", *(each.sentence for each in self.findings)


def audit_masks(listing: MaskListing, progress: Progress) -> MaskAudit:
    """Read every mask once.

    Raises:
        DatasetError: no mask can be used, or all pixels are of one class.
    """
    pixels = np.zeros(len(listing.classes), np.int64)
    images = np.zeros(len(listing.classes), np.int64)
    kept, shown_in = [], []
    problems: defaultdict[str, list[str]] = defaultdict(list)
    last: DatasetError | None = None
    tracked = progress.track(iter(listing.images), len(listing.images), "Reading masks")
    for image in tracked:
        try:
            mask = image.read_mask()
        except DatasetError as error:
            problems[error.code].append(image.name)
            last = error
            continue
        counts = np.bincount(mask.ravel(), minlength=VOID + 1)[: len(pixels)]
        pixels += counts
        images += counts > 0
        kept.append(image)
        shown_in.append(tuple(np.flatnonzero(counts).tolist()))
    if not kept and last is not None:
        raise last
    if np.count_nonzero(pixels) < 2:
        shown = [name for name, count in zip(listing.classes, pixels, strict=True) if count]
        raise DatasetError(
            "masks with at least two classes",
            f"only {' '.join(shown) or 'void'} in all {counted(len(kept), 'mask')}",
            "check that the masks are those of the images, and not all black",
            code="masks-of-one-class",
        )
    by_class = dict(zip(listing.classes, images.tolist(), strict=True))
    findings = [*listing.findings]
    findings += [
        finding(code, names, _TEXTS.get(code, "Left out {image}"))
        for code, names in sorted(problems.items())
    ]
    absent = [name for name, count in by_class.items() if not count]
    if absent:
        findings.append(finding("classes-without-pixels", absent, "{class} in no mask"))
    return MaskAudit(
        replace(listing, images=tuple(kept)),
        dict(zip(listing.classes, (pixels / pixels.sum()).tolist(), strict=True)),
        by_class,
        tuple(shown_in),
        tuple(findings),
    )
