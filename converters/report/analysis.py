"""The section of the report on data set and training: what may be wrong, what would help."""

from dataclasses import dataclass
from typing import Annotated

from converters.report.codec import Added
from converters.report.variant import Count, Names, Number, Share


@dataclass(frozen=True, slots=True)
class SuspectReport:
    """An image whose label is probably wrong, by heads that were fitted without it.

    ``file``: its name in the data set; ``given`` and ``likely`` class; ``score``: how little it
    looks like the given one, 0 to 1 (worst).
    """

    file: str
    given: str
    likely: str
    score: Share


@dataclass(frozen=True, slots=True)
class CurvePointReport:
    """Accuracy (0-1) of a head on the frozen backbone, fitted on a number of ``photos``.

    ``measured`` by cross-validation, null beyond what there is; ``fitted``: by a power law, with
    its 95 % interval from ``low`` to ``high``.
    """

    photos: Number
    measured: Share | None
    fitted: Share
    low: Share
    high: Share


@dataclass(frozen=True, slots=True)
class ClassGainReport:
    """What 20 more photos of the class ``label`` are likely to bring.

    ``points``: how much more of its photos is recognized then, in percentage points, with its 95 %
    interval from ``low`` to ``high``.
    """

    label: str
    points: Number
    low: Number
    high: Number


@dataclass(frozen=True, slots=True)
class AnalysisReport:
    """Analysis of data set and training, from embeddings.

    ``suspects``: the worst first, among the ``images`` that were examined; ``curve``: the learning
    curve by rising photos, and ``gains`` by class; ``training_accuracy`` (0-1) of the head on the
    training split, null for a fine-tuned network; ``notes``: sentences on what was left out.
    """

    suspects: tuple[SuspectReport, ...]
    images: Count
    notes: Names
    curve: Annotated[tuple[CurvePointReport, ...], Added()] = ()
    gains: Annotated[tuple[ClassGainReport, ...], Added()] = ()
    training_accuracy: Annotated[Share | None, Added()] = None
