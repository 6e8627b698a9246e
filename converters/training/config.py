"""Training options, and the trained model that training returns."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from converters.training.augment import Augmentation
from converters.training.balance import AUTO, BALANCES
from converters.training.cross_validation import CrossValidationSummary
from edge.errors import UsageError

FINE_TUNE = ("auto", "always", "never")


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """Options of training; None means chosen to suit the data.

    ``fine_tune``: "auto", "always" or "never"; ``epochs``: of fine-tuning or of training from
    scratch; ``batch_size``: images; ``seed``: of every random choice of a conversion, also
    before training; ``dropout``: share of features; ``label_smoothing``: share of the target;
    ``budget``: seconds that training may take, of a classifier those of fine-tuning by "auto";
    ``balance``: how a head treats classes of different sizes, one of :data:`BALANCES`;
    ``fast``: a network that is faster and coarser, of tasks that have one.

    Raises:
        UsageError: a value outside its range.
    """

    fine_tune: str = "auto"
    epochs: int | None = None
    batch_size: int = 32
    seed: int = 0
    dropout: float = 0.2
    label_smoothing: float = 0.1
    budget: float | None = None
    balance: str = AUTO
    fast: bool = False
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        if self.fine_tune not in FINE_TUNE:
            raise UsageError(
                f"--fine-tune {', '.join(FINE_TUNE)}",
                repr(self.fine_tune),
                "use --fine-tune auto",
                code="unknown-option-value",
            )
        if self.balance not in BALANCES:
            raise UsageError(
                f"--balance {', '.join(BALANCES)}",
                repr(self.balance),
                "use --balance auto",
                code="unknown-option-value",
            )
        if self.epochs is not None and self.epochs < 1:
            raise UsageError(
                "--epochs of at least 1",
                str(self.epochs),
                "use --epochs 1 or more",
                code="option-out-of-range",
            )
        if self.batch_size < 1:
            raise UsageError(
                "--batch-size of at least 1",
                str(self.batch_size),
                "use --batch-size 32",
                code="option-out-of-range",
            )
        for name, value in (
            ("--dropout", self.dropout),
            ("--label-smoothing", self.label_smoothing),
        ):
            if not 0 <= value < 1:
                raise UsageError(
                    f"{name} from 0 to below 1",
                    f"{value:g}",
                    f"use {name} 0.1",
                    code="option-out-of-range",
                )
        if self.seed < 0:
            raise UsageError(
                "--seed of at least 0", str(self.seed), "use --seed 0", code="option-out-of-range"
            )
        if self.budget is not None and not self.budget >= 0:
            raise UsageError(
                "--budget of 0 s or more",
                f"{self.budget:g}",
                "use --budget 60",
                code="option-out-of-range",
            )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for the report."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Curve:
    """One learning curve for the report, one value per epoch (or per candidate)."""

    title: str
    x_label: str
    y_label: str
    x: tuple[float, ...]
    series: dict[str, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A trained model.

    ``network``: its weights as the task has them, None where only the record of its training is
    known. ``method``: "frozen", "fine-tuned" or "scratch". ``validation_quality``: the task's
    metric (0–1) on the validation split, on which no weight was trained. ``notes``: sentences that
    explain the decisions, for terminal and report. ``details``: plain values for report.json.
    ``validating``: returns the cross-validation of the head on the frozen backbone, where the test
    split is small; it may go on in the background until it is asked for.

    ``by_product``: what training found out on the way and later stages of the task need again.
    """

    network: Any
    method: str
    validation_quality: float
    notes: tuple[str, ...]
    curves: tuple[Curve, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)
    validating: Callable[[], CrossValidationSummary | None] = field(default=lambda: None)
    by_product: Any = None

    @property
    def cross_validation(self) -> CrossValidationSummary | None:
        """The cross-validation of the head, awaited where it still goes on."""
        return self.validating()
