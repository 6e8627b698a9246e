"""What a task says about a picture: typed values, ready for JSON."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClassScore:
    """One class with its score in [0, 1]; ``index`` is the model's output index."""

    label: str
    index: int
    score: float

    def to_dict(self) -> dict[str, str | int | float]:
        return {"label": self.label, "index": self.index, "score": round(self.score, 6)}


@dataclass(frozen=True, slots=True)
class Classification:
    """Classes of one picture, best first."""

    classes: tuple[ClassScore, ...]

    @property
    def best(self) -> ClassScore:
        return self.classes[0]

    def to_dict(self) -> dict[str, list[dict[str, str | int | float]]]:
        return {"classes": [score.to_dict() for score in self.classes]}
