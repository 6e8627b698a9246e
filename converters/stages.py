"""Stages between training and saving, for any task: build, evaluate and control the variants."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from converters import artifacts, background, tf
from converters.compression import accuracy_control, recipe
from converters.compression.context import RecipeContext, calibration_set
from converters.compression.recipe import Recipe
from converters.edgetpu.compiler import Compilation
from converters.progress import Progress
from converters.selection.plan import ALWAYS, DEFAULT, CompressionPlan
from converters.selection.select import Selection
from converters.steps import Step
from converters.task import TrainingResult
from converters.tflite import Variant
from converters.verification import evaluate as evaluation
from converters.verification.evaluate import (
    REFERENCE,
    EvaluatedVariant,
    Predictions,
    ScoreCalibration,
)
from converters.verification.quality import WeakClass
from converters.verification.verdict import (
    FAIL,
    QualityEvidence,
    Verdict,
    judge_loss,
    with_quality,
)
from edge.installation import install_command


@dataclass(frozen=True, slots=True)
class ConversionResult:
    """The variants of a conversion, which of them was selected, and the verdict on it.

    ``weak``: classes that need more photos.
    """

    variants: tuple[EvaluatedVariant, ...]
    verdict: Verdict
    calibration: ScoreCalibration | None
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


def recipe_context(training: TrainingResult, model: Any, progress: Progress) -> RecipeContext:
    """Gather what the steps of recipes need."""
    samples = calibration_set(training.dataset, training.split, training.seed)
    return RecipeContext(
        training.dataset, training.split, samples, model, training.seed, progress,
        training.augmentation, training.task.recipe_method,
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
    described = [artifacts.describe(v, training.task.metadata(training)) for v in variants]
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # looks at the files while they are run
        looking = [pool.submit(evaluation.file_facts, variant) for variant in described]
        predictions = [
            with_threshold(training.task.predict(variant, training, progress), training, plan)
            for variant in described
        ]
        facts = [looked.result() for looked in looking]
    for number, (before, scored) in enumerate(zip(described, predictions, strict=True)):
        if scored.variant is not before:  # it has a threshold now
            facts[number] = evaluation.file_facts(scored.variant)
    float32 = reference or next(p for p in predictions if p.variant.name == REFERENCE)
    qualities = [training.task.quality(p, float32, training) for p in predictions]
    background.finish()  # nothing else may run while files are timed
    return evaluation.measure(predictions, qualities, facts, progress)


def with_threshold(
    predictions: Predictions, training: TrainingResult, plan: CompressionPlan
) -> Predictions:
    """Store the threshold for the required precision in the metadata, if there is one."""
    if plan.precision is None:
        return predictions
    threshold = training.task.threshold(predictions, training, plan.precision)
    variant = predictions.variant
    if threshold is not None and threshold.met:
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
    task = training.task
    int8, float32 = (by_name(variants, name) for name in (DEFAULT, REFERENCE))
    loss = task.loss(float32.predictions, int8.predictions, training, "validation")
    verdict = judge_loss(DEFAULT, loss, plan.max_drop)
    if verdict.status != FAIL:
        return variants
    if not task.recoverable:
        progress.say(
            f"On the validation subset, {verdict.reason}. There is no remedy for this task but "
            "more images, or another --size."
        )
        return variants
    if not tf.is_installed():
        progress.say(
            f"On the validation subset, {verdict.reason}. Recovering the accuracy takes "
            f"TensorFlow: {install_command('train')} (Python 3.11 or 3.12)."
        )
        return variants
    progress.say(f"On the validation subset, {verdict.reason}: trying to recover the accuracy.")
    remedied = accuracy_control.apply_accuracy_control(
        context(),
        task.metric,
        float32.metrics.quality.validation,
        int8.metrics.quality.validation,
        lambda content: task.validation_quality(content, training),
        plan.max_drop,
        plan.limits.target,
    )
    for note in remedied.notes:
        progress.say(f"{remedied.name}: {note}")
    return (*variants, *evaluate((remedied,), training, plan, progress, float32.predictions))


def judge_selected(
    selected: EvaluatedVariant,
    reference: Predictions,
    training: TrainingResult,
    plan: CompressionPlan,
) -> Verdict:
    """Judge the selected variant: its loss against the ``reference``, and its quality itself.

    The quality is judged by the interval of the cross-validation where there is one, since the
    test split is small then.

    Raises:
        ConversionError: its predictions are the same for every image, or saturated.
    """
    task, predictions = training.task, selected.predictions
    task.check_informative(predictions)
    loss = task.loss(reference, predictions, training, "test")
    verdict = evaluation.verdict_on(
        predictions, reference, loss, training.dataset, training.split, plan.max_drop
    )
    quality, validated = selected.metrics.quality, training.trained.cross_validation
    measured = QualityEvidence(
        quality.metric, quality.value, quality.interval, quality.images, quality.interval_for
    )
    if validated is not None:
        measured = replace(
            measured, interval=validated.interval, images=validated.images, interval_for=None
        )
    return with_quality(verdict, measured, task.baseline(training), plan.limits.min_quality)


def preferred_variant(variants: Sequence[EvaluatedVariant], plan: CompressionPlan) -> str:
    """Name the variant to take without limits: for int8 the remedied one, if it is better."""
    reached = {variant.name: variant.metrics.quality.validation for variant in variants}
    if plan.preferred == DEFAULT and reached.get(accuracy_control.NAME, 0.0) > reached[DEFAULT]:
        return accuracy_control.NAME
    return plan.preferred
