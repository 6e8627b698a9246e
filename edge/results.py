"""What a task says about a picture: typed values, ready for JSON."""

from dataclasses import dataclass
from typing import Any, Protocol


class Result(Protocol):
    """What any task says about one picture."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""


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
    """Classes of one picture, best first.

    With a ``threshold`` the answer is ``unknown`` where the best score lies below it.
    """

    classes: tuple[ClassScore, ...]
    threshold: float | None = None

    @property
    def best(self) -> ClassScore:
        return self.classes[0]

    @property
    def unknown(self) -> bool:
        return self.threshold is not None and self.best.score < self.threshold

    def to_dict(self) -> dict[str, Any]:
        """``{"classes": […], "unknown": bool}``, and ``"threshold"`` where there is one."""
        said: dict[str, Any] = {
            "classes": [score.to_dict() for score in self.classes],
            "unknown": self.unknown,
        }
        if self.threshold is not None:
            said["threshold"] = round(self.threshold, 6)
        return said
