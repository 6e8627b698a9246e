"""From a trained network to a folder: calibrated scores, variants, their figures, the choice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from converters import files
from converters.choosing.choice import Choice, choose
from converters.choosing.gain import with_gains
from converters.choosing.on_board import OnBoard, on_board
from converters.choosing.plan import DEFAULT, Plan
from converters.clock import Clock
from converters.compiled import FILE, Compilation, for_target
from converters.compress import calibration, control, quantise, recipe
from converters.compress.draft import Material
from converters.compress.quantise import Variant
from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.progress import Progress
from converters.training.augment import Augmentation
from converters.training.trained import Trained
from converters.verification import verify
from converters.verification.confidence import fit_temperature, reliability, soften, threshold
from converters.verification.measured import Confidence, Measured, Verified
from converters.verification.verdict import check_telling, judge
from converters.verification.verify import REFERENCE, Answered


@dataclass(frozen=True, slots=True)
class Learned:
    """A trained network, the pictures it learned from, and what is known of its making.

    ``path``: where the data set lies; ``weights``: the record's section on the backbone;
    ``source``: that on the earlier result it was read from, None for a new one; ``calibrated``:
    whether its scores are; ``augmentation``: how training pictures may be changed.
    """

    dataset: Dataset
    path: Path
    split: Split
    weights: Mapping[str, Any]
    trained: Trained
    seed: int
    source: Mapping[str, Any] | None = None
    calibrated: bool = False
    augmentation: Augmentation = field(default_factory=Augmentation)


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The network with calibrated scores, and what the one before said."""

    model: Any
    temperature: float
    before: Answered


@dataclass(frozen=True, slots=True)
class Examined:
    """Files with what they said and what was measured of them, in one order."""

    answered: tuple[Answered, ...]
    measured: tuple[Measured, ...]

    def said(self, name: str) -> Answered:
        """What the variant ``name`` said."""
        return next(one for one in self.answered if one.variant.name == name)

    @property
    def variants(self) -> tuple[Variant, ...]:
        return tuple(one.variant for one in self.answered)


@dataclass(frozen=True, slots=True)
class Finished:
    """All that a report tells of the files."""

    variants: tuple[Variant, ...]
    verified: Verified
    confidence: Confidence
    choice: Choice
    compiled: Compilation | None
    board: OnBoard | None


def finish(
    learned: Learned, plan: Plan, folder: Path, clock: Clock, progress: Progress
) -> Finished:
    """Make, measure and choose files of a trained network, and write them into ``folder``.

    Raises:
        EdgeError: a step of a recipe failed, or a file gives no usable scores.
    """
    with clock("calibrate"), progress.working("calibrating the scores"):
        calibrated = calibrate(learned, progress)
    with clock("compress"), progress.working("compressing"):
        material = material_for(learned, calibrated.model, progress)
        variants = compress(material, plan)
    with clock("verify"), progress.working("evaluating the variants"):
        examined = examine(variants, learned, plan, progress)
    with clock("control"), progress.working("checking the accuracy of int8"):
        examined = controlled(examined, material, learned, plan, progress)
    choice = choose(examined.measured, plan.limits, wanted(examined, plan))
    with clock("judge"), progress.working("evaluating the selected variant"):
        verdict = verify.verdict_on(
            examined.said(choice.chosen), examined.said(REFERENCE), learned.dataset, learned.split,
            plan.max_drop,
        )  # fmt: skip
    chosen = examined.said(choice.chosen).variant
    with clock("edgetpu"), progress.working("compiling for the Edge TPU"):
        compiled = for_target(chosen, plan.limits.target)
    with clock("save"), progress.working("saving"):
        network = calibrated.model if chosen.model is None else chosen.model
        files.save(folder, learned.dataset.classes, examined.variants, chosen, network)
        if compiled is not None and compiled.content is not None:
            (folder / FILE).write_bytes(compiled.content)
    return Finished(
        variants=examined.variants,
        verified=Verified(with_gains(examined.measured, examined.variants), verdict),
        confidence=confidence(calibrated, examined.said(REFERENCE), learned),
        choice=choice,
        compiled=compiled,
        board=estimates(examined, learned, plan),
    )


