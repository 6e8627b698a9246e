"""Classify what the camera sees.

This file is the demo, from the options to the stream: read it, copy it, change it.
"""

from pathlib import Path
from typing import Any

import click

import edge
from edge.commands import stream_options
from edge.commands.options import model_option, running
from edge.tasks.classify.classifier import SMOOTHING
from edge.terminal.native_stderr import suppress_native_stderr

EXAMPLES = (
    """
\b
Examples:
  edge demo classify
  edge demo classify --model model.tflite
  edge demo classify --model model.tflite --source clip.mp4 --sink out.mkv
  edge demo classify --model model.tflite --source 0 --sink jsonl:-
"""
    + stream_options.SOURCES
)


@click.command("classify", epilog=EXAMPLES)
@model_option("mobilenet_v2_1.0_224_quant")
@click.option("--labels", type=click.Path(path_type=Path), help="File with one label per line.")
@click.option("--top", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--threshold", type=float, help="Score below which the class is unknown.")
@click.option(
    "--smoothing", type=float, default=SMOOTHING, show_default=True, help="Seconds to average over."
)
@running
@stream_options.options
def main(
    model: Path,
    labels: Path | None,
    top: int,
    threshold: float | None,
    smoothing: float,
    delegate: str,
    threads: int | None,
    **stream: Any,
) -> None:
    """Classify what the camera sees."""
    with suppress_native_stderr():
        task = edge.classifier(
            model, labels=labels, top=top, threshold=threshold, smoothing=smoothing,
            delegate=delegate, threads=threads,
        )  # fmt: skip
    stream_options.run(task, **stream)


if __name__ == "__main__":
    from edge.cli import run_command

    run_command(main)
