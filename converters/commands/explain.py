"""The command ``edge explain``: show which parts of an image speak for its class."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.commands.options import JSON, LABELS, MODEL, count_progress, normalizing, running, say
from edge.terminal import suppress_native_stderr

if TYPE_CHECKING:
    from converters.explain.folder import Row

METHODS = ("cam", "gradcam", "occlusion")

EXAMPLES = """
\b
Examples:
  edge explain out/ photos/cat.jpg -o why/
  edge explain model.tflite photos/ -o why/ --class cat
  edge explain model_edgetpu.tflite cat.jpg -o why/ --method occlusion
  edge explain out/ photos/ -o why/ --json | jq -r '.[] | "\\(.file) \\(.peak)"'

\b
MODEL is a .tflite classifier, a result folder of 'edge convert', or a name from
'edge models list'.  IMAGE is an image file, or a folder, searched recursively.

\b
Methods:
  cam        class activation map of the file itself, float or int8: its last feature
             map, weighted as its last layer does.  Exact, and one run per image.  The
             last layer has to take the mean of a feature map, as in MobileNet
  gradcam    the same by gradients, for the Keras model of a result folder; TensorFlow
  occlusion  covers the image with gray patches, and sees what the class loses.  Any
             classifier, also compiled for the Edge TPU; about 200 runs per image

\b
The folder gets an overlay per image, sheet.png with all of them, and explanations.json,
which --json prints too: file, class, score, peak (x and y from 0 to 1; null where nothing
speaks for the class), method and overlay.

\b
Exit codes: 0 success; 1 some images could not be read; 2 error.
"""


@click.command(epilog=EXAMPLES)
@MODEL
@click.argument(
    "images", metavar="IMAGE...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "-o",
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder for the overlays; that of an earlier 'edge explain' is replaced.",
)
@click.option(
    "--method",
    type=click.Choice(METHODS),
    default="cam",
    show_default=True,
    help="How to explain.",
)
@click.option(
    "--class",
    "label",
    metavar="NAME",
    help="The class to explain.  [default: the best of each image]",
)
@LABELS
@normalizing
@running
@JSON
def explain(
    model: Path,
    images: tuple[Path, ...],
    out: Path,
    method: str,
    label: str | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Show which parts of an image speak for its class."""
    from converters.explain.folder import write_explanations
    from converters.explain.methods import METHODS as OPENERS
    from edge.commands.classify import find_images

    files = list(find_images(images))
    with suppress_native_stderr():
        opened = OPENERS[method](model, label, options)
    say(opened.notes)

    def show(row: "Row") -> None:
        if "error" in row:
            click.echo(f"edge: {row['error']}", err=True)
        elif not as_json:
            click.echo(_line(row))

    with count_progress("explaining") as tell:
        rows = write_explanations(files, lambda image: (opened.explain(image, tell), {}), out, show)
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    else:
        click.echo(f"\nAll on one sheet: {out / 'sheet.png'}")
    return 1 if any("error" in row for row in rows) else 0


def _line(row: "Row") -> str:
    peak = row["peak"]
    where = "nothing speaks for it" if peak is None else "most at {:.2f}, {:.2f}".format(*peak)
    return f"{row['file']}: {row['class']} {100 * row['score']:.1f} %, {where}: {row['overlay']}"
