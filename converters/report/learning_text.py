"""Sentences of the report on learning: what more photos bring, and how well the model fits."""

from converters.report.analysis import AnalysisReport, ClassGainReport
from converters.report.formatting import percent
from converters.report.model import Report
from converters.training.analysis import MORE_PHOTOS
from converters.verification.intervals import wilson_interval

_GAP = 0.05
"""Accuracy on the training images above that on others, from which a model is overfitted."""

_LOW = 0.9
"""Accuracy on the training images below which a model is underfitted."""

_WORTH = 0.5
"""Points from which a gain is worth a sentence of its own."""


def gain_sentence(gain: ClassGainReport) -> str:
    """Say what more photos of a class are likely to bring."""
    noun = "point" if round(gain.points) == 1 else "points"
    about = f"about +{gain.points:.0f} {noun} ({gain.low:.0f} to {gain.high:.0f})"
    if gain.points < _WORTH:
        about = f"less than a point (up to {gain.high:.0f})"
    return f"{MORE_PHOTOS} more photos of {gain.label}: {about}"


def gain_sentences(analysis: AnalysisReport) -> tuple[str, ...]:
    """Say it of each class, those with the largest gain first."""
    order = sorted(analysis.gains, key=lambda gain: -gain.points)
    return tuple(gain_sentence(gain) for gain in order)


def fit_sentence(report: Report) -> str | None:
    """Judge over- and underfitting by the accuracy on training, validation and test images."""
    analysis = report.analysis
    if analysis is None or analysis.training_accuracy is None:
        return None
    training, sizes = analysis.training_accuracy, report.split.sizes
    validation = report.training.validation_quality
    test = report.variants["float32"].quality.value
    unseen = sizes.validation + sizes.test
    correct = validation * sizes.validation + test * sizes.test
    other = correct / unseen
    figures = (
        f"{percent(training)} of the training, {percent(validation)} of the validation and "
        f"{percent(test)} of the test images are right"
    )
    if training - other > _GAP and wilson_interval(correct, unseen)[1] < training:
        return (
            f"Overfitted: {figures}. More photos from other days and places help most, then "
            "--augment all, or fewer classes that look alike."
        )
    if training < _LOW:
        return (
            f"Underfitted: {figures}. The backbone does not tell the classes apart: try "
            "--fine-tune always, a larger --size, or photos that show the difference."
        )
    return f"Neither over- nor underfitted: {figures}."
