"""Pretrain a backbone: distill a large MobileNetV2 into a small one on unlabeled images.

    python -m converters.backbone.pretrain --teacher mobilenet_v2_1.0_224_no_top.weights.h5
        --teacher-top imagenet_top.npz --images photos.zip --images folder/ -o backbone.npz

Any images will do. The teacher evaluates each crop once (the slow half of a short run), then the
student learns to give the same outputs. Both are kept in the work folder: an interrupted run
continues with ``--resume``.
"""

import sys
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import click

from converters.backbone.mobilenet_v2 import Weights, check_alpha, check_size
from converters.backbone.pretrain.images import ImageArchive, open_source
from converters.backbone.pretrain.student import Loss, Student, build_student
from converters.backbone.pretrain.teacher import (
    DistillationTargets,
    TeacherModel,
    compute_targets,
    load_teacher,
)
from converters.backbone.pretrain.train import (
    LICENSE,
    PretrainConfig,
    train,
    training_minutes,
    write_card,
)
from converters.backbone.weights import Card, pack
from converters.progress import Progress
from converters.terminal_progress import TerminalProgress
from edge.errors import EdgeError, OutputError
from edge.quantities import counted


def distill(
    teacher: TeacherModel,
    sources: list[ImageArchive],
    config: PretrainConfig,
    out: Path,
    work: Path,
    progress: Progress,
    resume: bool = False,
    use_at: int | None = None,
) -> Card:
    """Train a student and write its weights to ``out`` and its card next to it (.toml).

    ``use_at``: the input size in pixels that the card recommends; None: that of the training.

    Raises:
        OutputError: ``work`` holds an earlier run and ``resume`` is False.
        DatasetError: an image cannot be decoded.
        KeyboardInterrupt: interrupted; ``work`` holds what is needed to continue.
    """
    if (work / "checkpoints").is_dir() and not resume:
        raise OutputError(
            "a new work folder",
            f"an earlier run in {work}",
            "continue it with --resume, or choose another folder with --work",
            code="output-exists",
        )
    targets = compute_targets(
        teacher, sources, config.crops, config.size, config.seed, work, progress
    )
    student = _student(config, teacher, targets)
    loss = Loss.towards(
        targets, teacher.kernel, teacher.bias, config.embedding_weight, config.grid_weight
    )
    train(student, targets, loss, config, work, progress)
    pack(layer_weights(student.backbone), out)
    card = _card(teacher, sources, config, use_at or config.size)
    card["run"] = _run(config, training_minutes(work, config))
    write_card(card, out.with_suffix(".toml"))
    return card


def layer_weights(model: Any) -> Weights:
    """Return the weights of a Keras model by layer name, without layers that have none."""
    return {layer.name: layer.get_weights() for layer in model.layers if layer.weights}


def _student(
    config: PretrainConfig, teacher: TeacherModel, targets: DistillationTargets
) -> Student:
    return build_student(
        check_alpha(config.alpha),
        check_size(config.size, published=False),
        classes=teacher.kernel.shape[1],
        width=targets.embeddings.shape[1],
        channels=targets.grids.shape[-1],
        momentum=config.batch_norm_momentum,
        seed=config.seed,
    )


def _card(
    teacher: TeacherModel, sources: list[ImageArchive], config: PretrainConfig, use_at: int
) -> Card:
    from converters.tf import tensorflow

    card: Card = {
        "architecture": "MobileNetV2 without its top",
        "alpha": config.alpha,
        "use_at": use_at,
        "trained_on": "gpu" if tensorflow().config.list_physical_devices("GPU") else "cpu",
        "input": "float32 RGB in [-1, 1], the whole image stretched to the square, bilinear",
        "method": "knowledge distillation from crops (Hinton 2015, Asano 2021, Beyer 2021)",
        "licence": LICENSE,
    }
    teacher_table = {"model": teacher.model, "sha256_of_weights_and_top": teacher.digest}
    data = {
        "names": [source.name for source in sources],
        "pictures": [len(source.files) for source in sources],
        "sha256": [source.digest for source in sources],
    }
    return {**card, "data": data, "teacher": teacher_table, "recipe": asdict(config)}


