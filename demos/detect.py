"""Detect objects in what the camera sees.

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
  edge demo detect
  edge demo detect --model ssd.tflite --labels coco_labels.txt
  edge demo detect --model yolo.tflite --source street.mp4 --sink out.mkv
  edge demo detect --model ssd.tflite --classes person,dog --sink jsonl:-

\b
Results of 'edge convert' (--head centers: points and their number), SSD with built-in
post-processing and the usual YOLO exports are recognized.
Describe any other head in a file, MODEL.toml or --head FILE:
  head = "yolo-grid"     # or yolo-rows (YOLOv5), yolo-free (YOLOv8), ssd
  anchors = { 16 = [[12, 18], [37, 49]], 32 = [[115, 73], [119, 199]] }
  letterbox = true
  mean = [0]             # a pixel p means (p - mean) / std; for every task
  std = [255]
"""
    + stream_options.SOURCES
)


@click.command("detect", epilog=EXAMPLES)
@model_option("detect")
@detecting
@running
@stream_options.options
def main(model: Path, **stream: Any) -> None:
    """Detect objects in what the camera sees."""
    names = ("labels", "threshold", "delegate", "threads", "classes", "iou", "head", "mean", "std")
    task = open_task(edge.Detector.open, model, **{name: stream.pop(name) for name in names})
    stream_options.run(task, **stream)


if __name__ == "__main__":
    run_command(main)
