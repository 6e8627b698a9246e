"""Strike a pose, and find the image whose pose is most similar.

This file is the demo, from the options to the stream: read it, copy it, change it.
"""

from pathlib import Path
from typing import Any

import click

import edge
from edge.commands import stream_options
from edge.commands.options import (
    count_progress,
    counted,
    normalizing,
    open_task,
    run_command,
    running,
)

EXAMPLES = (
    """
\b
Examples:
  edge demo mirror --index dancers/ --hflip
  edge demo mirror --index dance.mp4 --source 0
  edge demo mirror --index yoga/ --source me.mp4 --sink out.mkv --sink jsonl:-

\b
The images are processed once, and their poses are cached. Position, size and
left-right orientation do not affect the match.
"""
    + stream_options.SOURCES
)


@click.command("mirror", epilog=EXAMPLES)
@click.option("--index", required=True, metavar="DIR|VIDEO",
              help="Images or a video of people.")  # fmt: skip
@click.option(
    "--model", type=click.Path(path_type=Path), metavar="MODEL",
    help="A .task or .tflite file, or a name.  [default: MediaPipe's, else MoveNet]",
)  # fmt: skip
@click.option("--threshold", type=float, default=0.3, show_default=True, metavar="SCORE",
              help="Minimum score of a keypoint to be drawn.")  # fmt: skip
@normalizing
@running
@stream_options.options
def main(index: str, **stream: Any) -> None:
    """Strike a pose, and find the image whose pose is most similar."""
    keys = ("model", "threshold", "mean", "std", "delegate", "threads")
    options = {key: stream.pop(key) for key in keys}
    say = stream_options.say
    with count_progress(f"poses of {index}") as progress:
        task = open_task(edge.PoseMatcher.open, index, say=say, progress=progress, **options)
    say(f"{counted(len(task.index.locations), 'pose')} of {index} to choose from")
    stream_options.run(task, **stream)


if __name__ == "__main__":
    run_command(main)
