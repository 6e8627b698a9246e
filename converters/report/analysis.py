"""The section of the report on data set and training: what may be wrong, what would help."""

from dataclasses import dataclass

from converters.report.variant import Count, Names, Share


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
class AnalysisReport:
    """Analysis of data set and training, from embeddings.

    ``suspects``: the worst first, among the ``images`` that were examined; ``notes``: sentences on
    what was left out.
    """

    suspects: tuple[SuspectReport, ...]
    images: Count
    notes: Names
