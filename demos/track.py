"""Track objects, and count those that cross a line.

This file is the demo, from the options to the stream: read it, copy it, change it.
"""

from pathlib import Path
from typing import Any

import click

import edge
from edge.commands import stream_options
from edge.commands.options import detecting, model_option, open_task, run_command, running

EXAMPLES = (
    """
\b
Examples:
  edge demo track --model ssd.tflite --labels coco_labels.txt --classes person
  edge demo track --model yolo.tflite --source street.mp4 --sink out.mkv
  edge demo track --model ssd.tflite --line door:100,200,540,200 --sink jsonl:-
  edge demo track --model yolo.tflite --source dashcam.mp4 --camera moving
  edge demo track --model ssd.tflite --zone shop:0,200,400,200,400,480,0,480

\b
Lines and zones are in pixels of the frame. "in" is the right-hand side when
looking along a line from its first point to its second, or inside a zone.
On the page of --sink web they are drawn with mouse or finger, and shown as
options to copy.
"""
    + stream_options.SOURCES
)


@click.command("track", epilog=EXAMPLES)
@model_option("track")
@detecting
@click.option("--line", "lines", multiple=True, metavar="NAME:X1,Y1,X2,Y2",
              help="Count crossings of a line.")  # fmt: skip
@click.option("--zone", "zones", multiple=True, metavar="NAME:X1,Y1,X2,Y2,X3,Y3,…",
              help="Count entries to a zone.")  # fmt: skip
@click.option("--camera", default="auto", show_default=True, metavar="auto|moving|static",
              help="Whether the camera moves; auto looks for motion now and then.")  # fmt: skip
@running
@stream_options.options
def main(model: Path, lines: tuple[str, ...], zones: tuple[str, ...], **stream: Any) -> None:
    """Track objects, and count those that cross a line."""
    boundaries: list[edge.Line | edge.Zone] = [
        *map(edge.Line.parse, lines),
        *map(edge.Zone.parse, zones),
    ]
    names = (
        "labels", "threshold", "delegate", "threads", "classes", "iou", "head", "mean", "std",
        "camera",
    )  # fmt: skip
    options = {name: stream.pop(name) for name in names}
    task = open_task(
        edge.Tracker.open, model, boundaries=boundaries, say=stream_options.say, **options
    )
    stream_options.run(task, **stream)


if __name__ == "__main__":
    run_command(main)
