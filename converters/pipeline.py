"""The way from a folder of photos to a verified model, one call after the other."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from converters import output_dir, previous_run, tf
from converters.backbone import weights
from converters.dataset import audit, intake, split
from converters.finish import ConversionResult, TrainingResult, build_variants
from converters.progress import Progress
from converters.report import html, model
from converters.selection.plan import CompressionPlan
from converters.stage_timer import StageTimer
from converters.training import train
from converters.training.train import TrainingOptions
from edge.errors import DatasetError, UsageError
from edge.files import atomic_directory, cache_folder
from edge.preprocessing import Preprocessing


@dataclass(frozen=True, slots=True)
class ConvertSettings:
    """What the user asked ``edge convert`` for; None stands for "as it suits"."""

    dataset: Path
    out: Path
    weights: str | None = None
    alpha: float | None = None
    size: int | None = None
    force: bool = False
    training: TrainingOptions = field(default_factory=TrainingOptions)
    plan: CompressionPlan = field(default_factory=CompressionPlan)
    command: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain JSON values, without paths of this computer."""
        return {
            "dataset": self.dataset.name,
            "weights": self.weights,
            "alpha": self.alpha,
            "size": self.size,
            "seed": self.training.seed,
            **self.plan.to_dict(),
            "training": self.training.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class CompressSettings:
    """What the user asked ``edge compress`` for.

    ``data`` is the data set where it moved to; without a precision that of the source is kept.
    """

    source: Path
    out: Path
    data: Path | None = None
    force: bool = False
    plan: CompressionPlan = field(default_factory=CompressionPlan)
    command: str = ""


def convert(settings: ConvertSettings, progress: Progress) -> dict[str, Any]:
    """Convert a data set into ``settings.out``; return the report (see converters.report.model).

    Raises:
        EdgeError: the data set, the weights, the output or the result is not usable.
    """
    clock = StageTimer()
    output_dir.check(settings.out, settings.dataset, settings.force)
    with (
        TemporaryDirectory(prefix="edge-") as work,
        atomic_directory(settings.out) as folder,
    ):
        with clock("intake"), progress.working("listing the images"):
            listing = intake.list_images(settings.dataset, Path(work))
            tf.prefetch()  # TensorFlow loads while the images are read
            backbone = weights.load(
                settings.weights, settings.alpha, settings.size, settings.training.seed, progress
            )
        report_all(progress, backbone.notes)
        with clock("audit"), progress.working("auditing the dataset"):
            dataset = audit.audit(
                listing, Preprocessing(backbone.size, backbone.size), Path(work), progress
            )
            sides = split.split(dataset, settings.training.seed)
        report_all(progress, dataset.audit.findings())
        with clock("train"), progress.working("training"):
            trained = train.train(
                backbone, dataset, sides, settings.training, cache_folder(), progress
            )
        report_all(progress, trained.notes)
        learned = TrainingResult(
            dataset=dataset,
            path=settings.dataset.resolve(),
            split=sides,
            weights=model.about_weights(backbone),
            trained=trained,
            seed=settings.training.seed,
            augmentation=settings.training.augmentation,
        )
        finished = build_variants(learned, settings.plan, folder, clock, progress)
        return report(
            folder, learned, finished, settings.to_dict(), settings.command, clock, progress
        )


def compress(settings: CompressSettings, progress: Progress) -> dict[str, Any]:
    """Compress an earlier result into ``settings.out``; return the report.

    The network, the split and the preprocessing are those of the earlier result, and the images
    are read again, so that figures before and after are of the same images.

    Raises:
        EdgeError: there is no earlier result, its images are gone or have changed, or the
            output or the result is not usable.
    """
    clock = StageTimer()
    before = previous_run.read_previous_run(settings.source)
    place = dataset_path(before, settings.data)
    output_dir.check(settings.out, place, settings.force)
    check_disjoint(settings.out, settings.source)
    with (
        TemporaryDirectory(prefix="edge-") as work,
        atomic_directory(settings.out) as folder,
    ):
        with clock("intake"), progress.working("listing the images"):
            listing = intake.list_images(place, Path(work))
            tf.prefetch()
        with clock("audit"), progress.working("auditing the dataset"):
            dataset = audit.audit(listing, before.preprocessing, Path(work), progress)
            previous_run.check_classes(before, dataset)
            sides = split.from_dict(before.split, dataset)
        with clock("load"), progress.working("loading the trained model"):
            trained = before.trained()
        learned = TrainingResult(
            dataset=dataset,
            path=place.resolve(),
            split=sides,
            weights=before.weights,
            trained=trained,
            seed=before.seed,
            source=before.about,
            calibrated=before.calibrated,
            augmentation=before.augmentation,
        )
        plan = replace(settings.plan, precision=settings.plan.precision or before.precision)
        finished = build_variants(learned, plan, folder, clock, progress)
        kept = {
            "dataset": place.name,
            "seed": before.seed,
            **plan.to_dict(),
            "training": {"augmentation": asdict(before.augmentation)},
        }
        return report(folder, learned, finished, kept, settings.command, clock, progress)


def report(
    folder: Path,
    learned: TrainingResult,
    finished: ConversionResult,
    settings: Mapping[str, Any],
    command: str,
    clock: StageTimer,
    progress: Progress,
) -> dict[str, Any]:
    """Write report.json and report.html into ``folder``; return the former."""
    dataset, sides = learned.dataset, learned.split
    told = model.build(
        dataset=dataset,
        path=learned.path,
        split=sides,
        weights=learned.weights,
        trained=learned.trained,
        confidence=finished.confidence,
        variants=finished.variants,
        verified=finished.verified,
        choice=finished.choice,
        compiled=finished.compiled,
        board=finished.board,
        source=learned.source,
        settings=settings,
        seconds=clock.seconds(),
        command=command,
    )
    with progress.working("writing the report"):
        page = html.render(told, dataset=dataset, split=sides, verified=finished.verified)
    # A path as it was typed need not be UTF-8: Linux lets a name be any bytes.
    (folder / "report.html").write_text(page, encoding="utf-8", errors="backslashreplace")
    (folder / output_dir.REPORT_FILE).write_text(json.dumps(told, indent=2, allow_nan=False) + "\n")
    return told


def dataset_path(before: previous_run.PreviousRun, given: Path | None) -> Path:
    """Where the images of an earlier result are.

    Raises:
        DatasetError: they are where they were no longer, and no other place is given.
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
    """Refuse an output folder that is, or lies in or around, the result that is compressed.

    Raises:
        UsageError: naming both.
    """
    place, given = out.resolve(), source.resolve()
    if place == given or place in given.parents or given in place.parents:
        raise UsageError(
            "an output folder outside the result to compress",
            f"{out}, which overlaps with {source}",
            "choose another folder with -o",
            code="output-overlaps-input",
        )


def report_all(progress: Progress, sentences: tuple[str, ...]) -> None:
    for sentence in sentences:
        progress.say(sentence)
