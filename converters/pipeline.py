"""The way from a folder of photos to a verified model, one call after the other."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from converters import cache, output, tf, verify
from converters.backbone import weights
from converters.backbone.weights import Backbone
from converters.compress import calibration, quantise
from converters.compress.quantise import Variant
from converters.dataset import audit, intake, split
from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.progress import Progress
from converters.report import html, record
from converters.training import train
from converters.training.train import TrainingOptions
from converters.training.trained import Trained
from edge import __version__, metadata
from edge.image import Preprocessing

CHOSEN = "int8"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user asked for; ``max_drop`` is in points, None stands for "as it suits"."""

    dataset: Path
    out: Path
    weights: str | None = None
    alpha: float | None = None
    size: int | None = None
    seed: int = 0
    max_drop: float = 2.0
    force: bool = False
    training: TrainingOptions = field(default_factory=TrainingOptions)
    command: str = ""


def convert(settings: Settings, progress: Progress) -> dict[str, Any]:
    """Convert a data set into ``settings.out``; return the report (see converters.report.record).

    Raises:
        EdgeError: the data set, the weights, the output or the result is not usable.
    """
    clock = Clock()
    output.check(settings.out, settings.dataset, settings.force)
    with TemporaryDirectory(prefix="edge-") as work, output.whole_folder(settings.out) as folder:
        with clock("intake"), progress.working("listing the pictures"):
            listing = intake.list_pictures(settings.dataset, Path(work))
            tf.prefetch()  # TensorFlow loads while the pictures are read
            backbone = weights.load(
                settings.weights, settings.alpha, settings.size, settings.seed, progress
            )
        say_all(progress, backbone.notes)
        with clock("audit"), progress.working("looking at the pictures"):
            dataset = audit.audit(
                listing, Preprocessing(backbone.size, backbone.size), Path(work), progress
            )
            sides = split.split(dataset, settings.seed)
        say_all(progress, dataset.audit.findings())
        with clock("train"), progress.working("training"):
            trained = train.train(
                backbone, dataset, sides, settings.training, cache.folder(), progress
            )
        say_all(progress, trained.notes)
        with clock("quantise"), progress.working("quantising"):
            samples = calibration.calibration_set(dataset, sides, settings.seed)
            variants = describe(
                quantise.variants(trained.model, samples, dataset.preprocessing, progress),
                dataset, sides, backbone, trained, settings,
            )  # fmt: skip
        with clock("verify"), progress.working("verifying the files"):
            verified = verify.verify(variants, dataset, sides, settings.max_drop, progress)
        with clock("save"), progress.working("saving"):
            save(folder, dataset, trained, variants)
        report = record.build(
            dataset=dataset,
            split=sides,
            backbone=backbone,
            trained=trained,
            variants=variants,
            verified=verified,
            settings=settings_record(settings),
            seconds=clock.seconds(),
            command=settings.command,
        )
        with progress.working("writing the report"):
            page = html.render(report, dataset=dataset, split=sides, verified=verified)
        (folder / "report.html").write_text(page, encoding="utf-8")
        (folder / output.MARK).write_text(json.dumps(report, indent=2, allow_nan=False) + "\n")
    return report


def describe(
    variants: tuple[Variant, ...],
    dataset: Dataset,
    sides: Split,
    backbone: Backbone,
    trained: Trained,
    settings: Settings,
) -> tuple[Variant, ...]:
    """The variants with labels, normalisation, description and provenance inside each file."""
    information = metadata.Metadata(
        name=f"{dataset.name} classifier",
        description=f"Names a picture as one of {len(dataset.classes)} classes of {dataset.name}.",
        labels=dataset.classes,
        mean=dataset.preprocessing.mean,
        std=dataset.preprocessing.std,
        provenance={
            "toolkit": f"edge-toolkit {__version__}",
            "weights": backbone.provenance,
            "method": trained.method,
            "seed": settings.seed,
            "preprocessing": dataset.preprocessing.to_dict(),
            "pictures": {
                "train": len(sides.train),
                "validation": len(sides.validation),
                "test": len(sides.test),
            },
        },
    )
    return tuple(
        replace(variant, content=metadata.write(variant.content, information))
        for variant in variants
    )


def save(folder: Path, dataset: Dataset, trained: Trained, variants: tuple[Variant, ...]) -> None:
    """Write the models and the labels into ``folder``."""
    trained.model.save(folder / "model.keras")
    (folder / "variants").mkdir()
    for variant in variants:
        (folder / "variants" / f"{variant.name}.tflite").write_bytes(variant.content)
        if variant.name == CHOSEN:
            (folder / "model.tflite").write_bytes(variant.content)
    names = "".join(f"{name}\n" for name in dataset.classes)
    (folder / "labels.txt").write_text(names, encoding="utf-8")


def settings_record(settings: Settings) -> dict[str, Any]:
    """The settings as plain JSON values, without paths of this computer."""
    training = settings.training
    return {
        "dataset": settings.dataset.name,
        "weights": settings.weights,
        "alpha": settings.alpha,
        "size": settings.size,
        "seed": settings.seed,
        "max_drop": settings.max_drop,
        "training": training.to_dict(),
    }


def say_all(progress: Progress, sentences: tuple[str, ...]) -> None:
    for sentence in sentences:
        progress.say(sentence)


class Clock:
    """Seconds per stage and in total, from its making on."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._stages: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self._stages[stage] = time.perf_counter() - start

    def seconds(self) -> dict[str, float]:
        total = time.perf_counter() - self._start
        return {name: round(s, 2) for name, s in {"total": total, **self._stages}.items()}