def calibrate(learned: Learned, progress: Progress) -> Calibrated:
    """Divide the network's logits by a temperature fitted on the validation side, once."""
    model = learned.trained.model
    plain = Variant("uncalibrated float32", quantise.float32(model))
    before = answer(plain, learned, progress)
    check_telling(REFERENCE, before.test)
    if learned.calibrated:
        return Calibrated(model, 1.0, before)
    labels = learned.dataset.labels[learned.split.validation]
    temperature = fit_temperature(before.validation, labels)
    return Calibrated(soften(model, temperature), temperature, before)


def confidence(calibrated: Calibrated, after: Answered, learned: Learned) -> Confidence:
    """What the temperature did to the scores of float32."""
    before, labels = calibrated.before, learned.dataset.labels
    validation, test = labels[learned.split.validation], labels[learned.split.test]
    return Confidence(
        temperature=calibrated.temperature,
        validation=(
            reliability(before.validation, validation),
            reliability(after.validation, validation),
        ),
        test=(reliability(before.test, test), reliability(after.test, test)),
    )


def material_for(learned: Learned, model: Any, progress: Progress) -> Material:
    """What the steps of recipes work with."""
    samples = calibration.calibration_set(learned.dataset, learned.split, learned.seed)
    return Material(
        learned.dataset, learned.split, samples, model, learned.seed, progress, learned.augmentation
    )


def compress(material: Material, plan: Plan) -> tuple[Variant, ...]:
    """The variants that are always made, then one for each recipe."""
    progress = material.progress
    always = quantise.variants(
        material.teacher, material.calibration, material.dataset.preprocessing, progress
    )
    made = []
    for one in plan.recipes:
        with progress.working(f"recipe {one.name}"):
            made.append(recipe.run(one, material))
        for note in made[-1].notes:
            progress.say(f"{one.name}: {note}")
    return (*always, *made)


def examine(
    variants: Sequence[Variant],
    learned: Learned,
    plan: Plan,
    progress: Progress,
    reference: Answered | None = None,
) -> Examined:
    """Describe, run and measure files, each alike; the ``reference`` is among them or given."""
    answered = tuple(
        with_threshold(answer(variant, learned, progress), learned, plan) for variant in variants
    )
    float32 = reference or next(a for a in answered if a.variant.name == REFERENCE)
    measured = verify.measure(answered, learned.dataset, learned.split, float32.test, progress)
    return Examined(answered, measured)


def answer(variant: Variant, learned: Learned, progress: Progress) -> Answered:
    """What a file says once it describes itself."""
    information = files.information(
        learned.dataset, learned.split, learned.weights["provenance"], learned.trained.method,
        learned.seed,
    )  # fmt: skip
    described = files.describe(variant, information)
    return verify.answer(described, learned.dataset, learned.split, progress)


def with_threshold(answered: Answered, learned: Learned, plan: Plan) -> Answered:
    """The file with the threshold for the wanted precision in its metadata, where it has one."""
    if plan.precision is None:
        return answered
    labels = learned.dataset.labels[learned.split.validation]
    found = threshold(answered.validation, labels, plan.precision)
    variant = answered.variant
    if found.met:
        variant = files.with_threshold(variant, found.score)
    return replace(answered, variant=variant, threshold=found)


def controlled(
    examined: Examined, material: Material, learned: Learned, plan: Plan, progress: Progress
) -> Examined:
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
    remedied = control.control(
        material.teacher, int8, float32, material, plan.max_drop, plan.limits.target
    )
    for note in remedied.notes:
        progress.say(f"{remedied.name}: {note}")
    more = examine((remedied,), learned, plan, progress, float32)
    return Examined((*examined.answered, *more.answered), (*examined.measured, *more.measured))


def estimates(examined: Examined, learned: Learned, plan: Plan) -> OnBoard | None:
    """What the files would take on the board that they are made for."""
    if plan.board is None:
        return None
    size = learned.dataset.preprocessing.width
    return on_board(plan.board, plan.limits.target, size, examined.variants, examined.measured)


def wanted(examined: Examined, plan: Plan) -> str:
    """The variant to take where no limit decides: for int8 the remedied one, where it helped."""
    right = {m.name: m.validation_accuracy for m in examined.measured}
    if plan.wanted == DEFAULT and right.get(control.NAME, 0.0) > right[DEFAULT]:
        return control.NAME
    return plan.wanted
