"""Stages between training and saving: calibrate, build, evaluate and control the variants."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import artifacts, tf
from converters.compression import accuracy_control, recipe
from converters.compression.context import RecipeContext, calibration_set
from converters.compression.recipe import Recipe
from converters.dataset.split import Indices
from converters.edgetpu.compiler import Compilation
from converters.progress import Progress
from converters.selection.plan import ALWAYS, DEFAULT, CompressionPlan
from converters.selection.select import Selection
from converters.steps import Step
from converters.task import CalibratedModel, TrainingResult
from converters.tflite import Variant
from converters.verification import evaluate as evaluation
from converters.verification.calibration import (
    Reliability,
    fit_temperature,
    fit_threshold,
    reliability,
    scale_probabilities,
)
from converters.verification.evaluate import (
    REFERENCE,
    EvaluatedVariant,
    Predictions,
    ScoreCalibration,
)
from converters.verification.sanity import check_informative
from converters.verification.verdict import (
    FAIL,
    MeasuredAccuracy,
    Verdict,
    judge_loss,
    with_accuracy,
)
from converters.verification.weak_classes import WeakClass, weak_classes
from converters.writer.classifier import ClassifierNetwork
from converters.writer.float_files import to_float32
from converters.writer.ranges import measure
from converters.writer.variants import write_variants
from edge.installation import install_command


@dataclass(frozen=True, slots=True)
class ConversionResult:
    """The variants of a conversion, which of them was selected, and the verdict on it.

    ``weak``: classes that need more photos.
    """

    variants: tuple[EvaluatedVariant, ...]
    verdict: Verdict
    calibration: ScoreCalibration
    selection: Selection
    compiled: Compilation | None = None
    weak: tuple[WeakClass, ...] = ()

    @property
    def selected(self) -> EvaluatedVariant:
        """The variant in model.tflite."""
        return by_name(self.variants, self.selection.chosen)


def by_name(variants: Sequence[EvaluatedVariant], name: str) -> EvaluatedVariant:
    """Return the variant called ``name``."""
    return next(variant for variant in variants if variant.name == name)


def calibrate(training: TrainingResult, progress: Progress) -> CalibratedModel:
    """Divide the logits by a temperature fitted on the validation split, once."""
    network, scores = training.trained.network, training.trained.validation_scores
    assert network is not None
    if training.calibrated:
        return CalibratedModel(network, 1.0)
    if scores is None:
        uncalibrated = Variant("uncalibrated float32", to_float32(network.folded()))
        scores = evaluation.score(
            uncalibrated, training.dataset, training.split.validation, "validation split", progress
        )
    check_informative(REFERENCE, scores)
    temperature = fit_temperature(scores, training.dataset.labels[training.split.validation])
    return CalibratedModel(network.scaled(temperature), temperature)


def score_calibration(
    calibrated: CalibratedModel, after: Predictions, training: TrainingResult
) -> ScoreCalibration:
    """Compare the reliability of the float32 scores before and after the calibration.

    Those before follow from those after: the temperature divided the logits.
    """

    def before_and_after(
        scores: NDArray[np.float32], indices: Indices
    ) -> tuple[Reliability, Reliability]:
        labels = training.dataset.labels[indices]
        before = scale_probabilities(scores, 1 / calibrated.temperature)
        return reliability(before, labels), reliability(scores, labels)

    return ScoreCalibration(
        temperature=calibrated.temperature,
        validation=before_and_after(after.validation, training.split.validation),
        test=before_and_after(after.test, training.split.test),
    )


def recipe_context(training: TrainingResult, model: Any, progress: Progress) -> RecipeContext:
    """Gather what the steps of recipes need."""
    samples = calibration_set(training.dataset, training.split, training.seed)
    return RecipeContext(
        training.dataset, training.split, samples, model, training.seed, progress,
        training.augmentation,
    )  # fmt: skip


def steps_after_training(plan: CompressionPlan) -> tuple[Step, ...]:
    """Return the steps from the trained model to the report, in their order."""
    recipes = [
        Step("compress", f"making {chosen.name}", kind=_methods(chosen)) for chosen in plan.recipes
    ]
    compiling = Step("edgetpu", "compiling for the Edge TPU", fixed=True)
    return (
        Step("calibrate", "calibrating the scores", fixed=True),
        Step("compress", "making the float and int8 files", fixed=True),
        *recipes,
        Step("verify", "testing the files", files=len(ALWAYS) + len(recipes)),
        Step("control", "checking the accuracy of int8", fixed=True),
        Step("judge", "choosing a file", fixed=True),
        *((compiling,) if plan.limits.target != "cpu" else ()),
        Step("save", "saving the files", fixed=True),
        Step("report", "writing the report", fixed=True),
    )


def _methods(chosen: Recipe) -> str:
    return ", ".join(f"{step.kind} {step.method}" for step in chosen.steps)


def plain_variants(
    training: TrainingResult, network: ClassifierNetwork, progress: Progress
) -> tuple[Variant, ...]:
    """Write float32, float16 and int8."""
    folded, known = network.folded(), training.trained.ranges
    if known is not None:
        return write_variants(folded, known.with_head(network.head))
    samples = calibration_set(training.dataset, training.split, training.seed)
    with progress.working("measuring the ranges of activations"):
        ranges = measure(folded, samples, training.dataset.preprocessing)
    return write_variants(folded, ranges)


def recipe_variant(chosen: Recipe, context: RecipeContext) -> Variant:
    """Build the variant of a recipe."""
    variant = recipe.run(chosen, context)
    for note in variant.notes:
        context.progress.say(f"{chosen.name}: {note}")
    return variant


def evaluate(
    variants: Sequence[Variant],
    training: TrainingResult,
    plan: CompressionPlan,
    progress: Progress,
    reference: Predictions | None = None,
) -> tuple[EvaluatedVariant, ...]:
    """Add metadata to the files, run and measure them.

    ``reference``, float32, is among them or given.
    """
    predictions = tuple(
        with_threshold(predict(variant, training, progress), training, plan) for variant in variants
    )
    float32 = reference or next(p for p in predictions if p.variant.name == REFERENCE)
    return evaluation.measure(predictions, training.dataset, training.split, float32.test, progress)


def predict(variant: Variant, training: TrainingResult, progress: Progress) -> Predictions:
    """Add metadata to a file and run it on the validation and the test split."""
    information = artifacts.information(
        training.dataset, training.split, training.weights["provenance"], training.trained.method,
        training.seed,
    )  # fmt: skip
    described = artifacts.describe(variant, information)
    return evaluation.predict(described, training.dataset, training.split, progress)


def with_threshold(
    predictions: Predictions, training: TrainingResult, plan: CompressionPlan
) -> Predictions:
    """Store the threshold for the required precision in the metadata, if there is one."""
    if plan.precision is None:
        return predictions
    labels = training.dataset.labels[training.split.validation]
    threshold = fit_threshold(predictions.validation, labels, plan.precision)
    variant = predictions.variant
    if threshold.met:
        variant = artifacts.with_threshold(variant, threshold.score)
    return replace(predictions, variant=variant, threshold=threshold)


def apply_accuracy_control(
    variants: tuple[EvaluatedVariant, ...],
    context: Callable[[], RecipeContext],
    training: TrainingResult,
    plan: CompressionPlan,
    progress: Progress,
) -> tuple[EvaluatedVariant, ...]:
    """Add a remedied int8, evaluated like the others, if int8 loses too much accuracy.

    The validation split decides; the test split only shows how the result turned out. ``context``
    is called only if a remedy is needed, since it takes TensorFlow.
    """
    int8, float32 = (by_name(variants, name).predictions for name in (DEFAULT, REFERENCE))
    truth = training.dataset.labels[training.split.validation]
    before, after = (scored.validation.argmax(1) == truth for scored in (float32, int8))
    verdict = judge_loss(DEFAULT, before, after, truth, training.dataset.classes, plan.max_drop)
    if verdict.status != FAIL:
        return variants
    if not tf.is_installed():
        progress.say(
            f"On the validation subset, {verdict.reason}. Recovering the accuracy takes "
            f"TensorFlow: {install_command('train')} (Python 3.11 or 3.12)."
        )
        return variants
    progress.say(f"On the validation subset, {verdict.reason}: trying to recover the accuracy.")
    means = context()
    remedied = accuracy_control.apply_accuracy_control(
        means.teacher, int8, float32, means, plan.max_drop, plan.limits.target
    )
    for note in remedied.notes:
        progress.say(f"{remedied.name}: {note}")
    return (*variants, *evaluate((remedied,), training, plan, progress, float32))


def judge_selected(
    selected: EvaluatedVariant,
    reference: Predictions,
    training: TrainingResult,
    plan: CompressionPlan,
) -> Verdict:
    """Judge the selected variant: its loss against the ``reference``, and its accuracy itself.

    The accuracy is judged by the interval of the cross-validated head where there is one, since
    the test split is small then.

    Raises:
        ConversionError: the scores are the same for every image, or saturated.
    """
    dataset, split, validated = training.dataset, training.split, training.trained.cross_validation
    verdict = evaluation.verdict_on(selected.predictions, reference, dataset, split, plan.max_drop)
    accuracy = selected.metrics.accuracy
    measured = MeasuredAccuracy(accuracy, selected.metrics.interval, len(split.test))
    if validated is not None:
        measured = MeasuredAccuracy(accuracy, validated.interval, validated.images, True)
    majority = np.bincount(dataset.labels[split.test]).max() / len(split.test)
    return with_accuracy(verdict, measured, float(majority), plan.limits.min_accuracy)


def find_weak_classes(reference: Predictions, training: TrainingResult) -> tuple[WeakClass, ...]:
    """Find the classes that need more photos.

    By the cross-validated head where there is one, else by the predictions of the ``reference``,
    float32, for the validation and the test split: what quantization spoils is no lack of photos.
    """
    dataset, split = training.dataset, training.split
    validated = training.trained.cross_validation
    if validated is not None:
        return weak_classes(np.array(validated.confusion), dataset.classes)
    confusion = np.zeros((len(dataset.classes),) * 2, np.int64)
    for indices, scores in ((split.validation, reference.validation), (split.test, reference.test)):
        np.add.at(confusion, (dataset.labels[indices], scores.argmax(1)), 1)
    return weak_classes(confusion, dataset.classes)


def preferred_variant(variants: Sequence[EvaluatedVariant], plan: CompressionPlan) -> str:
    """Name the variant to take without limits: for int8 the remedied one, if it is better."""
    accuracy = {variant.name: variant.metrics.validation_accuracy for variant in variants}
    if plan.preferred == DEFAULT and accuracy.get(accuracy_control.NAME, 0.0) > accuracy[DEFAULT]:
        return accuracy_control.NAME
    return plan.preferred
