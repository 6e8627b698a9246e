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
class CurvePoint:
    """Accuracy (0–1) at a number of training ``photos``.

    ``measured``: None beyond what there is; ``fitted``: by the power law, with its 95 % interval
    from ``low`` to ``high``.
    """

    photos: float
    measured: float | None
    fitted: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ClassGain:
    """What :data:`MORE_PHOTOS` more photos of a class are likely to bring.

    ``points``: how much more of its photos is recognized then, in percentage points, with the 95 %
    interval from ``low`` to ``high``.
    """

    label: str
    points: float
    low: float
    high: float


MORE_PHOTOS = 20


@dataclass(frozen=True, slots=True)
class TrainingAnalysis:
    """Findings about data set and training.

    ``suspects``: the worst first, among ``images`` that were examined; ``curve``: the learning
    curve, and ``gains`` by class; ``training_accuracy`` (0–1) of the head on the training split,
    None where the backbone was fine-tuned; ``notes``: sentences on what was left out, and why.
    """

    suspects: tuple[Suspect, ...] = ()
    images: int = 0
    curve: tuple[CurvePoint, ...] = ()
    gains: tuple[ClassGain, ...] = ()
    training_accuracy: float | None = None
    notes: tuple[str, ...] = ()
