from dataclasses import replace

import pytest
from conversion import Conversion

from converters.report.analysis import AnalysisReport, ClassGainReport
from converters.report.learning_text import fit_sentence, gain_sentences
from converters.report.model import Report


def analyzed(training: float | None, unseen: float) -> Report:
    """A report with these accuracies; of 200 validation and 200 test images."""
    report = Conversion().report()
    float32 = report.variants["float32"]
    quality = replace(float32.quality, value=unseen)
    return replace(
        report,
        split=replace(report.split, sizes=replace(report.split.sizes, validation=200, test=200)),
        training=replace(report.training, validation_quality=unseen),
        variants={**report.variants, "float32": replace(float32, quality=quality)},
        analysis=AnalysisReport((), 0, (), training_accuracy=training),
    )


@pytest.mark.parametrize(
    ("training", "unseen", "verdict"),
    [
        (0.99, 0.85, "Overfitted"),
        (0.99, 0.97, "Neither"),
        (0.80, 0.79, "Underfitted"),
    ],
)
def test_over_and_underfitting_are_told(training: float, unseen: float, verdict: str) -> None:
    sentence = fit_sentence(analyzed(training, unseen))
    assert sentence is not None and sentence.startswith(verdict)
    assert sentence.count("%") == 3


def test_a_fine_tuned_network_has_no_verdict() -> None:
    assert fit_sentence(analyzed(None, 0.9)) is None


def test_each_class_has_a_sentence_the_largest_gain_first() -> None:
    gains = (
        ClassGainReport("fork", 0.2, 0.0, 1.4),
        ClassGainReport("knife", 3.2, 1.1, 5.0),
        ClassGainReport("spoon", 1.1, 0.4, 1.9),
    )
    assert gain_sentences(AnalysisReport((), 0, (), gains=gains)) == (
        "20 more photos of knife: about +3 points (1 to 5)",
        "20 more photos of spoon: about +1 point (0 to 2)",
        "20 more photos of fork: less than a point (up to 1)",
    )
