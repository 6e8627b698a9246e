"""``edge track``: follow the objects of a file of detections."""

import json
from pathlib import Path
from typing import Any

import click

from edge.commands.options import JSON, RenamedOption
from edge.errors import UsageError
from edge.quantities import counted

EXAMPLES = """
\b
Examples:
  edge track detections.txt -o tracks.txt
  edge track detections.txt -o tracks.txt --fps 30
  edge track detections.txt -o tracks.txt --json

\b
FILE and the tracks are MOTChallenge text, one box per line, frames from 1, scores from 0 to 1:
  frame,id,x,y,width,height,score,-1,-1,-1
The lines may be in any order, and their ids are ignored. In the tracks, sorted by frame,
each object keeps its id. Boxes are smoothed; if an object is missed for a few frames, its
box is extrapolated, with its last score. Boxes without an area are dropped.
To track objects on a camera: edge demo track.
"""


@click.command(epilog=EXAMPLES)
@click.argument("detections", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    cls=RenamedOption,
    old="--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File to write the tracks to.",
)
@click.option(
    "--fps",
    type=float,
    metavar="FPS",
    help="Frames per second of the sequence.  [default: estimated from how fast objects move]",
)
@JSON
def track(detections: Path, out: Path, fps: float | None, as_json: bool) -> int:
    """Track the objects in a file of detections, so that each keeps its id."""
    from edge.files import check_writable, write_atomic
    from edge.tracking import mot

    check_writable(out)
    if out.resolve() == detections.resolve():
        raise UsageError(
            "a separate file for the tracks",
            str(out),
            "choose another name",
            code="output-path-conflict",
            summary=f"--out {out} would overwrite the detections",
        )
    table = mot.read(detections)
    tracks = mot.track(table, fps)
    write_atomic(out, mot.text(tracks))
    summary: dict[str, Any] = {
        "frames": int(table.frames[-1]) if len(table.frames) else 0,
        "detections": len(table.frames),
        "tracks": len(set(tracks.ids.tolist())),
        "boxes": len(tracks.frames),
        "output": str(out),
    }
    if as_json:
        click.echo(json.dumps(summary, indent=2))
    else:
        click.echo(
            f"{counted(summary['tracks'], 'track')} in {counted(summary['frames'], 'frame')}"
            f" ({counted(summary['detections'], 'detection')}): {out}"
        )
    return 0
