"""From a trained network to a folder: calibrated scores, variants, their figures, the choice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from converters import artifacts, tflite
from converters.compress import accuracy_control, calibration_set, recipe
from converters.compress.context import RecipeContext
from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.edgetpu.stage import EDGETPU_FILE, Compilation, compile_for_target
from converters.progress import Progress
from converters.selection.latency_estimate import BoardEstimate, estimate_latencies
from converters.selection.plan import DEFAULT, CompressionPlan
from converters.selection.recipe_feedback import with_gains
from converters.selection.select import Selection, select_variant
from converters.stage_timer import StageTimer
from converters.tflite import Variant
from converters.training.augment import Augmentation
from converters.training.result import TrainedModel
from converters.verification import evaluate as verify
from converters.verification.calibration import (
    fit_temperature,
    fit_threshold,
    reliability,
    scale_logits,
)
from converters.verification.evaluate import REFERENCE, Predictions
from converters.verification.metrics import Evaluation, Metrics, ScoreCalibration
from converters.verification.verdict import check_informative, judge


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """A trained network, the images it learned from, and what is known of its making.

    ``path``: where the data set lies; ``weights``: the record's section on the backbone;
    ``source``: that on the earlier result it was read from, None for a new one; ``calibrated``:
    whether its scores are; ``augmentation``: how training images may be changed.
    """

    dataset: Dataset
    path: Path
    split: Split
    weights: Mapping[str, Any]
    trained: TrainedModel
    seed: int
    source: Mapping[str, Any] | None = None
    calibrated: bool = False
    augmentation: Augmentation = field(default_factory=Augmentation)


@dataclass(frozen=True, slots=True)
class CalibratedModel:
    """The network with calibrated scores, and what the one before said."""

    model: Any
    temperature: float
    before: Predictions


@dataclass(frozen=True, slots=True)
class EvaluatedVariants:
    """Files with what they said and what was measured of them, in one order."""

    answered: tuple[Predictions, ...]
    measured: tuple[Metrics, ...]

    def said(self, name: str) -> Predictions:
        """What the variant ``name`` said."""
        return next(one for one in self.answered if one.variant.name == name)

    @property
    def variants(self) -> tuple[Variant, ...]:
        return tuple(one.variant for one in self.answered)


@dataclass(frozen=True, slots=True)
class ConversionResult:
    """All that a report tells of the files."""

    variants: tuple[Variant, ...]
    verified: Evaluation
    confidence: ScoreCalibration
    choice: Selection
    compiled: Compilation | None
    board: BoardEstimate | None


def build_variants(
    learned: TrainingResult,
    plan: CompressionPlan,
    folder: Path,
    clock: StageTimer,
    progress: Progress,
) -> ConversionResult:
    """Make, measure and choose files of a trained network, and write them into ``folder``.

    Raises:
        EdgeError: a step of a recipe failed, or a file gives no usable scores.
    """
    with clock("calibrate"), progress.working("calibrating the scores"):
        calibrated = calibrate(learned, progress)
    with clock("compress"), progress.working("compressing"):
        material = recipe_context(learned, calibrated.model, progress)
        variants = compress(material, plan)
    with clock("verify"), progress.working("evaluating the variants"):
        examined = evaluate(variants, learned, plan, progress)
    with clock("control"), progress.working("checking the accuracy of int8"):
        examined = apply_accuracy_control(examined, material, learned, plan, progress)
    choice = select_variant(examined.measured, plan.limits, preferred_variant(examined, plan))
    with clock("judge"), progress.working("evaluating the selected variant"):
        verdict = verify.verdict_on(
            examined.said(choice.chosen), examined.said(REFERENCE), learned.dataset, learned.split,
            plan.max_drop,
        )  # fmt: skip
    chosen = examined.said(choice.chosen).variant
    with clock("edgetpu"), progress.working("compiling for the Edge TPU"):
        compiled = compile_for_target(chosen, plan.limits.target)
    with clock("save"), progress.working("saving"):
        network = calibrated.model if chosen.model is None else chosen.model
        artifacts.save(folder, learned.dataset.classes, examined.variants, chosen, network)
        if compiled is not None and compiled.content is not None:
            (folder / EDGETPU_FILE).write_bytes(compiled.content)
    return ConversionResult(
        variants=examined.variants,
        verified=Evaluation(with_gains(examined.measured, examined.variants), verdict),
        confidence=confidence(calibrated, examined.said(REFERENCE), learned),
        choice=choice,
        compiled=compiled,
        board=estimate_board_latencies(examined, learned, plan),
    )


def calibrate(learned: TrainingResult, progress: Progress) -> CalibratedModel:
    """Divide the network's logits by a temperature fitted on the validation side, once."""
    model = learned.trained.model
    plain = Variant("uncalibrated float32", tflite.to_float32(model))
    before = predict(plain, learned, progress)
    check_informative(REFERENCE, before.test)
    if learned.calibrated:
        return CalibratedModel(model, 1.0, before)
    labels = learned.dataset.labels[learned.split.validation]
    temperature = fit_temperature(before.validation, labels)
    return CalibratedModel(scale_logits(model, temperature), temperature, before)


