"""Color the segments of the image, or replace the background behind people.

This file is the demo, from the options to the stream: read it, copy it, change it.
"""

from pathlib import Path
from typing import Any

import click

import edge
from edge.commands import stream_options
from edge.commands.options import (
    LABELS,
    model_option,
    names,
    normalizing,
    open_task,
    run_command,
    running,
)

EXAMPLES = (
    """
\b
Examples:
  edge demo segment
  edge demo segment --background blur --hflip
  edge demo segment --background beach.jpg --source talk.mp4 --sink out.mkv
  edge demo segment --model deeplabv3_pascal --classes dog,cat --sink jsonl:-

\b
Without --model, MediaPipe's selfie segmentation finds people. Models such as
DeepLab give each pixel a class, or a score for every class.
"""
    + stream_options.SOURCES
)


@click.command("segment", epilog=EXAMPLES)
@model_option("segment")
@LABELS
@click.option("--classes", callback=names, metavar="NAMES",
              help="Classes to report, comma-separated.")  # fmt: skip
@click.option("--background", metavar="blur|COLOR|IMAGE",
              help="New background; a color such as green or #00b140.")  # fmt: skip
@click.option("--threshold", type=float, default=0.5, show_default=True, metavar="SCORE",
              help="Minimum score of foreground.")  # fmt: skip
@click.option("--smoothing", type=float, default=0.15, show_default=True, metavar="SECONDS",
              help="Time over which uncertain pixels are averaged.")  # fmt: skip
@normalizing
@running
@stream_options.options
def main(model: Path | None, labels: Path | None, classes: tuple[str, ...], **stream: Any) -> None:
    """Color the segments of the image, or replace the background behind people."""
    keys = ("threshold", "mean", "std", "delegate", "threads", "smoothing", "background")
    options = {key: stream.pop(key) for key in keys}
    task = open_task(
        edge.Segmenter.open,
        model,
        labels=labels,
        classes=classes,
        say=stream_options.say,
        **options,
    )
    stream_options.run(task, **stream)


if __name__ == "__main__":
    run_command(main)
