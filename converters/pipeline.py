"""Pipeline from a folder of images to an evaluated model, one stage after the other."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from converters import artifacts, previous_run, stages, tasks, tf
from converters.compression import methods
from converters.compression.context import RecipeContext
from converters.dataset import split
from converters.dataset.intake import open_dataset
from converters.edgetpu.compiler import EDGETPU_FILE, compile_for_target
from converters.progress import Progress
from converters.report import html
from converters.report.build import about_weights, build_report
from converters.report.model import Report
from converters.report.next_steps import held_out_photo, with_next_steps
from converters.selection.latency_estimate import estimate_latencies
from converters.selection.plan import CompressionPlan
from converters.selection.recipe_feedback import with_gains
from converters.selection.select import select_variant
from converters.stages import ConversionResult
from converters.steps import Step, Steps
from converters.task import TrainingResult, TrainingTask
from converters.training.config import TrainingOptions
from converters.verification.evaluate import REFERENCE
from edge.errors import DatasetError, UsageError
from edge.files import atomic_directory, cache_folder
from edge.preprocessing import Preprocessing

_READING = (Step("intake", "finding the photos"), Step("audit", "reading the photos"))
"""The first steps of every run."""

_ANALYSIS = Step("analyze", "looking at labels and learning")


@dataclass(frozen=True, slots=True)
class ConvertSettings:
    """Settings of ``edge convert``; None leaves the choice to the pipeline.

    ``quick``: leave out what nothing of the model depends on, as the analysis of the labels.
    """

    dataset: Path
    out: Path
    weights: str | None = None
    alpha: float | None = None
    size: int | None = None
    task: str | None = None
    head: str | None = None
    force: bool = False
    training: TrainingOptions = field(default_factory=TrainingOptions)
    plan: CompressionPlan = field(default_factory=CompressionPlan)
    command: str = ""
    quick: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain JSON values, without paths of this computer."""
        return {
            "dataset": self.dataset.resolve().name,
            "weights": self.weights,
            "alpha": self.alpha,
            "size": self.size,
            "seed": self.training.seed,
            "quick": self.quick,
            **self.plan.to_dict(),
            "training": self.training.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class CompressSettings:
    """Settings of ``edge compress``.

    ``source``: folder of the earlier result; ``data``: path of its dataset if it moved. Without
    a precision, that of the source is kept.
    """

    source: Path
    out: Path
    data: Path | None = None
    force: bool = False
    plan: CompressionPlan = field(default_factory=CompressionPlan)
    command: str = ""


def convert(settings: ConvertSettings, progress: Progress) -> Report:
    """Convert a dataset into ``settings.out``; return the report.

    Raises:
        EdgeError: the dataset, the weights, the output or the result is not usable.
    """
    training_step = Step("train", "training", f"train {settings.training.fine_tune}")
    analysis_step = () if settings.quick else (_ANALYSIS,)
    steps = Steps(
        (*_READING, training_step, *analysis_step, *stages.steps_after_training(settings.plan)),
        progress,
    )
    artifacts.check_output(settings.out, settings.dataset, settings.force)
    if settings.plan.recipes:
        tf.require(f"--recipe {settings.plan.recipes[0].name}")
    with (
        TemporaryDirectory(prefix="edge-") as work,
        atomic_directory(settings.out) as folder,
    ):
        with steps("intake"):
            opened = open_dataset(settings.dataset, Path(work))
            task = tasks.choose_task(opened, settings.task, settings.head)
            task.check_options(settings.training, settings.plan.precision)
            check_plan(settings.plan, task)
            tensorflow = task.tensorflow_option(settings.weights, settings.training)
            if tensorflow:
                tf.require(tensorflow)
            listing = task.list_images(opened)
            if tensorflow or settings.plan.recipes:
                tf.prefetch()  # it loads while the images are read
            backbone = task.load_weights(
                settings.weights, settings.alpha, settings.size, settings.training.seed, progress
            )
        report_all(progress, backbone.notes)
        steps.work_on(len(listing.images), f"{backbone.alpha:g} at {backbone.size} pixels")
        with steps("audit"):
            dataset = task.audit(
                listing, Preprocessing(backbone.size, backbone.size), Path(work), progress
            )
            subsets = split.split(dataset, settings.training.seed)
        report_all(progress, dataset.audit.findings())
        with steps("train"):
            trained = task.train(
                backbone, dataset, subsets, settings.training, cache_folder(), progress
            )
        report_all(progress, trained.notes)
        analyzing = None
        if not settings.quick:
            with steps("analyze"):
                analyzing = task.begin_analysis(
                    backbone, dataset, subsets, trained, cache_folder(), progress
                )
        training = TrainingResult(
            task=task,
            dataset=dataset,
            path=settings.dataset.resolve(),
            split=subsets,
            weights=about_weights(backbone),
            trained=trained,
            seed=settings.training.seed,
            augmentation=settings.training.augmentation,
        )
        result = build_result(training, settings.plan, folder, steps, progress)
        if analyzing is not None:
            training = replace(training, analysis=analyzing())
        return write_report(
            folder, settings.out, training, result, settings.plan, settings.to_dict(),
            settings.command, steps,
        )  # fmt: skip


def compress(settings: CompressSettings, progress: Progress) -> Report:
    """Compress an earlier result into ``settings.out``; return the report.

    The model, the split and the preprocessing are those of the earlier result, and the images
    are read again, so that figures before and after are of the same images.

    Raises:
        EdgeError: there is no earlier result, its images are missing or have changed, or the
            output or the result is not usable.
    """
    loading = Step("load", "loading the trained model", fixed=True)
    steps = Steps((*_READING, loading, *stages.steps_after_training(settings.plan)), progress)
    before = previous_run.read_previous_run(settings.source)
    task = before.task
    data = dataset_path(before, settings.data)
    artifacts.check_output(settings.out, data, settings.force)
    check_disjoint(settings.out, settings.source)
    if settings.plan.recipes:
        tf.require(f"--recipe {settings.plan.recipes[0].name}")
    check_plan(settings.plan, task)
    with (
        TemporaryDirectory(prefix="edge-") as work,
        atomic_directory(settings.out) as folder,
    ):
        with steps("intake"):
            listing = task.list_images(open_dataset(data, Path(work)))
            if settings.plan.recipes:
                tf.prefetch()
        size = before.preprocessing.width
        steps.work_on(len(listing.images), f"{before.weights['alpha']:g} at {size} pixels")
        with steps("audit"):
            dataset = task.audit(listing, before.preprocessing, Path(work), progress)
            previous_run.check_classes(before, dataset)
            subsets = split.from_dict(before.split, dataset)
        with steps("load"):
            trained = before.trained()
        training = TrainingResult(
            task=task,
            dataset=dataset,
            path=data.resolve(),
            split=subsets,
            weights=before.weights,
            trained=trained,
            seed=before.seed,
            source=before.source,
            calibrated=before.calibrated,
            augmentation=before.augmentation,
        )
        plan = replace(settings.plan, precision=settings.plan.precision or before.precision)
        result = build_result(training, plan, folder, steps, progress)
        recorded = {
            "dataset": data.name,
            "seed": before.seed,
            **plan.to_dict(),
            "training": {"augmentation": asdict(before.augmentation)},
        }
        return write_report(
            folder, settings.out, training, result, plan, recorded, settings.command, steps
        )


def check_plan(plan: CompressionPlan, task: TrainingTask) -> None:
    """Check that the plan is for this task.

    Raises:
        UsageError: a limit is of another metric, or the task lacks a step of a recipe.
    """
    plan.limits.check_metric(task.metric)
    for chosen in plan.recipes:
        for step in chosen.steps:
            task.recipe_method(methods.find(step.kind, step.method))


def build_result(
    training: TrainingResult,
    plan: CompressionPlan,
    folder: Path,
    steps: Steps,
    progress: Progress,
) -> ConversionResult:
    """Calibrate, convert, evaluate and select the variants of a trained model, and save them.

    Raises:
        EdgeError: a step of a recipe failed, or a file gives no usable scores.
    """
    task = training.task
    with steps("calibrate"):
        calibrated = task.calibrate(training, progress)
    network = calibrated.network
    with steps("compress"):
        files = list(task.write_variants(training, network, progress))

    @cache
    def context() -> RecipeContext:  # takes TensorFlow, so only where a step needs it
        return stages.recipe_context(training, task.to_keras(network), progress)

    for recipe in plan.recipes:
        with steps("compress"):
            files.append(stages.recipe_variant(recipe, context()))
    with steps("verify"):
        variants = stages.evaluate(files, training, plan, progress)
    with steps("control"):
        variants = stages.apply_accuracy_control(variants, context, training, plan, progress)
    variants = with_gains(variants)
    if plan.board is not None:
        variants = estimate_latencies(variants, plan.board, plan.limits.target)
    selection = select_variant(variants, plan.limits, stages.preferred_variant(variants, plan))
    selected = stages.by_name(variants, selection.chosen)
    reference = stages.by_name(variants, REFERENCE).predictions
    with steps("judge"):
        verdict = stages.judge_selected(selected, reference, training, plan)
        weak = task.weak_classes(reference, training)
    compiled = None
    if plan.limits.target != "cpu":
        with steps("edgetpu"):
            compiled = compile_for_target(selected.variant, plan.limits.target)
    with steps("save"):
        artifacts.save(
            folder, training.dataset.classes, variants, selected, task.keras_model(network),
            task.companions(selected.variant, training),
        )  # fmt: skip
        if compiled is not None and compiled.content is not None:
            (folder / EDGETPU_FILE).write_bytes(compiled.content)
    calibration = task.score_calibration(calibrated, reference, training)
    return ConversionResult(variants, verdict, calibration, selection, compiled, weak)


def write_report(
    folder: Path,
    out: Path,
    training: TrainingResult,
    result: ConversionResult,
    plan: CompressionPlan,
    settings: Mapping[str, Any],
    command: str,
    steps: Steps,
) -> Report:
    """Write report.json and report.html into ``folder``, later ``out``; return the report."""
    report = build_report(
        training, result, plan, settings=settings, seconds=steps.seconds(), command=command
    )
    photo = held_out_photo(training.dataset, training.split, training.path)
    report = with_next_steps(report, out, photo, training.task.demo or training.task.name)
    with steps("report"):
        page = html.render(
            report,
            dataset=training.dataset,
            split=training.split,
            task=tasks.fill_page(report, training, result.selected.predictions),
        )
    # A path as it was typed need not be UTF-8: Linux lets a name be any bytes.
    (folder / "report.html").write_text(page, encoding="utf-8", errors="backslashreplace")
    (folder / artifacts.REPORT_FILE).write_text(report.to_json(), encoding="utf-8")
    steps.remember()
    return report


def dataset_path(before: previous_run.PreviousRun, given: Path | None) -> Path:
    """Return the path of the dataset of an earlier result, or the ``given`` one.

    Raises:
        DatasetError: the dataset is no longer there, and no other path is given.
    """
    if given is not None:
        return given
    if before.dataset is None or not before.dataset.exists():
        raise DatasetError(
            "the dataset that the model was trained on",
            f"nothing at {before.dataset}" if before.dataset else "no record of its path",
            "pass its path with --data",
            code="dataset-not-found",
        )
    return before.dataset


def check_disjoint(out: Path, source: Path) -> None:
    """Reject an output folder that overlaps with the result to compress.

    Raises:
        UsageError: naming both.
    """
    target, given = out.resolve(), source.resolve()
    if target == given or target in given.parents or given in target.parents:
        raise UsageError(
            "an output folder outside the result to compress",
            f"{out}, which overlaps with {source}",
            "choose another folder with -o",
            code="output-overlaps-input",
        )


def report_all(progress: Progress, sentences: tuple[str, ...]) -> None:
    """Show several sentences."""
    for sentence in sentences:
        progress.say(sentence)
