"""Strike a pose, and find the image whose pose is most similar.

This file is the demo, from the options to the stream: read it, copy it, change it.
"""

from pathlib import Path
from typing import Any

import click

import edge
from edge.commands import stream_options
from edge.commands.options import running
from edge.tasks.pose.estimator import SCORE
from edge.terminal.native_stderr import suppress_native_stderr
from edge.terminal.progress import count_progress

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
@click.option("--index", "address", required=True, metavar="DIR|VIDEO",
              help="Images or a video of people.")  # fmt: skip
@click.option(
    "--model", type=click.Path(path_type=Path), metavar="FILE|NAME",
    help="A .task or .tflite, or a name.  [default: MediaPipe's, or MoveNet]",
)  # fmt: skip
@click.option("--threshold", "score", type=float, default=SCORE, show_default=True,
              help="Minimum score of a keypoint to be drawn.")  # fmt: skip
@running
@stream_options.options
def main(address: str, **rest: Any) -> None:
    """Strike a pose, and find the image whose pose is most similar."""
    asked = {key: rest.pop(key) for key in ("model", "score", "delegate", "threads")}
    with suppress_native_stderr(), count_progress(f"poses of {address}") as progress:
        task = edge.mirror(address, say=stream_options.say, progress=progress, **asked)
    stream_options.say(f"{len(task.index.places)} poses of {address} to choose from")
    stream_options.run(task, **rest)


if __name__ == "__main__":
    from edge.cli import run_command

    run_command(main)
