"""Sessions: run a task on a source, with sinks, by their addresses."""

import os
import threading
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

from edge.errors import OutputError, UsageError, check_list
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
from edge.streaming.sink import LingeringSink, Sink, StreamContext
from edge.streaming.statistics import StreamStats
from edge.tasks.task import Task
from edge.terminal import graceful_shutdown, suppress_native_stderr


def run(
    task: Task,
    source: str | Path | int = "0",
    sinks: Sequence[str | Path | Sink] = (),
    *,
    options: SourceOptions | None = None,
    frames: int | None = None,
    say: Callable[[str], None] = print,
) -> StreamStats:
    """Run ``task`` on a source until it ends, or on Ctrl-C or SIGTERM; output files are complete.

    With the sink web, the last of a source of images stays on the page until Ctrl-C or SIGTERM.

    Args:
        task: such as :meth:`edge.Classifier.open` or :meth:`edge.Detector.open` returns.
        source: where frames come from, see :mod:`edge.sources`; a path, or the number of a camera.
        sinks: where results go, see :mod:`edge.sinks`, or objects that are sinks, such as
            :func:`edge.callback_sink` makes; by default a window, or text without a screen.
        options: size, rotation and other options of the source.
        frames: stop after this many, at least 1.
        say: receives sentences for the user.

    Raises:
        SourceError: the source cannot be opened, or a file cannot be read on.
        OutputError: a sink cannot be opened, or fails.
        UsageError: there is no such source or sink, two write to the same file, the browser's
            camera is requested without the sink web, or ``frames`` is out of range.
        ModelError, DelegateError: the model fails, and not only on its delegate.
    """
    source, sinks = str(source), _checked_sinks(sinks)
    _check_frames(frames)
    source_options = SourceOptions() if options is None else options
    check_output_paths(source, output_files(sinks))
    _check_page(source, sinks)
    stop = threading.Event()
    with suppress_native_stderr():
        waiting = [open_source(source, source_options)]
    control = StreamControl(task)
    context = _context(waiting[0], stop, say, control, still=_is_still(source, source_options))
    try:
        opened = _open(sinks, context, control)
    except BaseException:
        waiting[0].close()
        raise

    def again() -> Source:
        return waiting.pop() if waiting else open_source(source, source_options)

    interrupted = threading.Event()
    with graceful_shutdown(stop, interrupted):
        try:
            return streams.run(
                again, task, opened, stop=stop, max_frames=frames, say=say, control=control
            )
        except BaseException:
            interrupted.set()
            raise
        finally:
            _linger(opened, interrupted)


def stream(
    task: Task,
    source: str | Path | int = "0",
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
        source: where frames come from, see :mod:`edge.sources`; a path, or the number of a camera.
        options: size, rotation and other options of the source.
        frames: end the iteration after this many, at least 1.
        say: receives sentences for the user.

    Yields:
        :class:`edge.FrameResult`: ``frame.image`` is uint8 [height, width, 3], BGR; ``result`` has
        the type that the task returns. ``result.draw(frame.image)`` draws it.

    Raises:
        SourceError: the source cannot be opened, or a file cannot be read on.
        UsageError: there is no such source, it needs a sink, or ``frames`` is out of range.
        ModelError, DelegateError: the model fails, and not only on its delegate.
    """
    address = str(source)
    _check_frames(frames)
    _check_page(address, ())
    source_options = SourceOptions() if options is None else options

    def open_quietly() -> Source:
        with suppress_native_stderr():
            return open_source(address, source_options)

    yield from streams.results(open_quietly, task, max_frames=frames, say=say)


def _linger(sinks: Sequence[Sink], stop: threading.Event) -> None:
    """Let sinks show their last output until ``stop``, which only the main thread can get."""
    if threading.current_thread() is not threading.main_thread():
        stop.set()
    for sink in sinks:
        if isinstance(sink, LingeringSink):
            sink.linger(stop)


def _checked_sinks(sinks: Sequence[str | Path | Sink]) -> list[str | Sink]:
    """Return sinks with paths as addresses.

    Raises:
        UsageError: they are no list, or one is neither an address nor a sink.
    """
    check_list("sinks", sinks)
    checked = [str(sink) if isinstance(sink, Path) else sink for sink in sinks]
    for sink in checked:
        if not isinstance(sink, str) and not hasattr(sink, "close"):
            raise UsageError(
                "an address or an edge.Sink",
                f"a sink of type {type(sink).__name__}",
                "wrap a function with edge.callback_sink",
                code="unknown-sink",
            )
    return checked


def _check_frames(frames: int | None) -> None:
    if frames is not None and frames < 1:
        raise UsageError(
            "at least one frame",
            f"--frames {frames}",
            "use --frames 1, or leave it out",
            code="invalid-option-value",
        )


def _context(
    source: Source,
    stop: threading.Event,
    say: Callable[[str], None],
    control: StreamControl,
    *,
    still: bool,
) -> StreamContext:
    camera = source.camera if isinstance(source, BrowserSource) else None
    return StreamContext(
        source.fps, source.live, stop.set, say, control, source.name, camera, still
    )


def _is_still(source: str, options: SourceOptions) -> bool:
    return SOURCES[source_of(source)[0]].still and not options.loop


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
    sinks: Sequence[str | Sink], context: StreamContext, control: StreamControl
) -> list[Sink]:
    """Open all sinks or none; the default window only if there is a screen."""
    opened: list[Sink] = []
    try:
        for sink in sinks or ("window",):
            try:
                opened.append(open_sink(sink, context) if isinstance(sink, str) else sink)
            except OutputError as error:
                if sink_of(str(sink))[0] != "window" or len(sinks) == 1:
                    raise
                context.say(f"cannot open a window: {error.found}")
        if not opened:
            opened.append(open_sink("text", context))
        if (systemd := notifier(control)) is not None:
            opened.append(systemd)
    except BaseException:
        for sink in opened:
            sink.close()
        raise
    return opened


def check_output_paths(source: str, outputs: Sequence[tuple[str, str | Path]]) -> None:
    """Check that no output overwrites the source or another output.

    Args:
        source: as given to :func:`run`.
        outputs: the option as the user wrote it, and the path, of each output.

    Raises:
        UsageError: two of them are the same file.
    """
    scheme, address = source_of(source)
    taken = {_real_path(address): f"--source {source}"} if SOURCES[scheme].reads_file else {}
    for words, path in outputs:
        if _real_path(path) in taken:
            other = taken[_real_path(path)]
            raise UsageError(
                "a separate file for each output",
                f"{other} and {words}",
                "choose another name",
                code="output-path-conflict",
                summary=f"{other} and {words} use the same file",
            )
        taken[_real_path(path)] = words


def output_files(sinks: Sequence[str | Sink]) -> list[tuple[str, str]]:
    """Return the option and path of each sink that writes a file."""
    uris = [(f"--sink {uri}", sink_of(uri)) for uri in sinks if isinstance(uri, str)]
    return [(words, address) for words, (scheme, address) in uris if SINKS[scheme].writes_file]


def _real_path(path: str | Path) -> Path:
    return Path(os.path.realpath(path))
