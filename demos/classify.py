"""Classify what the camera sees.

This file is the demo, from the options to the stream: read it, copy it, change it.
"""

from pathlib import Path
from typing import Any

import click

import edge
from edge.commands import stream_options
from edge.commands.options import LABELS, model_option, normalizing, open_task, run_command, running

EXAMPLES = (
    """
\b
Examples:
  edge demo classify
  edge demo classify --model model.tflite
  edge demo classify --model model.tflite --source clip.mp4 --sink out.mkv
  edge demo classify --model model.tflite --source 0 --sink jsonl:-
  edge demo classify --model model.tflite --source 0 --sink web --explain
"""
    + stream_options.SOURCES
)


@click.command("classify", epilog=EXAMPLES)
@model_option("classify")
@LABELS
@click.option("--top", type=click.IntRange(min=1), default=3, show_default=True, metavar="N",
              help="Classes per image.")  # fmt: skip
@click.option("--threshold", type=float, metavar="SCORE",
              help="Score below which the class is unknown.  [default: the model's]")  # fmt: skip
@click.option(
    "--smoothing",
    type=float,
    default=0.25,
    show_default=True,
    metavar="SECONDS",
    help="Time to average over.",
)
@click.option("--explain", is_flag=True,
              help="Show what in the image speaks for the best class, by class activation maps. "
              "Occlusion is too slow for a stream: see 'edge explain'.")  # fmt: skip
@normalizing
@running
@stream_options.options
def main(model: Path, explain: bool, **stream: Any) -> None:
    """Classify what the camera sees."""
    names = ("labels", "top", "threshold", "smoothing", "mean", "std", "delegate", "threads")
    options = {name: stream.pop(name) for name in names}
    classifier = open_task(edge.Classifier.open, model, **options)
    task = open_task(edge.Explainer.of, classifier) if explain else classifier
    stream_options.run(task, **stream)


if __name__ == "__main__":
    run_command(main)
