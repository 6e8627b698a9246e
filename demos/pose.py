"""Estimate the poses of people, and count their exercises.

This file is the demo, from the options to the stream: read it, copy it, change it.
"""

from pathlib import Path
from typing import Any

import click

import edge
from edge.commands import stream_options
from edge.commands.options import names, normalizing, open_task, run_command, running

EXAMPLES = (
    """
\b
Examples:
  edge demo pose --source clip.mp4 --sink out.mkv
  edge demo pose --model movenet_lightning --sink jsonl:-
  edge demo pose --people 3 --count squat,push_up

\b
Exercises: squat, push_up, jumping_jack, left_biceps_curl, right_biceps_curl.
Describe your own with joint angles in degrees, --rules FILE.toml:
  [squat]                        # from start to end, and back to start
  start = { knee = [150, 180] }  # also elbow, shoulder, hip, left_knee, …
  end = { knee = [0, 115] }
  hold = { torso = [0, 75] }     # leaning: 0 upright, 90 lying; legs: apart
"""
    + stream_options.SOURCES
)


@click.command("pose", epilog=EXAMPLES)
@click.option("--model", type=click.Path(path_type=Path), metavar="MODEL",
              help="A .task or .tflite file, or a name.  "
                   "[default: MediaPipe's, else MoveNet]")  # fmt: skip
@click.option("--people", type=click.IntRange(min=1), default=1, show_default=True, metavar="N",
              help="Maximum number of people, with MediaPipe.")  # fmt: skip
@click.option("--threshold", type=float, default=0.3, show_default=True, metavar="SCORE",
              help="Minimum score of a keypoint to be drawn.")  # fmt: skip
@click.option("--count", callback=names, default="all", show_default=True, metavar="NAMES",
              help="Exercises to count, comma-separated; all or none.")  # fmt: skip
@click.option("--rules", type=click.Path(path_type=Path), metavar="FILE",
              help="TOML file of exercises.")  # fmt: skip
@normalizing
@running
@stream_options.options
def main(**stream: Any) -> None:
    """Estimate the poses of people, and count their exercises."""
    keys = (
        "model", "threshold", "mean", "std", "delegate", "threads", "people", "count", "rules",
    )  # fmt: skip
    options = {key: stream.pop(key) for key in keys}
    task = open_task(edge.PoseEstimator.open, say=stream_options.say, **options)
    stream_options.run(task, **stream)


if __name__ == "__main__":
    run_command(main)
