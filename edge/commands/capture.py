"""``edge capture``: images for a data set, from any source."""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from edge import image_collector
from edge.commands import stream_options
from edge.commands.options import JSON
from edge.errors import CorruptFrameError, OutputError, UsageError
from edge.frame import Frame
from edge.image_collector import ImageCollector
from edge.preview_window import ESCAPE, PreviewWindow
from edge.sources import open_source, resolve
from edge.sources.source import Source
from edge.terminal import keyboard
from edge.terminal.native_stderr import suppress_native_stderr
from edge.terminal.shutdown import graceful_shutdown

_STILL = 100
"""So many repeats in a row are told about once more."""

EXAMPLES = """
\b
Examples:
  edge capture --label cat -o photos/                    space takes an image
  edge capture --label cat -o photos/ --interval 2 --count 50 --countdown 5
  edge capture --label dog -o photos/ --burst 20
  edge capture --label cat -o photos/ --source clip.mp4 --interval 0.5
  edge convert photos/

\b
Near-duplicates of images in the folder are skipped, including those of earlier runs.
Without --interval or --burst, press space or Enter to take an image and q to quit,
in the preview window or in the terminal.
"""


@click.command(epilog=EXAMPLES)
@click.option("--label", required=True, help="Class that the images show.")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="Dataset folder.")
@click.option("--interval", type=click.FloatRange(min=0), help="Seconds between images.")
@click.option("--burst", type=click.IntRange(min=1), help="Take this many images in a row.")
@click.option("--count", type=click.IntRange(min=1), help="Stop after this many images.")
@click.option(
    "--countdown",
    type=click.IntRange(min=0),
    default=0,
    help="Seconds to wait before the first image.",
)
@stream_options.source_options
@JSON
def capture(
    label: str,
    out: Path,
    source: str,
    interval: float | None,
    burst: int | None,
    count: int | None,
    countdown: int,
    as_json: bool,
    **asked: Any,
) -> None:
    """Take images for a dataset, one folder per class."""
    stop = threading.Event()
    wanted = stream_options.wanted(source, **asked)
    if resolve(source)[0] == "browser":
        raise UsageError(
            "a camera of this machine",
            f"--source {source}",
            "use --source 0",
            code="unsupported-source",
        )
    if burst is not None and count is not None:
        raise UsageError(
            "either --burst or --count",
            "both",
            "leave out --count: a burst stops by itself",
            code="conflicting-options",
        )
    with ExitStack() as closing:
        when = _trigger(label, interval, burst, closing)
        with suppress_native_stderr():
            opened = open_source(source, wanted)
        closing.callback(opened.close)
        kept = image_collector.open_collector(out, label)
        closing.enter_context(graceful_shutdown(stop))
        for frame in _frames(opened, stop, countdown):
            taken = when(frame)
            if taken is None:
                break
            if taken:
                _tell(kept, kept.add(frame.image))
            if len(kept.kept) == (burst or count):
                break
    _sum_up(kept, as_json)


Trigger = Callable[[Frame], bool | None]
"""Whether a frame is taken; None ends it all."""


def _trigger(label: str, interval: float | None, burst: int | None, closing: ExitStack) -> Trigger:
    if interval is not None and burst is not None:
        raise UsageError(
            "either --interval or --burst", "both", "use one of them", code="conflicting-options"
        )
    if burst is not None:
        return lambda _: True
    if interval is not None:
        return _Every(interval)
    return _Keys(label, closing)


class _Keys:
    """Keys of a window with what the camera sees, and of the terminal; at least one is there."""

    def __init__(self, label: str, closing: ExitStack) -> None:
        self._screen: PreviewWindow | None = None
        self._terminal = sys.stdin.isatty()
        try:
            self._screen = PreviewWindow(f"edge capture: {label}")
            closing.callback(self._screen.close)
        except OutputError as error:
            if not self._terminal:
                raise UsageError(
                    "--interval or --burst, or a terminal or screen to press keys in",
                    f"none of them (screen: {error.found})",
                    "add --interval 2",
                    code="no-trigger",
                ) from None
        if self._terminal:
            closing.enter_context(keyboard.raw_keyboard())
        click.echo("Space or Enter takes an image, q quits.", err=True)

    def __call__(self, frame: Frame) -> bool | None:
        pressed = {self._screen.show(frame.image) if self._screen is not None else None,
                   keyboard.read_key() if self._terminal else None}  # fmt: skip
        return None if pressed & {"q", ESCAPE} else bool(pressed & {" ", "\n", "\r"})


class _Every:
    """True every so many seconds of the frames' own time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next: float | None = None

    def __call__(self, frame: Frame) -> bool:
        if self._next is not None and frame.time_s < self._next:
            return False
        self._next = frame.time_s + self._seconds
        return True


def _frames(source: Source, stop: threading.Event, countdown: int) -> Iterator[Frame]:
    """Frames with the time since the countdown's end; a live camera's are always the newest."""
    began = time.monotonic() + countdown
    left = countdown
    while not stop.is_set():
        try:
            frame = source.read()
        except CorruptFrameError as error:
            click.echo(f"note: {error}", err=True)
            continue
        if frame is None:
            return
        if not source.live:
            yield frame
            continue
        while left > max(0.0, began - time.monotonic()):
            click.echo(f"{left} …", err=True)
            left -= 1
        if time.monotonic() >= began:
            yield Frame(frame.index, time.monotonic() - began, frame.image, frame.name)


def _tell(kept: ImageCollector, path: Path | None) -> None:
    if path is not None:
        click.echo(f"  {len(kept.kept):4d}  {path}", err=True)
    elif kept.in_a_row in (1, _STILL):  # then it is known
        hint = ": nothing is moving" if kept.in_a_row == _STILL else ""
        click.echo(f"  skipped: near-duplicate of an earlier image{hint}", err=True)


def _sum_up(kept: ImageCollector, as_json: bool) -> None:
    counts = kept.counts()
    if as_json:
        said = {
            "label": kept.label,
            "kept": [str(path) for path in kept.kept],
            "skipped": kept.skipped,
            "counts": counts,
        }
        click.echo(json.dumps(said, indent=2))
        return
    click.echo(f"{len(kept.kept)} images of {kept.label}, {kept.skipped} duplicates skipped.")
    for name, number in counts.items():
        click.echo(f"  {number:5d}  {name}")
