"""``edge classify``: classify images."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.commands.options import JSON, LABELS, MODEL, normalizing, running, say
from edge.errors import ImageError, UsageError
from edge.system_files import is_system_name
from edge.terminal import suppress_native_stderr

if TYPE_CHECKING:
    from edge.tasks.classify.classifier import Classifier

EXAMPLES = """
\b
Examples:
  edge classify model.tflite cat.jpg
  edge classify photos-model/ cat.jpg
  edge classify model.tflite cat.jpg --threshold 0.8
  edge classify model.tflite photos/ --top 1
  edge classify mobilenet.tflite cat.jpg --labels labels.txt
  edge classify float.tflite cat.jpg --mean 0 --std 255
  edge classify model.tflite photos/ --json | jq '.[].classes[0].label'

\b
IMAGE is a JPEG, PNG, BMP, WebP, TIFF, JPEG 2000 or PNM file, or a folder, searched
recursively.

\b
If the model has a threshold, or --threshold sets one, an image whose best score is below
it is "unknown". With --json each image has "unknown": true or false, always its classes,
and "threshold" if there is one.

\b
Exit codes: 0 success; 1 some images could not be read; 2 error.
"""


@click.command(epilog=EXAMPLES)
@MODEL
@click.argument(
    "images", metavar="IMAGE...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "--top",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    metavar="N",
    help="Classes per image.",
)
@LABELS
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    metavar="SCORE",
    help="Score below which an image is unknown, 0 for none.  [default: the model's]",
)
@normalizing
@running
@JSON
def classify(
    model: Path,
    images: tuple[Path, ...],
    top: int,
    labels: Path | None,
    threshold: float | None,
    mean: tuple[float, ...] | None,
    std: tuple[float, ...] | None,
    delegate: str,
    threads: int | None,
    as_json: bool,
) -> int:
    """Classify images."""
    from edge.tasks.classify.classifier import Classifier

    files = list(find_images(images))
    with suppress_native_stderr():
        classifier = Classifier.open(
            model, labels=labels, threshold=threshold, delegate=delegate, threads=threads, top=top,
            mean=mean, std=std,
        )  # fmt: skip
    say(classifier.notes)
    rows = [_print_row(row, as_json) for row in results(classifier, files)]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    broken = sum("error" in row for row in rows)
    if broken == len(rows):
        return 2
    return 1 if broken else 0


def find_images(paths: tuple[Path, ...]) -> Iterator[Path]:
    """Yield the files among ``paths`` and the images in their folders, sorted, not hidden.

    Raises:
        UsageError: a folder without an image.
    """
    from edge.image_format import SUFFIXES, is_listed

    for path in paths:
        if not path.is_dir():
            yield path
            continue
        images = sorted(filter(is_listed, _walk(path)))
        if not images:
            raise UsageError(
                f"a folder with images ({' '.join(sorted(SUFFIXES))})",
                f"none in {path}",
                "check the path",
                code="no-images",
            )
        yield from images


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not is_system_name(name)]
        yield from (Path(parent, name) for name in files if not is_system_name(name))


def results(classifier: "Classifier", files: list[Path]) -> Iterator[dict[str, Any]]:
    """Yield for each file ``{"file", "classes", …}``, or ``{"file", "error"}`` if unreadable."""
    for file in files:
        try:
            result = classifier.predict(file)
        except ImageError as error:
            yield {"file": str(file), "error": str(error)}
        else:
            yield {"file": str(file), **result.to_dict()}


def _print_row(row: dict[str, Any], as_json: bool) -> dict[str, Any]:
    """Print a row at once, so that many images stream; JSON waits for the whole list."""
    if "error" in row:
        click.echo(f"edge: {row['error']}", err=True)
    elif not as_json:
        click.echo(click.style(row["file"], bold=True))
        for line in _lines(row):
            click.echo(f"  {line}")
    return row


def _lines(row: dict[str, Any]) -> Iterator[str]:
    if row["unknown"]:
        best, score = row["classes"][0]["label"], row["classes"][0]["score"]
        yield f"unknown  (best: {best} {100 * score:.1f} %, below {100 * row['threshold']:.1f} %)"
        return
    for entry in row["classes"]:
        yield f"{100 * entry['score']:5.1f} %  {entry['label']}"
