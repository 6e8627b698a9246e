"""The part of a report's page that is about classes: scores, confusion and mistakes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from converters.dataset.audit import Dataset
from converters.report import confusion, formatting, learning_plot, learning_text, plots, text
from converters.report.analysis import AnalysisReport
from converters.report.gallery import Gallery, GalleryImage
from converters.report.html import TaskPage
from converters.report.model import Report
from converters.report.sections import CalibrationReport
from converters.report.variant import ClassReport
from converters.task import TrainingResult
from converters.verification.evaluate import Predictions

_TRAINED = {
    "frozen": "A head on a frozen backbone",
    "fine-tuned": "A head on a fine-tuned backbone",
    "scratch": "All layers trained from random weights",
}

_MISTAKES = 18
_SUSPECTS = 18


@dataclass(frozen=True, slots=True)
class GalleryMistake:
    """A test image that the chosen variant misclassified, with its scores (0–1) of both classes."""

    image: GalleryImage
    predicted: str
    score: float
    true_score: float


_IN_PARTS = "; what their frozen backbone computes of an image may come from an earlier run"


@dataclass(frozen=True, slots=True)
class GalleryMistakes:
    """Mistakes to show, the most confident first; ``total``: number of all mistakes."""

    shown: tuple[GalleryMistake, ...]
    total: int
    tested: int


@dataclass(frozen=True, slots=True)
class GallerySuspect:
    """An image that looks more like the ``likely`` class than like the ``given`` one."""

    image: GalleryImage
    given: str
    likely: str


@dataclass(frozen=True, slots=True)
class GallerySuspects:
    """Suspects to show, the worst first; ``total``: number of all."""

    shown: tuple[GallerySuspect, ...]
    total: int


def fill_page(report: Report, training: TrainingResult, selected: Predictions) -> TaskPage:
    """Return the part of the page; ``selected``: predictions of the chosen variant."""
    chosen, classes, calibration = report.chosen_variant, report.dataset.classes, report.calibration
    assert calibration is not None and chosen.confusion is not None and chosen.per_class is not None
    drawn = len(classes) <= confusion.MATRIX_CLASSES
    supports = [entry.support for entry in chosen.per_class]
    rejected = (
        "the threshold was not tested on such images, and the model may still predict a class"
        if chosen.threshold
        else "the model still predicts a class"
    )
    return TaskPage(
        templates=Path(__file__).parent,
        values={
            "matrix": confusion.matrix(chosen.confusion) if drawn else None,
            "named_columns": len(classes) <= confusion.NAMED_COLUMNS,
            "pairs": confusion.worst_pairs(chosen.confusion, classes),
            "macro": macro_sentence(chosen.per_class),
            "per_class": confusion.worst_first(chosen.per_class),
            "scores": text.calibration_summary(calibration),
            "reliability": _reliability(calibration),
            "threshold": text.threshold_summary(chosen.threshold),
            "mistakes": find_mistakes(
                Gallery(training.dataset, training.split),
                training.dataset,
                selected.test,
                training.split.test,
            ),
            "fit": learning_text.fit_sentence(report),
            "learning": show_learning(report.analysis),
            "suspects": show_suspects(
                Gallery(training.dataset, training.split), training.dataset, report.analysis
            ),
        },
        trained=_TRAINED.get(report.training.method, report.training.method),
        baseline=(max(supports) / sum(supports), "always predicting the most common class"),
        measured=_IN_PARTS if training.trained.by_product is not None else "",
        not_measured=(f"Images that show none of the classes: {rejected}.",),
    )


def macro_sentence(per_class: Sequence[ClassReport]) -> str:
    """Say what is reached if each class counts the same, however many test images it has."""
    rows = [row for row in per_class if row.support]
    recall, precision, f1 = (
        formatting.percent(sum(values) / len(rows))
        for values in (
            [row.recall for row in rows], [row.precision for row in rows], [row.f1 for row in rows]
        )
    )  # fmt: skip
    return (
        f"Each class counting the same: balanced accuracy (mean recall) {recall}, macro precision "
        f"{precision}, macro F1 {f1}."
    )


def find_mistakes(
    gallery: Gallery, dataset: Dataset, scores: NDArray[np.float32], test: NDArray[np.int64]
) -> GalleryMistakes:
    """Find the mistakes on the test split.

    Args:
        gallery: of the images.
        dataset: the truth.
        scores: of a variant, float32 [n, classes].
        test: indices into the data set, int64 [n], of the same order.
    """
    truth, predicted = dataset.labels[test], scores.argmax(1)
    wrong = np.flatnonzero(predicted != truth)
    order = wrong[np.argsort(-scores[wrong, predicted[wrong]], kind="stable")]
    shown = tuple(
        GalleryMistake(
            image=gallery.show(int(test[row]), 128),
            predicted=dataset.classes[predicted[row]],
            score=float(scores[row, predicted[row]]),
            true_score=float(scores[row, truth[row]]),
        )
        for row in order[:_MISTAKES]
    )
    return GalleryMistakes(shown, len(wrong), len(test))


def show_suspects(
    gallery: Gallery, dataset: Dataset, analysis: AnalysisReport | None
) -> GallerySuspects:
    """Return the worst suspects of an analysis as pictures."""
    if analysis is None:
        return GallerySuspects((), 0)
    number = {image.name: index for index, image in enumerate(dataset.images)}
    shown = tuple(
        GallerySuspect(gallery.show(number[row.file], 128), row.given, row.likely)
        for row in analysis.suspects[:_SUSPECTS]
    )
    return GallerySuspects(shown, len(analysis.suspects))


@dataclass(frozen=True, slots=True)
class LearningPlot:
    """The learning curve as ``svg`` and in words, and a sentence for each class."""

    svg: str
    description: str
    gains: tuple[str, ...]


def show_learning(analysis: AnalysisReport | None) -> LearningPlot | None:
    """Return the learning curve of an analysis."""
    from markupsafe import Markup

    if analysis is None or not analysis.curve:
        return None
    return LearningPlot(
        Markup(learning_plot.learning_curve_svg(analysis.curve)),
        learning_plot.describe_learning_curve(analysis.curve),
        learning_text.gain_sentences(analysis),
    )


def _reliability(calibration: CalibrationReport) -> list[tuple[str, str, str]]:
    """Return the diagrams with headings; only one if no temperature changed the scores."""
    from markupsafe import Markup

    diagrams = calibration.reliability
    shown = [
        ("Before calibration", diagrams.before),
        ("After calibration, as in the files", diagrams.after),
    ]
    if calibration.temperature == 1:
        shown = [("As in the files", diagrams.after)]
    return [
        (heading, plots.describe_reliability(bins), Markup(plots.reliability_svg(bins)))
        for heading, bins in shown
    ]
