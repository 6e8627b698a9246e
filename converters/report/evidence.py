"""Sections of the report about what the images prove: verdict, cross-validation, weak classes."""

from dataclasses import dataclass
from typing import Annotated, Literal

from converters.report.codec import Items, Pattern, Range, Since
from converters.report.variant import Count, Names, Share

Status = Literal["pass", "not-proven", "fail"]


@dataclass(frozen=True, slots=True)
class LayerReport:
    """Signal-to-noise ratio ``snr_db`` of a ``layer``, quantized against float32."""

    layer: str
    snr_db: float


@dataclass(frozen=True, slots=True)
class JudgmentReport:
    """One requirement, and whether the images prove it.

    ``requirement``: "loss" (against float32), "baseline" (better than always predicting the most
    common class) or "min_" with the key of the metric, as "min_accuracy"; ``status``; ``reason``;
    ``more_images``: how many more test images would decide it if they were like these, null where
    it is decided or no practicable number would.
    """

    requirement: Annotated[str, Pattern(r"^(loss|baseline|min_\w+)$")]
    status: Status
    reason: str
    more_images: Count | None


@dataclass(frozen=True, slots=True)
class VerdictReport:
    """Verdict on the chosen ``variant``.

    ``status``: "pass" (proven at 95 %), "fail" (the opposite is) or "not-proven": the worst of the
    ``judgments``, and ``reason``: its reason; ``drop`` of the metric against float32 in points with
    its 95 % ``interval``, and ``max_drop``, the one allowed; ``classes`` that lose most;
    ``layers`` that differ most from float32.
    """

    variant: str
    status: Status
    reason: str
    max_drop: float
    drop: float
    interval: tuple[float, float]
    classes: Names
    layers: tuple[LayerReport, ...]
    judgments: Annotated[tuple[JudgmentReport, ...], Items(1), Since(3)] = ()


@dataclass(frozen=True, slots=True)
class CrossValidationReport:
    """Repeated cross-validation of a head on the frozen backbone, in float32.

    Not of a model file: of every image, predicted by heads that were fitted without it.
    ``accuracy`` (0-1) with its 95 % ``interval``; ``images``; ``folds`` in each of the
    ``repetitions``; ``confusion``: rows are the true class.
    """

    accuracy: Share
    interval: tuple[Share, Share]
    images: Count
    folds: Annotated[int, Range(2)]
    repetitions: Annotated[int, Range(1)]
    confusion: tuple[tuple[Count, ...], ...]


@dataclass(frozen=True, slots=True)
class WeakClassReport:
    """A class that needs more photos: ``count`` of ``images`` of ``label`` are ``taken_for``.

    Counted by the cross-validated head where there is one, else by float32 on the validation and
    the test split.
    """

    label: str
    taken_for: str
    count: Count
    images: Count
