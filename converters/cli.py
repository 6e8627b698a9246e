"""The commands of the workstation: parse, call, print."""

import json
import shlex
import sys
from pathlib import Path

import click

from converters.progress import Terminal

EXAMPLES = """
\b
Examples:
  edge convert photos/
  edge convert photos/ -o out/ --fine-tune never --seed 7
  edge convert photos/ -o out/ --weights builtin --size 128
  edge convert photos.zip -o out/ --weights mobilenet.h5
  edge convert labels.csv -o out/ --json > report.json

\b
DATASET is one of
  a folder with a folder per class:      photos/cat/1.jpg  photos/dog/2.jpg
  train/ val/ test/ of such folders:     photos/train/cat/1.jpg
  a zip of either
  a CSV of pictures:                     path,label[,split]

Exit codes: 0 done; 2 error; 3 done, but int8 loses more than --max-drop.
What can be kept between runs lies in ~/.cache/edge-toolkit (or $EDGE_CACHE).
"""


@click.command(epilog=EXAMPLES)
@click.argument("dataset", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="Folder for the result.  [default: DATASET's name + '-model']",
)
@click.option(
    "--weights",
    metavar="NAME|FILE",
    help="Learned weights of the backbone: imagenet (downloaded once), builtin (no internet "
    "needed), none (train from scratch), or a .h5, .keras or MobileNetV2 .tflite file.  "
    "[default: imagenet; builtin, with a message, where it cannot be had]",
)
@click.option("--alpha", type=float, help="Width of MobileNetV2.  [default: that of the weights]")
@click.option(
    "--size",
    type=int,
    help="Side of the model's input, in pixels.  [default: what suits the weights]",
)
@click.option(
    "--fine-tune",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Train the backbone too, where it pays.",
)
@click.option(
    "--budget",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    help="Seconds that '--fine-tune auto' may take.",
)
@click.option("--epochs", type=click.IntRange(min=1), help="Epochs of fine-tuning.")
@click.option("--batch-size", type=click.IntRange(min=1), default=32, show_default=True)
@click.option(
    "--dropout", type=click.FloatRange(0, 1, max_open=True), default=0.2, show_default=True
)
@click.option(
    "--label-smoothing", type=click.FloatRange(0, 1, max_open=True), default=0.1, show_default=True
)
@click.option(
    "--augment",
    default="all",
    show_default=True,
    metavar="LIST",
    help="Comma list of flip, rotation, zoom, translation, brightness, contrast; or all, or none.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Seed of every random choice.",
)
@click.option(
    "--max-drop",
    type=click.FloatRange(min=0),
    default=2.0,
    show_default=True,
    help="Points of accuracy that int8 may lose.",
)
@click.option("--force", is_flag=True, help="Replace an earlier result.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def convert(
    dataset: Path,
    out: Path | None,
    weights: str | None,
    alpha: float | None,
    size: int | None,
    fine_tune: str,
    budget: float,
    epochs: int | None,
    batch_size: int,
    dropout: float,
    label_smoothing: float,
    augment: str,
    seed: int,
    max_drop: float,
    force: bool,
    as_json: bool,
) -> int:
    """Make a verified int8 TFLite classifier from pictures.

    The model in OUT/model.tflite holds its labels; OUT/report.html shows what was measured.
    """
    from converters import pipeline
    from converters.training.augment import Augmentation
    from converters.training.train import TrainingOptions

    training = TrainingOptions(
        fine_tune=fine_tune,
        epochs=epochs,
        batch_size=batch_size,
        seed=seed,
        dropout=dropout,
        label_smoothing=label_smoothing,
        budget=budget,
        augmentation=Augmentation.parse(augment),
    )
    place = (out or default_out(dataset)).resolve()
    settings = pipeline.Settings(
        dataset=dataset,
        out=place,
        weights=weights,
        alpha=alpha,
        size=size,
        seed=seed,
        max_drop=max_drop,
        force=force,
        training=training,
        command=shlex.join(["edge", *sys.argv[1:]]),
    )
    report = pipeline.convert(settings, Terminal())
    if as_json:
        click.echo(json.dumps(report, indent=2))
    else:
        from converters.report import terminal

        terminal.summary(report, out or default_out(dataset))
    return 3 if report["verdict"]["status"] == "fail" else 0


def default_out(dataset: Path) -> Path:
    """Where the result goes when nothing is said: photos/ gives photos-model."""
    return Path(f"{dataset.resolve().stem}-model")
