"""Operations that the real compiler left on the CPU of public models, and prediction scores."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from converters.edgetpu.network import OpNode
from converters.edgetpu.prediction import EdgeTpuPrediction, predict
from converters.edgetpu.rules import DOCUMENTED, MODEL_RULES, OPERATION_RULES, SURE, Rule
from edge.modelfile import tflite


def _above_16000(node: OpNode) -> str | None:
    return "too long" if node.output.shape[-1] > 16_000 else None


def _computed_weights(node: OpNode) -> str | None:
    weights = node.operand(1)
    return None if weights is None or weights.constant else "computed weights"


def _several_vectors(node: OpNode) -> str | None:
    return "several vectors" if node.output.size > node.output.shape[-1] else None


def _uneven_dilation(node: OpNode) -> str | None:
    x, y = (node.option(field, default=1) for field in (4, 5))
    return "uneven dilation" if x != y else None


_DENSE = ("prbodmann/Coral-TPU", "R-e-d-a-X/EdgeTPU-and-NCS")

DISPROVED = tuple(
    Rule("parameters", (op,), condition, "", DOCUMENTED, SURE, seen)
    for op, condition, seen in (
        ("SOFTMAX", _above_16000, ("ricardodeazambuja/LibrEdgeTPU",)),
        ("FULLY_CONNECTED", _computed_weights, _DENSE),
        ("FULLY_CONNECTED", _several_vectors, _DENSE),
        ("CONV_2D", _uneven_dilation, ("fredriktegnell/edgetpu-tcn",)),
    )
)
"""Documented limits that models contradict (``seen``): without these models they would be rules."""


@dataclass(frozen=True, slots=True)
class Truth:
    """A model and the operations that the compiler left on the CPU; ``source``: owner/name.

    ``several``: it was compiled with several parts for the Edge TPU (``-a``). Then nothing is lost
    after a refused operation, so only the refused ones can be compared.
    """

    model: Path
    source: str
    cpu: dict[str, int]
    operations: int
    several: bool

    def predict(self, leave_out: Callable[[Rule], bool] = lambda rule: False) -> EdgeTpuPrediction:
        """Predict by the rules that are not left out."""
        file = tflite.parse(self.model.read_bytes(), self.model.name)
        model_rules = [rule for rule in MODEL_RULES if not leave_out(rule)]
        operation_rules = [rule for rule in OPERATION_RULES if not leave_out(rule)]
        operation_rules += [rule for rule in DISPROVED if leave_out(rule)]
        return predict(file, model_rules, operation_rules)

    def left(self, prediction: EdgeTpuPrediction) -> dict[str, int]:
        """Count the operations of a prediction that compare with ``cpu``."""
        if not self.several:
            return prediction.cpu
        return dict(Counter(refusal.op for refusal in prediction.refusals))

    def matches(self, prediction: EdgeTpuPrediction) -> bool:
        """Compare the counts on the CPU; with several parts the kinds of refused operations."""
        left = self.left(prediction)
        return left.keys() == self.cpu.keys() if self.several else left == self.cpu


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
    folders = (data / "edgetpu", data / "edgetpu" / "more")
    return [
        Truth(
            model=folder / "models" / row["model"],
            source=row["source"].partition("@")[0],
            cpu=row["cpu_ops"],
            operations=row["total_ops"],
            several=row["tpu_custom_ops"] > 1,
        )
        for folder in folders
        for row in json.loads((folder / "truth.json").read_text())
    ]


def score(predictions: Iterable[tuple[Truth, EdgeTpuPrediction]]) -> Score:
    """Compare predictions with the truth."""
    pairs = list(predictions)
    exact = [truth for truth, prediction in pairs if truth.matches(prediction)]
    partly = [truth for truth, _ in pairs if truth.cpu]
    return Score(
        models=len(pairs),
        exact=len(exact),
        partly=len(partly),
        partly_exact=sum(truth in exact for truth in partly),
        operations=sum(truth.operations for truth, _ in pairs),
        right=sum(
            truth.operations - _misplaced(truth.cpu, truth.left(prediction))
            for truth, prediction in pairs
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
