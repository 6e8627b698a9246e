"""Evaluation of classifiers."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from converters.dataset import intake
from converters.evaluation.evaluation_task import (
    EvaluationImage,
    EvaluationImages,
    EvaluationTask,
    ModelOptions,
)
from converters.evaluation.label_matching import LabelMatch
from converters.evaluation.records import ClassFigures, Measurement, PairedDrop
from converters.metrics.calibration import bin_scores, calibration_error
from converters.verification.intervals import paired_difference_interval, wilson_interval
from edge.quantities import counted
from edge.results import Classification, ClassScore
from edge.tasks.classify.classifier import Classifier

_ALL = 100_000
"""More classes than any model has."""


@dataclass(frozen=True, slots=True)
class ClassOutcome:
    """True and predicted class of an image, -1 for a class that is not evaluated.

    ``label``: the model's name of the predicted class; ``score`` and ``true_score``: of both;
    ``accepted``: False where the model's threshold makes it "unknown".
    """

    true: int
    predicted: int
    label: str
    score: float
    true_score: float
    accepted: bool = True

    @property
    def correct(self) -> bool:
        """True where the predicted class is the true one."""
        return self.true == self.predicted


class ClassificationEvaluation(EvaluationTask):
    """Accuracy of the best class; a class that the data set lacks is wrong."""

    name = "classify"
    main = "accuracy"
    class_main = "recall"
    headings: ClassVar = {
        "accuracy": "Accuracy",
        "balanced_accuracy": "Balanced accuracy",
        "accepted": "Accepted by the model's threshold",
        "accepted_accuracy": "Accuracy of those accepted",
        "calibration_error": "Calibration error of the scores",
    }
    class_headings: ClassVar = {
        "precision": "precision",
        "recall": "recall",
        "f1": "F1",
        "images": "images",
    }
    minimums: ClassVar = {"min_accuracy": "accuracy"}

    def open(self, model: Path, options: ModelOptions) -> Classifier:
        """Open a classifier; its threshold for "unknown" makes no difference to the accuracy."""
        return Classifier.open(
            model, labels=options.labels, mean=options.mean, std=options.std, top=_ALL,
            delegate=options.delegate, threads=options.threads,
        )  # fmt: skip

    def labels(self, opened: Classifier) -> tuple[str, ...]:
        """Return the labels of the outputs."""
        return opened.labels

    def list_images(self, dataset: Path, workdir: Path) -> EvaluationImages:
        """List images with one class each."""
        listing = intake.label_test_images(intake.open_dataset(dataset, workdir))
        index = {name: number for number, name in enumerate(listing.classes)}
        images = tuple(
            EvaluationImage(file.path, file.name, file.split, index[file.label])
            for file in listing.images
        )
        return EvaluationImages(listing.name, listing.classes, images)

    def select(
        self, images: Sequence[EvaluationImage], match: LabelMatch
    ) -> tuple[EvaluationImage, ...]:
        """Return the images of classes that the model has."""
        return tuple(image for image in images if match.of_dataset[image.truth] >= 0)

    def outcome(
        self, image: EvaluationImage, result: Classification, match: LabelMatch
    ) -> ClassOutcome:
        """Compare the best class with the true one."""
        true = int(match.of_dataset[image.truth])
        scores = (entry.score for entry in result.classes if match.of_model[entry.index] == true)
        best = result.best
        predicted = int(match.of_model[best.index])
        return ClassOutcome(
            true, predicted, best.label, best.score, max(scores), not result.unknown
        )

    def measure(
        self, outcomes: Sequence[ClassOutcome], classes: Sequence[str], seed: int
    ) -> Measurement:
        """Measure accuracy with Wilson's interval, which small sets need, and the confusion."""
        count = len(classes)
        true = np.array([outcome.true for outcome in outcomes], np.int64)
        predicted = np.array([outcome.predicted for outcome in outcomes], np.int64)
        confusion = np.zeros((count, count + 1), np.int64)
        np.add.at(confusion, (true, np.where(predicted < 0, count, predicted)), 1)
        right = true == predicted
        support = np.bincount(true, minlength=count)
        recalls = np.diagonal(confusion)[support > 0] / support[support > 0]
        wrong_score = np.array([o.score - o.true_score for o in outcomes]) * ~right
        scores = np.array([outcome.score for outcome in outcomes])
        bins = bin_scores(scores, right)
        return Measurement(
            metrics={
                "accuracy": float(right.mean()),
                "balanced_accuracy": float(recalls.mean()),
                **_accepted(outcomes, right),
                "calibration_error": calibration_error(bins),
            },
            intervals={"accuracy": wilson_interval(int(right.sum()), len(right))},
            per_class=_per_class(confusion, classes),
            samples={},
            details={
                "classes": list(classes),
                "confusion": confusion.tolist(),
                "reliability": [asdict(entry) for entry in bins],
            },
            faults=np.where(right, 0, 1 + wrong_score),
            outcomes=tuple(outcomes),
        )

    def drops(self, reference: Measurement, measured: Measurement) -> tuple[PairedDrop, ...]:
        """Compare accuracies by Tango's interval, which keeps its width where nothing changed."""
        before, after = _correct(reference), _correct(measured)
        lost, gained = int((before & ~after).sum()), int((after & ~before).sum())
        return (
            PairedDrop(
                metric="accuracy",
                reference=reference.metrics["accuracy"],
                value=measured.metrics["accuracy"],
                drop=(lost - gained) / len(before),
                interval=paired_difference_interval(lost, gained, len(before)),
            ),
        )

    def effects(self, reference: Measurement, measured: Measurement) -> tuple[str, ...]:
        """Count the images whose class changed."""
        before, after = _correct(reference), _correct(measured)
        pairs = zip(reference.outcomes, measured.outcomes, strict=True)
        changed = sum(a.label != b.label for a, b in pairs)
        lost, gained = int((before & ~after).sum()), int((after & ~before).sum())
        return (
            f"the models differ on {changed:,} of {counted(len(before), 'image')}: {gained} only "
            f"this one has right, {lost} only the other",
        )

    def describe(self, outcome: ClassOutcome, classes: Sequence[str]) -> str:
        """Name the true and the predicted class with their scores."""
        return (
            f"{classes[outcome.true]} ({100 * outcome.true_score:.0f} %) taken for "
            f"{outcome.label} ({100 * outcome.score:.0f} %)"
        )

    def shown(
        self, image: EvaluationImage, result: Classification, match: LabelMatch
    ) -> tuple[Classification, Classification]:
        """Return the true class, and the best three."""
        true = int(match.of_dataset[image.truth])
        truth = Classification((ClassScore(match.classes[true], true, 1.0),))
        return truth, Classification(result.classes[:3])


