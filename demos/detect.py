"""Detect objects in what the camera sees.

This file is the demo, from the options to the stream: read it, copy it, change it.
"""

from pathlib import Path
from typing import Any

import click

import edge
from edge.commands import stream_options
from edge.commands.options import detecting, model_option, running
from edge.terminal.native_stderr import suppress_native_stderr

EXAMPLES = (
    """
\b
Examples:
  edge demo detect
  edge demo detect --model ssd.tflite --labels coco_labels.txt
  edge demo detect --model yolo.tflite --source street.mp4 --sink out.mkv
  edge demo detect --model ssd.tflite --classes person,dog --sink jsonl:-

\b
SSD with built-in post-processing and the usual YOLO exports are recognized.
Describe any other head in a file, MODEL.toml or --head FILE:
  head = "yolo-grid"     # or yolo-rows (YOLOv5), yolo-free (YOLOv8), ssd
  anchors = { 16 = [[12, 18], [37, 49]], 32 = [[115, 73], [119, 199]] }
  letterbox = true
"""
    + stream_options.SOURCES
)


@click.command("detect", epilog=EXAMPLES)
@model_option("ssd_mobilenet_v1_coco")
@detecting
@running
@stream_options.options
def main(model: Path, delegate: str, threads: int | None, **rest: Any) -> None:
    """Detect objects in what the camera sees."""
    found = {key: rest.pop(key) for key in ("labels", "classes", "score", "iou", "head")}
    with suppress_native_stderr():
        task = edge.detector(model, delegate=delegate, threads=threads, **found)
    stream_options.run(task, **rest)


if __name__ == "__main__":
    from edge.cli import run_command

    run_command(main)
