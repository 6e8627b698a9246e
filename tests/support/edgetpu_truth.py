"""What the real compiler left on the CPU of public models, and how forecasts compare with it."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from converters.edgetpu.prediction import EdgeTpuPrediction, predict
from converters.edgetpu.rules import SINGLE, WHOLE, Rule
from edge.modelfile import tflite


@dataclass(frozen=True, slots=True)
class Truth:
    """A model and what the compiler left on the CPU; ``source``: the repository, owner/name."""

    model: Path
    source: str
    cpu: dict[str, int]
    operations: int

    def foresee(self, leave_out: Callable[[Rule], bool] = lambda rule: False) -> EdgeTpuPrediction:
        """The forecast without the rules that are to be left out."""
        whole, single = ([r for r in rules if not leave_out(r)] for rules in (WHOLE, SINGLE))
        return predict(tflite.parse(self.model.read_bytes(), self.model.name), whole, single)


@dataclass(frozen=True, slots=True)
class Score:
    """How forecasts compare with the truth.

    ``exact``: models with the right counts on the CPU; ``partly``: models that are not mapped
    whole, ``partly_exact`` of them right. ``operations``: of all models; ``right``: on the right
    side, by counts of each kind. ``too_good``: forecast as mapped whole, and were not.
    """

    models: int
    exact: int
    partly: int
    partly_exact: int
    operations: int
    right: int
    too_good: tuple[str, ...]
    wrong: tuple[str, ...]


def truths(data: Path) -> list[Truth]:
    """The models of the test data."""
    folder = data / "edgetpu"
    return [
        Truth(
            model=folder / "models" / row["model"],
            source=row["source"].partition("@")[0],
            cpu=row["cpu_ops"],
            operations=row["total_ops"],
        )
        for row in json.loads((folder / "truth.json").read_text())
    ]


def score(forecasts: Iterable[tuple[Truth, EdgeTpuPrediction]]) -> Score:
    """Compare forecasts with the truth."""
    pairs = list(forecasts)
    exact = [truth for truth, found in pairs if truth.cpu == found.cpu]
    partly = [truth for truth, _ in pairs if truth.cpu]
    return Score(
        models=len(pairs),
        exact=len(exact),
        partly=len(partly),
        partly_exact=sum(truth in exact for truth in partly),
        operations=sum(truth.operations for truth, _ in pairs),
        right=sum(truth.operations - _moved(truth.cpu, found.cpu) for truth, found in pairs),
        too_good=tuple(t.model.name for t, p in pairs if t.cpu and p.status == "full"),
        wrong=tuple(truth.model.name for truth, _ in pairs if truth not in exact),
    )


def _moved(truth: dict[str, int], found: dict[str, int]) -> int:
    """How many operations are on the wrong side."""
    there, here = Counter(truth), Counter(found)
    return ((there - here) + (here - there)).total()


def taught_by(source: str) -> Callable[[Rule], bool]:
    """Which rules were read off the models of this source alone: owner/name, or an owner."""
    return lambda rule: (
        bool(rule.seen)
        and all(place == source or place.partition("/")[0] == source for place in rule.seen)
    )