def _accepted(outcomes: Sequence[ClassOutcome], right: NDArray[np.bool_]) -> dict[str, float]:
    """Return the share that the model's threshold accepts, where it rejects any."""
    accepted = np.array([outcome.accepted for outcome in outcomes], np.bool_)
    if accepted.all():
        return {}
    accuracy = float(right[accepted].mean()) if accepted.any() else float("nan")
    return {"accepted": float(accepted.mean()), "accepted_accuracy": accuracy}


def _correct(measured: Measurement) -> NDArray[np.bool_]:
    return np.array([outcome.correct for outcome in measured.outcomes], np.bool_)


def _per_class(confusion: NDArray[np.int64], classes: Sequence[str]) -> dict[str, ClassFigures]:
    right, support = np.diagonal(confusion), confusion.sum(axis=1)
    named = confusion.sum(axis=0)[: len(classes)]
    figures: dict[str, ClassFigures] = {}
    for label, row in zip(classes, zip(right, support, named, strict=True), strict=True):
        correct, images, guesses = map(int, row)
        figures[label] = {
            "precision": correct / max(1, guesses),
            "recall": correct / max(1, images),
            "f1": 2 * correct / max(1, images + guesses),
            "interval": wilson_interval(correct, images) if images else None,
            "images": images,
        }
    return figures
