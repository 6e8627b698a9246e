"""``edge capture``: take images for a dataset from any source."""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from edge import image_collector, terminal
from edge.commands import stream_options
from edge.commands.options import JSON
from edge.errors import CorruptFrameError, OutputError, UsageError
from edge.frame import Frame
from edge.image_collector import ImageCollector
from edge.next_steps import NextStep, command_line, lines
from edge.preview_window import ESCAPE, PreviewWindow
from edge.quantities import counted
from edge.sources import open_source, resolve
from edge.sources.source import Source
from edge.terminal import graceful_shutdown, suppress_native_stderr

_GOOD_START = 20
"""Photos of a class to start with."""

_STILL = 100
"""Number of duplicates in a row that is reported once more."""

EXAMPLES = """
\b
Examples:
  edge capture --label cat -o photos/                    space takes a photo
  edge capture --label cat -o photos/ --interval 2 --count 50 --countdown 5
  edge capture --label dog -o photos/ --burst 20
  edge capture --label cat -o photos/ --source clip.mp4 --interval 0.5
  edge convert photos/

\b
Near-duplicates of photos in the folder are skipped, including those of earlier runs.
Without --interval or --burst, press space or Enter to take a photo and q to quit,
in the preview window or in the terminal.
"""


@click.command(epilog=EXAMPLES)
@click.option("--label", required=True, metavar="NAME", help="Class that the photos show.")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="Dataset folder.",
)
@click.option(
    "--interval", type=click.FloatRange(min=0), metavar="SECONDS", help="Seconds between photos."
)
@click.option(
    "--burst", type=click.IntRange(min=1), metavar="N", help="Take this many photos in a row."
)
@click.option(
    "--count", type=click.IntRange(min=1), metavar="N", help="Stop after this many photos."
)
@click.option(
    "--countdown",
    type=click.IntRange(min=0),
    default=0,
    metavar="SECONDS",
    help="Seconds to wait before the first photo.",
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
    **options: Any,
) -> None:
    """Take photos for a dataset, one folder per class."""
    stop = threading.Event()
    settings = stream_options.build_source_options(source, **options)
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
        trigger = _trigger(label, interval, burst, closing)
        with suppress_native_stderr():
            opened = open_source(source, settings)
        closing.callback(opened.close)
        collector = image_collector.open_collector(out, label)
        closing.enter_context(graceful_shutdown(stop))
        for frame in _frames(opened, stop, countdown):
            taken = trigger(frame)
            if taken is None:
                break
            if taken:
                _report(collector, collector.add(frame.image))
            if len(collector.kept) == (burst or count):
                break
    _sum_up(collector, tuple(next_steps(collector.counts(), label, out, source)), as_json)


Trigger = Callable[[Frame], bool | None]
"""Decides whether to keep a frame; None ends the capture."""


def _trigger(label: str, interval: float | None, burst: int | None, closing: ExitStack) -> Trigger:
    if interval is not None and burst is not None:
        raise UsageError(
            "either --interval or --burst", "both", "use one of them", code="conflicting-options"
        )
    if burst is not None:
        return lambda _: True
    if interval is not None:
        return _IntervalTrigger(interval)
    return _KeyTrigger(label, closing)


class _KeyTrigger:
    """Trigger on keys of the preview window and of the terminal, at least one of which exists."""

    def __init__(self, label: str, closing: ExitStack) -> None:
        self._window: PreviewWindow | None = None
        self._terminal = sys.stdin.isatty()
        try:
            self._window = PreviewWindow(f"edge capture: {label}")
            closing.callback(self._window.close)
        except OutputError as error:
            if not self._terminal:
                raise UsageError(
                    "--interval or --burst, or a terminal or screen to press keys in",
                    f"none of them (screen: {error.found})",
                    "add --interval 2",
                    code="no-trigger",
                ) from None
        if self._terminal:
            closing.enter_context(terminal.raw_keyboard())
        click.echo("Space or Enter takes an image, q quits.", err=True)

    def __call__(self, frame: Frame) -> bool | None:
        pressed = {self._window.show(frame.image) if self._window is not None else None,
                   terminal.read_key() if self._terminal else None}  # fmt: skip
        return None if pressed & {"q", ESCAPE} else bool(pressed & {" ", "\n", "\r"})


class _IntervalTrigger:
    """Trigger at a fixed interval of the frames' own time, in seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next: float | None = None

    def __call__(self, frame: Frame) -> bool:
        if self._next is not None and frame.time_s < self._next:
            return False
        self._next = frame.time_s + self._seconds
        return True


def _frames(source: Source, stop: threading.Event, countdown: int) -> Iterator[Frame]:
    """Yield frames timed from the countdown's end; a live camera's are always the newest."""
    start = time.monotonic() + countdown
    remaining = countdown
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
        while remaining > max(0.0, start - time.monotonic()):
            click.echo(f"{remaining} …", err=True)
            remaining -= 1
        if time.monotonic() >= start:
            yield Frame(frame.index, time.monotonic() - start, frame.image, frame.name)


def _report(collector: ImageCollector, path: Path | None) -> None:
    if path is not None:
        click.echo(f"  {len(collector.kept):4d}  {path}", err=True)
    elif collector.in_a_row in (1, _STILL):
        hint = ": nothing is moving" if collector.in_a_row == _STILL else ""
        click.echo(f"  skipped: near-duplicate of an earlier image{hint}", err=True)


def next_steps(counts: Mapping[str, int], label: str, out: Path, source: str) -> Iterator[NextStep]:
    """Yield what to do with the photos in a dataset folder.

    Args:
        counts: Number of photos of each class.
        label: Class that was photographed last.
        out: The folder.
        source: Where the photos came from.
    """
    place = [] if source == "0" else ["--source", source]

    def capture(name: str) -> str:
        return command_line("edge", "capture", "--label", name, "-o", out, *place)

    few = [name for name, number in counts.items() if 0 < number < _GOOD_START]
    name = label if label in few else min(few, key=lambda name: counts[name], default=None)
    if name is not None:
        yield NextStep(
            f"Take more of {name}, from other places, days and angles: it has "
            f"{counted(counts[name], 'photo')}, and {_GOOD_START} to 100 are a good start",
            capture(name),
        )
    classes = sum(number > 0 for number in counts.values())
    if classes == 1:
        yield NextStep(
            "Take photos of a second class, such as the place without the object",
            capture("background"),
        )
    elif classes:
        yield NextStep("Make a model of the photos", command_line("edge", "convert", out))


def _sum_up(collector: ImageCollector, steps: tuple[NextStep, ...], as_json: bool) -> None:
    counts = collector.counts()
    if as_json:
        summary = {
            "label": collector.label,
            "kept": [str(path) for path in collector.kept],
            "skipped": collector.skipped,
            "counts": counts,
            "next_steps": [step.to_dict() for step in steps],
        }
        click.echo(json.dumps(summary, indent=2))
        return
    kept, skipped = len(collector.kept), collector.skipped
    click.echo(
        f"{counted(kept, 'image')} of {collector.label}, {counted(skipped, 'duplicate')} skipped."
    )
    for name, number in counts.items():
        click.echo(f"  {number:5d}  {name}")
    for line in lines(steps):
        click.echo(line)
