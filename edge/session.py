"""Running a task on a stream: a source and sinks by their addresses."""

import os
import threading
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

from edge.errors import OutputError, UsageError
from edge.frame import FrameResult
from edge.sinks import SINKS, open_sink
from edge.sinks import resolve as sink_of
from edge.sources import SOURCES, open_source
from edge.sources import resolve as source_of
from edge.sources.browser import BrowserSource
from edge.sources.source import Source, SourceOptions
from edge.streaming import stream as streams
from edge.streaming.control import StreamControl
from edge.streaming.notify import notifier
from edge.streaming.sink import Sink, StreamContext
from edge.streaming.statistics import StreamStats
from edge.tasks.task import Task
from edge.terminal.native_stderr import suppress_native_stderr
from edge.terminal.shutdown import graceful_shutdown


def run(
    task: Task,
    source: str = "0",
    sinks: Sequence[str | Sink] = (),
    *,
    options: SourceOptions | None = None,
    frames: int | None = None,
    say: Callable[[str], None] = print,
) -> StreamStats:
    """Run ``task`` on a source until it ends or Ctrl-C or SIGTERM comes; then all files are whole.

    Args:
        task: such as :meth:`edge.Classifier.open` or :meth:`edge.Detector.open` returns.
        source: where frames come from, see :mod:`edge.sources`.
        sinks: where results go, see :mod:`edge.sinks`, or objects that are sinks, such as
            :func:`edge.callback_sink` makes; by default a window, and without a screen lines of text.
        options: size, rotation and the like of the source.
        frames: ends it after so many.
        say: told in a sentence what the user should know meanwhile.

    Raises:
        SourceError: the source cannot be opened, or a file cannot be read on.
        OutputError: a sink cannot be opened, or cannot go on.
        UsageError: there is no such source or sink, two want the same file, or the page's camera
            is wanted without a page.
        ModelError, DelegateError: the model fails, and not only on its delegate.
    """
    wanted = SourceOptions() if options is None else options
    check_places(source, files(sinks))
    _check_page(source, sinks)
    stop = threading.Event()
    with suppress_native_stderr():
        waiting = [open_source(source, wanted)]
    control = StreamControl(task)
    setting = _setting(waiting[0], stop, say, control)
    try:
        opened = _open(sinks, setting, control)
    except BaseException:
        waiting[0].close()
        raise

    def again() -> Source:
        return waiting.pop() if waiting else open_source(source, wanted)

    with graceful_shutdown(stop):
        return streams.run(
            again, task, opened, stop=stop, max_frames=frames, say=say, control=control
        )


def stream(
    task: Task,
    source: str = "0",
    *,
    options: SourceOptions | None = None,
    frames: int | None = None,
    say: Callable[[str], None] = print,
) -> Generator[FrameResult, None, None]:
    """Iterate over the frames of a source with their results.

    Frames are captured and prepared in another thread while the loop's body runs. A file waits
    for the body; of a camera the newest frame is taken, and the ones in between are dropped. The
    source is closed when the loop ends, by ``break`` or an exception as well.

    Args:
        task: such as :meth:`edge.Detector.open` returns.
        source: address of the source, see :mod:`edge.sources`.
        options: size, rotation and other options of the source.
        frames: ends the iteration after so many.
        say: called with a sentence that the user should know.

    Yields:
        :class:`edge.FrameResult`: ``frame.image`` is uint8 [height, width, 3], BGR; ``result`` has
        the type that the task returns. ``result.draw(frame.image)`` draws it.

    Raises:
        SourceError: the source cannot be opened, or a file cannot be read on.
        UsageError: there is no such source, or it needs a sink.
        ModelError, DelegateError: the model fails, and not only on its delegate.
    """
    _check_page(source, ())
    source_options = SourceOptions() if options is None else options

    def open_quietly() -> Source:
        with suppress_native_stderr():
            return open_source(source, source_options)

    yield from streams.results(open_quietly, task, max_frames=frames, say=say)


def _setting(
    source: Source, stop: threading.Event, say: Callable[[str], None], control: StreamControl
) -> StreamContext:
    camera = source.camera if isinstance(source, BrowserSource) else None
    return StreamContext(source.fps, source.live, stop.set, say, control, source.name, camera)


def _check_page(source: str, sinks: Sequence[str | Sink]) -> None:
    schemes = {sink_of(sink)[0] for sink in sinks if isinstance(sink, str)}
    needed = SOURCES[source_of(source)[0]].needs_sink
    if needed is not None and needed not in schemes:
        raise UsageError(
            f"the sink {needed}, through which the source gets its frames",
            f"--source {source} without --sink {needed}",
            f"add --sink {needed}",
            code="source-needs-web-sink",
            summary=f"--source {source} needs the sink {needed}",
        )


def _open(
    sinks: Sequence[str | Sink], setting: StreamContext, control: StreamControl
) -> list[Sink]:
    """The sinks, all or none; a window only where there is a screen or nothing else."""
    opened: list[Sink] = []
    try:
        for sink in sinks or ("window",):
            try:
                opened.append(open_sink(sink, setting) if isinstance(sink, str) else sink)
            except OutputError as error:
                if sink_of(str(sink))[0] != "window" or len(sinks) == 1:
                    raise
                setting.say(f"cannot open a window: {error.found}")
        if not opened:
            opened.append(open_sink("text", setting))
        if (systemd := notifier(control)) is not None:
            opened.append(systemd)
    except BaseException:
        for made in opened:
            made.close()
        raise
    return opened


def check_places(source: str, places: Sequence[tuple[str, str | Path]]) -> None:
    """See to it that nothing is written over the source, or two things into one file.

    Args:
        source: as given to :func:`run`.
        places: what wants to write, as the user said it, and where.

    Raises:
        UsageError: something is.
    """
    scheme, address = source_of(source)
    taken = {_place(address): f"--source {source}"} if SOURCES[scheme].reads_file else {}
    for words, path in places:
        if _place(path) in taken:
            other = taken[_place(path)]
            raise UsageError(
                "a separate file for each output",
                f"{other} and {words}",
                "choose another name",
                code="output-path-conflict",
                summary=f"{other} and {words} use the same file",
            )
        taken[_place(path)] = words


def files(sinks: Sequence[str | Sink]) -> list[tuple[str, str]]:
    """What the sinks write to, for :func:`check_places`."""
    uris = [(f"--sink {uri}", sink_of(uri)) for uri in sinks if isinstance(uri, str)]
    return [(words, address) for words, (scheme, address) in uris if SINKS[scheme].writes_file]


def _place(path: str | Path) -> Path:
    return Path(os.path.realpath(path))
