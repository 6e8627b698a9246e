"""What an analysis of a data set tells beside the model: values for the report."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Suspect:
    """An image whose label is probably wrong.

    ``file``: its name relative to the data set; ``given`` and ``likely``: class names; ``score``:
    how little the image looks like its given class, 0 to 1 (worst).
    """

    file: str
    given: str
    likely: str
    score: float


@dataclass(frozen=True, slots=True)
class TrainingAnalysis:
    """Findings about data set and training.

    ``suspects``: the worst first, among ``images`` that were examined; ``notes``: sentences on
    what was left out, and why.
    """

    suspects: tuple[Suspect, ...] = ()
    images: int = 0
    notes: tuple[str, ...] = ()