def _run(config: PretrainConfig, minutes: float) -> dict[str, Any]:
    from converters.tf import tensorflow

    return {
        "pictures_seen": config.steps * config.batch_size,
        "training_minutes_training": round(minutes, 1),
        "tensorflow": tensorflow().__version__,
    }


_SETTINGS = {
    "alpha": ("FACTOR", "Width multiplier of the student."),
    "size": ("PIXELS", "Width and height of the crops."),
    "crops": ("N", "Crops that the teacher evaluates."),
    "steps": ("N", "Training steps."),
    "batch_size": ("N", "Crops per training step."),
    "peak_rate": ("RATE", "Highest learning rate."),
    "boost": ("FACTOR", "Factor on the learning rate of matrices, which Muon updates."),
    "warm_up": ("N", "Steps until the learning rate is at its highest."),
    "decay": ("SHARE", "Share of the steps, at the end, in which the learning rate falls."),
    "batch_norm_momentum": ("SHARE", "Momentum of batch normalization."),
    "embedding_weight": ("WEIGHT", "Weight of the embeddings in the loss."),
    "grid_weight": ("WEIGHT", "Weight of the feature grids in the loss."),
    "mixup": ("SHARE", "Share of the crops that are mixed with another."),
    "color": ("SHARE", "Range in which brightness and color of the crops are changed."),
    "seed": ("N", "Random seed."),
}
"""Metavar and help of each field of :class:`PretrainConfig`."""


def _config_options(command: Any) -> Any:
    """Add an option for each field of :class:`PretrainConfig`, with its type and default."""
    for field in reversed(fields(PretrainConfig)):
        name = "--" + field.name.replace("_", "-")
        metavar, text = _SETTINGS[field.name]
        command = click.option(
            name, default=field.default, type=field.type, show_default=True, metavar=metavar,
            help=text,
        )(command)  # fmt: skip
    return command


@click.command()
@click.option(
    "--teacher",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Keras weights of the teacher.",
)
@click.option(
    "--teacher-top",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Classifier of the teacher (.npz).",
)
@click.option("--teacher-alpha", default=1.0, show_default=True, metavar="FACTOR",
              help="Width multiplier of the teacher.")  # fmt: skip
@click.option("--teacher-size", default=224, show_default=True, metavar="PIXELS",
              help="Width and height of the teacher's input.")  # fmt: skip
@click.option(
    "--images",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE|DIR",
    help="Zip or folder of unlabeled images; may be repeated.",
)
@click.option(
    "-o",
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Output weights (.npz).",
)
@click.option("--work", type=click.Path(path_type=Path), metavar="DIR",
              help="Work folder.  [default: named after the output]")  # fmt: skip
@click.option("--resume", is_flag=True, help="Continue the run in the work folder.")
@click.option(
    "--use-at",
    type=int,
    metavar="PIXELS",
    help="Input size that the model card recommends.  [default: --size]",
)
@_config_options
def main(
    teacher: Path,
    teacher_top: Path,
    teacher_alpha: float,
    teacher_size: int,
    images: tuple[Path, ...],
    out: Path,
    work: Path | None,
    resume: bool,
    use_at: int | None,
    **options: Any,
) -> None:
    """Distill a MobileNetV2 into a smaller one on unlabeled images."""
    progress = TerminalProgress()
    work_folder = work or out.with_suffix(".work")
    try:
        sources = [open_source(path) for path in images]
        loaded = load_teacher(teacher, teacher_top, teacher_alpha, teacher_size)
        card = distill(
            loaded, sources, PretrainConfig(**options), out, work_folder, progress, resume, use_at
        )
    except EdgeError as error:
        click.echo(f"Error: {error} [{error.code}]", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        click.echo(
            f"Interrupted. Continue with --resume; the work folder is {work_folder}.", err=True
        )
        sys.exit(130)
    images_seen = card["run"]["pictures_seen"]
    click.echo(
        f"{out}: alpha {card['alpha']}, trained on {counted(images_seen, 'image')}", err=True
    )


if __name__ == "__main__":
    main()
