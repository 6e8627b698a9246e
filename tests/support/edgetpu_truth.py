"""Operations that the real compiler left on the CPU of public models, and prediction scores."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from converters.edgetpu.prediction import EdgeTpuPrediction, predict
from converters.edgetpu.rules import MODEL_RULES, OPERATION_RULES, Rule
from edge.modelfile import tflite


@dataclass(frozen=True, slots=True)
class Truth:
    """A model and the operations that the compiler left on the CPU; ``source``: owner/name."""

    model: Path
    source: str
    cpu: dict[str, int]
    operations: int

    def predict(self, leave_out: Callable[[Rule], bool] = lambda rule: False) -> EdgeTpuPrediction:
        """Predict by the rules that are not left out."""
        file = tflite.parse(self.model.read_bytes(), self.model.name)
        model_rules = [rule for rule in MODEL_RULES if not leave_out(rule)]
        operation_rules = [rule for rule in OPERATION_RULES if not leave_out(rule)]
        return predict(file, model_rules, operation_rules)


@dataclass(frozen=True, slots=True)
class Score:
    """Accuracy of predictions.

    ``exact``: models with correct counts on the CPU; ``partly``: models that are not fully mapped,
    ``partly_exact`` of them correct. ``operations``: of all models; ``right``: correctly placed,
    by counts of each kind. ``too_good``: wrongly predicted as fully mapped.
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
    """Load the models of the test data."""
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


def score(predictions: Iterable[tuple[Truth, EdgeTpuPrediction]]) -> Score:
    """Compare predictions with the truth."""
    pairs = list(predictions)
    exact = [truth for truth, prediction in pairs if truth.cpu == prediction.cpu]
    partly = [truth for truth, _ in pairs if truth.cpu]
    return Score(
        models=len(pairs),
        exact=len(exact),
        partly=len(partly),
        partly_exact=sum(truth in exact for truth in partly),
        operations=sum(truth.operations for truth, _ in pairs),
        right=sum(
            truth.operations - _misplaced(truth.cpu, prediction.cpu) for truth, prediction in pairs
        ),
        too_good=tuple(t.model.name for t, p in pairs if t.cpu and p.status == "full"),
        wrong=tuple(truth.model.name for truth, _ in pairs if truth not in exact),
    )


def _misplaced(truth: dict[str, int], predicted: dict[str, int]) -> int:
    """Count the operations that are not where they were predicted."""
    actual, expected = Counter(truth), Counter(predicted)
    return ((actual - expected) + (expected - actual)).total()


def derived_from(source: str) -> Callable[[Rule], bool]:
    """Return a filter of rules derived only from models of this source: owner/name, or an owner."""
    return lambda rule: (
        bool(rule.seen)
        and all(seen == source or seen.partition("/")[0] == source for seen in rule.seen)
    )
