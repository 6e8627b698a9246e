"""Color the segments of the image, or replace the background behind people.

This file is the demo, from the options to the stream: read it, copy it, change it.
"""

from pathlib import Path
from typing import Any

import click

import edge
from edge.commands import stream_options
from edge.commands.options import model_option, names, running
from edge.tasks.segment import selfie
from edge.tasks.segment.background import parse
from edge.tasks.segment.masks import SMOOTHING
from edge.tasks.segment.segmenter import SCORE
from edge.terminal.native_stderr import suppress_native_stderr

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
@model_option(selfie.model)
@click.option("--labels", type=click.Path(), help="File with one label per line.")
@click.option(
    "--classes", callback=names, metavar="LIST", help="Classes to report, comma-separated."
)
@click.option("--background", metavar="blur|COLOR|IMAGE", help="New background.")
@click.option("--threshold", "score", type=float, default=SCORE, show_default=True,
              help="Minimum probability of foreground.")  # fmt: skip
@click.option("--smoothing", type=float, default=SMOOTHING, show_default=True,
              help="Seconds over which uncertain pixels are averaged.")  # fmt: skip
@running
@stream_options.options
def main(model: Path, background: str | None, **rest: Any) -> None:
    """Color the segments of the image, or replace the background behind people."""
    options = ("labels", "classes", "score", "smoothing", "delegate", "threads")
    asked = {key: rest.pop(key) for key in options}
    behind = None if background is None else parse(background)
    with suppress_native_stderr():
        task = edge.segmenter(model, background=behind, **asked)
    stream_options.run(task, **rest)


if __name__ == "__main__":
    from edge.cli import run_command

    run_command(main)
