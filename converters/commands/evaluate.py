"""The command ``edge evaluate``: measure any model on labeled images."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from converters import api
from converters.commands.options import SEED, Command
from converters.terminal_progress import TerminalProgress
from edge.commands.options import JSON, LABELS, MODEL, normalizing, running, say

if TYPE_CHECKING:
    pass

EXAMPLES = """
\b
Examples:
  edge evaluate out/ new-photos/
  edge evaluate detector.tflite dataset/ -o evaluation/
  edge evaluate ssd_mobilenet_v1_coco street/ --map automobile=car --min-map50 0.5
  edge evaluate int8.tflite photos/ --against float32.tflite
  edge evaluate segmenter.tflite dataset/ --split test --json | jq .metrics.miou

\b
MODEL is a .tflite file that classifies, detects, counts or segments, of this toolkit or
not, a result folder of 'edge convert', or a name from 'edge models list'.

\b
DATASET is labeled for the same task: a folder per class, or a CSV path,label; boxes as
COCO, Pascal VOC, YOLO or CSV; masks as images or outlines.  Classes are matched by name,
whatever their case, spaces and underscores; --map names further pairs.  Of a dataset
with splits the test split is evaluated.

\b
Metrics: accuracy; mAP50 and mAP50-95 as COCO computes them; of points F1 within half of an
object's side, and the error of the count; mIoU.  Each comes with its 95 % interval, over
the images.  With --against both models see the same images, and the interval is that of
their difference.

\b
Exit codes: 0 done; 1 done, but some images could not be read; 2 error; 3 done, and a
metric is below its --min.
"""


def _minimums(command: Command) -> Command:
    """Add the limits of the tasks' metrics."""
    limits = {
        "accuracy": "accuracy",
        "map": "mAP50-95",
        "map50": "mAP50",
        "f1": "F1 of points",
        "miou": "mIoU",
    }
    for name, words in reversed(limits.items()):
        command = click.option(
            f"--min-{name}",
            type=click.FloatRange(0, 1),
            metavar="SHARE",
            help=f"Minimum {words}, such as 0.8; exit with 3 where it is lower.",
        )(command)
    return command


@click.command(epilog=EXAMPLES)
@MODEL
@click.argument("dataset", metavar="DATASET", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write evaluation.json, and evaluation.html with curves and pictures of the worst "
    "mistakes, to this folder.",
)
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    metavar="MODEL2",
    help="A second model, such as the float32 one, to compare with on the same images.",
)
@click.option(
    "--map",
    "pairs",
    multiple=True,
    metavar="OLD=NEW",
    help="Another name of a class of the model or the dataset; may be repeated.",
)
@click.option(
    "--task",
    metavar="TASK",
    help="Task of the model: classify, detect, count or segment.  [default: what it fits]",
)
@click.option(
    "--split",
    metavar="train|validation|test|all",
    help="Subset to evaluate.  [default: test, where the dataset has splits]",
)
@_minimums
@SEED
@LABELS
@normalizing
@running
@JSON
def evaluate(
    model: Path,
    dataset: Path,
    pairs: tuple[str, ...],
    as_json: bool,
    **options: Any,
) -> int:
    """Measure a model on labeled images: its metric, per class, with intervals."""
    from converters.evaluation.label_matching import parse_renames

    minimums = {key: options.pop(key) for key in list(options) if key.startswith("min_")}
    evaluation = api.evaluate(
        model, dataset, renames=parse_renames(pairs), progress=TerminalProgress(),
        minimums={key: value for key, value in minimums.items() if value is not None}, **options,
    )  # fmt: skip
    if as_json:
        click.echo(evaluation.to_json(), nl=False)
    else:
        from converters.report import evaluation_terminal

        evaluation_terminal.show(evaluation)
        for line in _files(options["out"]):
            click.echo(line)
    say(evaluation.notes)
    say(tuple(limit.words for limit in evaluation.limits if not limit.met))
    if not evaluation.success:
        return 3
    return 1 if evaluation.details["unreadable"] else 0


def _files(out: Path | None) -> Iterator[str]:
    if out is not None:
        yield ""
        yield f"Report: {out / 'evaluation.html'}"