def confidence(
    calibrated: CalibratedModel, after: Predictions, learned: TrainingResult
) -> ScoreCalibration:
    """What the temperature did to the scores of float32."""
    before, labels = calibrated.before, learned.dataset.labels
    validation, test = labels[learned.split.validation], labels[learned.split.test]
    return ScoreCalibration(
        temperature=calibrated.temperature,
        validation=(
            reliability(before.validation, validation),
            reliability(after.validation, validation),
        ),
        test=(reliability(before.test, test), reliability(after.test, test)),
    )


def recipe_context(learned: TrainingResult, model: Any, progress: Progress) -> RecipeContext:
    """What the steps of recipes work with."""
    samples = calibration_set.calibration_set(learned.dataset, learned.split, learned.seed)
    return RecipeContext(
        learned.dataset, learned.split, samples, model, learned.seed, progress, learned.augmentation
    )


def compress(material: RecipeContext, plan: CompressionPlan) -> tuple[Variant, ...]:
    """The variants that are always made, then one for each recipe."""
    progress = material.progress
    always = tflite.variants(
        material.teacher, material.calibration, material.dataset.preprocessing, progress
    )
    made = []
    for one in plan.recipes:
        with progress.working(f"recipe {one.name}"):
            made.append(recipe.run(one, material))
        for note in made[-1].notes:
            progress.say(f"{one.name}: {note}")
    return (*always, *made)


def evaluate(
    variants: Sequence[Variant],
    learned: TrainingResult,
    plan: CompressionPlan,
    progress: Progress,
    reference: Predictions | None = None,
) -> EvaluatedVariants:
    """Describe, run and measure files, each alike; the ``reference`` is among them or given."""
    answered = tuple(
        with_threshold(predict(variant, learned, progress), learned, plan) for variant in variants
    )
    float32 = reference or next(a for a in answered if a.variant.name == REFERENCE)
    measured = verify.measure(answered, learned.dataset, learned.split, float32.test, progress)
    return EvaluatedVariants(answered, measured)


def predict(variant: Variant, learned: TrainingResult, progress: Progress) -> Predictions:
    """What a file says once it describes itself."""
    information = artifacts.information(
        learned.dataset, learned.split, learned.weights["provenance"], learned.trained.method,
        learned.seed,
    )  # fmt: skip
    described = artifacts.describe(variant, information)
    return verify.predict(described, learned.dataset, learned.split, progress)


def with_threshold(
    answered: Predictions, learned: TrainingResult, plan: CompressionPlan
) -> Predictions:
    """The file with the threshold for the wanted precision in its metadata, where it has one."""
    if plan.precision is None:
        return answered
    labels = learned.dataset.labels[learned.split.validation]
    found = fit_threshold(answered.validation, labels, plan.precision)
    variant = answered.variant
    if found.met:
        variant = artifacts.with_threshold(variant, found.score)
    return replace(answered, variant=variant, threshold=found)


def apply_accuracy_control(
    examined: EvaluatedVariants,
    material: RecipeContext,
    learned: TrainingResult,
    plan: CompressionPlan,
    progress: Progress,
) -> EvaluatedVariants:
    """``examined``, and where int8 loses too much, a remedied one measured like all others.

    The validation side decides: the test side says only how the result turned out.
    """
    int8, float32 = examined.said(DEFAULT), examined.said(REFERENCE)
    truth = learned.dataset.labels[learned.split.validation]
    before, after = (one.validation.argmax(1) == truth for one in (float32, int8))
    verdict = judge(DEFAULT, before, after, truth, learned.dataset.classes, plan.max_drop)
    if verdict.status != "fail":
        return examined
    progress.say(f"On the validation subset, {verdict.reason}: trying to recover the accuracy.")
    remedied = accuracy_control.apply_accuracy_control(
        material.teacher, int8, float32, material, plan.max_drop, plan.limits.target
    )
    for note in remedied.notes:
        progress.say(f"{remedied.name}: {note}")
    more = evaluate((remedied,), learned, plan, progress, float32)
    return EvaluatedVariants(
        (*examined.answered, *more.answered), (*examined.measured, *more.measured)
    )


def estimate_board_latencies(
    examined: EvaluatedVariants, learned: TrainingResult, plan: CompressionPlan
) -> BoardEstimate | None:
    """What the files would take on the board that they are made for."""
    if plan.board is None:
        return None
    size = learned.dataset.preprocessing.width
    return estimate_latencies(
        plan.board, plan.limits.target, size, examined.variants, examined.measured
    )


def preferred_variant(examined: EvaluatedVariants, plan: CompressionPlan) -> str:
    """The variant to take where no limit decides: for int8 the remedied one, where it helped."""
    right = {m.name: m.validation_accuracy for m in examined.measured}
    if plan.wanted == DEFAULT and right.get(accuracy_control.NAME, 0.0) > right[DEFAULT]:
        return accuracy_control.NAME
    return plan.wanted
