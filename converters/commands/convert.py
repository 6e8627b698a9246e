"""The command ``edge convert``."""

import os
from pathlib import Path
from typing import Any

import click

from converters import api
from converters.commands import options as shared
from converters.dataset.entries import stem
from converters.dataset.listing import file_name
from converters.tasks import TASKS
from converters.terminal_progress import TerminalProgress

EXAMPLES = """
\b
Examples:
  edge convert photos/
  edge convert photos/ -o out/ --fine-tune never --seed 7
  edge convert photos/ -o out/ --weights builtin --size 128
  edge convert boxes/ -o out/ --weights coco --budget 600
  edge convert masks/ -o out/ --size 256 --budget 600
  edge convert boxes/ -o out/ --head centers
  edge convert photos.zip -o out/ --weights mobilenet.h5
  edge convert labels.csv -o out/ --json > report.json
  edge convert photos/ --recipe channels-50 --recipe magnitude-75
  edge convert photos/ --recipe channels-50 --max-latency 5 --min-accuracy 0.9
  edge convert photos/ --target edgetpu --precision 0.95
  edge convert photos/ --board raspberry-pi-4b+coral-usb

\b
Recipes: int8 (default), float16, qat, channels-50, channels-30, magnitude-75,
  pqat-75, sparse-xnnpack, or a TOML file of steps.  All variants are evaluated
  the same way; model.tflite is the one of the last recipe given, or with limits
  the most accurate one within them.

\b
DATASET is one of
  a folder with one subfolder per class:  photos/cat/1.jpg  photos/dog/2.jpg
  train/, val/, test/ of class folders:   photos/train/cat/1.jpg
  a zip or tar (.tar, .tgz, ...) of either
  a CSV of image paths:                   path,label[,split]
  boxes of objects, to train a detector:  COCO, Pascal VOC, YOLO, Label Studio, CSV
    (--head centers: points, to count small objects; trackers take each for a box of
    the usual size of its class, which is stored in the file)
  masks, to train a segmenter:            images/ and masks/, or outlines in COCO,
                                          YOLO or Label Studio

\b
Exit codes: 0 done; 2 error; 3 done, but the model loses more than --max-drop, is
no better than naming the most common class, or no variant is within the limits
(the closest is taken).  With too few test images to tell, the verdict is NOT
PROVEN and the exit code 0; a script that requires proof tests report.json:
  jq -e '.verdict.status == "pass"' OUT/report.json

Data reused between runs is cached in ~/.cache/edge-toolkit (or $EDGE_CACHE).
"""


@click.command(epilog=EXAMPLES)
@click.argument("dataset", metavar="DATASET", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Output folder.  [default: DATASET's name + '-model', never inside DATASET]",
)
@click.option(
    "--task",
    metavar="TASK",
    help=f"What to train: {' or '.join(TASKS)}.  [default: what DATASET is labeled for]",
)
@click.option(
    "--head",
    metavar="NAME",
    help="What a detector's head finds: boxes; or centers, points to count small objects that look "
    "alike, from 20 to 50 images.  [default: boxes]",
)
@click.option(
    "--weights",
    metavar="NAME|FILE",
    help="Pretrained weights of the backbone: imagenet (downloaded once), builtin (no internet "
    "needed), none (train from scratch), or a .h5, .keras or MobileNetV2 .tflite file; of "
    "detectors and segmenters also coco, or the .tflite of an SSD MobileNet.  "
    "[default: imagenet, or builtin (with a note) if imagenet is unavailable]",
)
@click.option(
    "--alpha",
    type=float,
    metavar="FACTOR",
    help="Width multiplier of MobileNetV2.  [default: from the weights]",
)
@click.option(
    "--size",
    type=int,
    metavar="PIXELS",
    help="Width and height of the model's input.  [default: from the board, else from the weights]",
)
@click.option(
    "--fine-tune",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Fine-tune the backbone, not only the head.",
)
@click.option(
    "--budget",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Time limit for '--fine-tune auto', and for the training of a detector or segmenter.  "
    "[default: 60; detectors and segmenters 300]",
)
@click.option(
    "--fast",
    is_flag=True,
    help="Of segmenters: decide cells of 8 × 8 pixels instead of 4 × 4, faster and coarser.",
)
@click.option(
    "--epochs", type=click.IntRange(min=1), metavar="N", help="Number of fine-tuning epochs."
)
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    metavar="N",
    default=32,
    show_default=True,
    help="Images per training step.",
)
@click.option(
    "--dropout",
    type=click.FloatRange(0, 1, max_open=True),
    metavar="SHARE",
    default=0.2,
    show_default=True,
    help="Dropout rate of the head.",
)
@click.option(
    "--label-smoothing",
    type=click.FloatRange(0, 1, max_open=True),
    metavar="SHARE",
    default=0.1,
    show_default=True,
    help="Label smoothing of the training loss.",
)
@click.option(
    "--augment",
    default="all",
    show_default=True,
    metavar="NAMES",
    help="Comma-separated list of flip, rotation, zoom, translation, brightness, contrast; "
    "or all, or none.",
)
@click.option(
    "--balance",
    default="auto",
    show_default=True,
    metavar="NAME",
    help="Of classifiers whose classes differ in size, how the head is fitted: none, weights, "
    "oversample, undersample, logit-adjusted; or auto, the best of them on the validation split.",
)
@shared.SEED
@click.option(
    "--recipe",
    "recipes",
    multiple=True,
    default=(),
    metavar="NAME|FILE",
    help="Compression recipe, by name or as a TOML file; may be repeated. int8 and float16 are "
    "always built; without limits, the last recipe is selected.  [default: int8]",
)
@click.option(
    "--quick",
    is_flag=True,
    help="Leave out the analysis of data set and training; the model is the same.",
)
@shared.plan_options
@shared.FORCE
@shared.JSON
def convert(
    dataset: Path,
    out: Path | None,
    recipes: tuple[str, ...],
    as_json: bool,
    **options: Any,
) -> int:
    """Make a verified TFLite model from labeled images: a classifier, detector or segmenter.

    The model in DIR/model.tflite holds its labels; DIR/report.html shows what was measured.
    """
    target = out or default_out(dataset)
    report = api.convert(
        dataset,
        target,
        recipes=recipes,
        minimums=shared.take_minimums(options),
        progress=TerminalProgress(),
        command=shared.command_line(),
        **options,
    )
    return shared.print_report(report, target, as_json)


def default_out(dataset: Path) -> Path:
    """Return the default output folder: photos/ gives photos-model.

    It is in the current folder, or beside the data set if that is the current folder.
    """
    place = dataset.resolve()
    out = Path(f"{file_name(stem(place)) or 'images'}-model")
    if Path.cwd().is_relative_to(place):
        return Path(os.path.relpath(place.parent)) / out
    return out
