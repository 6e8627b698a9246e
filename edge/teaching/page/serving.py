"""Serving: a teacher, a camera and a page, until Ctrl-C."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from edge.errors import EdgeError, SourceError
from edge.sinks.web import needing_web, print_address
from edge.sinks.web.address import ListenAddress, listen
from edge.sinks.web.connections import DEFAULT_LIMITS
from edge.sources import SOURCES, open_source, resolve
from edge.sources.browser import BrowserSource
from edge.sources.source import Source, SourceOptions
from edge.streaming.capture import READ_TIMEOUT_S
from edge.streaming.reader import SourceReader
from edge.streaming.statistics import StreamMeter
from edge.teaching.once import TeachResult
from edge.teaching.output import MODEL_FILE
from edge.teaching.page.hub import TeachingHub
from edge.teaching.page.inbox import Inbox
from edge.teaching.page.learner import Learner, Outcome
from edge.teaching.page.session import TeachingSession
from edge.teaching.teacher import Teacher
from edge.terminal import suppress_native_stderr

_TICK_S = 0.1
"""Longest wait for a frame or a command."""

_NO_CAMERA_FIX = "connect a camera, or use --source browser for the camera of the page's device"


def check_installed() -> None:
    """Check that the page can be served, before work that would be for nothing.

    Raises:
        OutputError: The extra ``web`` is missing.
    """
    with needing_web():
        import edge.teaching.page.routes  # noqa: F401


def serve(
    teacher: Teacher,
    source: str,
    options: SourceOptions,
    address: ListenAddress,
    *,
    stop: threading.Event,
    say: Callable[[str], None] = print,
) -> TeachResult | None:
    """Serve the page until ``stop`` is set; return what was learned, None if nothing could be.

    The extra ``web`` is there: see :func:`check_installed`.

    Args:
        teacher: Owned by this thread while it serves.
        source: Address of the camera, see :mod:`edge.sources`.
        options: Of the source.
        address: To listen on.
        stop: Ends it.
        say: Shows the user a sentence.

    Raises:
        SourceError: The source cannot be opened.
        OutputError: The port is in use, or what was learned last cannot be written.
        ModelError: The model fails.
    """
    from edge.sinks.web.server import WebServer
    from edge.teaching.page.routes import TeachingPage

    with suppress_native_stderr():
        first = [_open(source, options)]
    camera = first[0].camera if isinstance(first[0], BrowserSource) else None
    inbox, hub = Inbox(), TeachingHub()

    def deliver(outcome: Outcome) -> None:
        inbox.submit(lambda session: session.take_outcome(outcome))

    learner = Learner(teacher.extractor, deliver)
    session = TeachingSession(teacher, learner.start, first[0].name, camera=camera is not None)
    page = TeachingPage(hub, inbox, teacher.photos.root, camera, DEFAULT_LIMITS)
    try:
        server = WebServer(listen(address), page, DEFAULT_LIMITS, say)
    except BaseException:
        first[0].close()
        raise
    print_address(server, say, camera=camera is not None)
    feed = _Feed(lambda: first.pop() if first else _open(source, options), inbox, stop, say)
    try:
        _teach(session, inbox, hub, feed, stop)
    finally:
        stop.set()
        server.stop()
        feed.close()
        learner.close()
    for command in inbox.wait(0)[0]:
        command.run(session)
    return _finish(teacher, session)


def _open(source: str, options: SourceOptions) -> Source:
    try:
        return open_source(source, options)
    except SourceError as error:
        if not SOURCES[resolve(source)[0]].camera:
            raise
        raise SourceError(
            error.expected, error.found, _NO_CAMERA_FIX, code=error.code, summary=error.summary
        ) from None


class _Feed:
    """Reads the camera in a thread of its own, and puts frames into the inbox."""

    def __init__(
        self,
        open_source: Callable[[], Source],
        inbox: Inbox,
        stop: threading.Event,
        say: Callable[[str], None],
    ) -> None:
        self.meter = StreamMeter(prefetchable=False)
        self._reader = SourceReader(open_source, self.meter, stop, say)
        self._inbox, self._stop = inbox, stop
        self._ended: str | None = None
        self._thread = threading.Thread(target=self._work, name="camera", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> str | None:
        """Why no frames come at the moment."""
        error = self._reader.lost
        if error is not None:
            return f"{error.found.capitalize()}. It is waited for; what was taught stays."
        return self._ended

    def close(self) -> None:
        """Stop reading; a read that hangs is abandoned."""
        self._thread.join(READ_TIMEOUT_S)

    def _work(self) -> None:
        start, index = time.perf_counter(), 0
        try:
            while (frame := self._reader.read()) is not None:
                now = time.perf_counter() - start
                self._inbox.put(replace(frame, index=index, time_s=now, name=""))
                index += 1
            self._ended = f"{self._reader.name} has ended"
        except EdgeError as error:
            self._ended = str(error)
        finally:
            self._reader.close()


def _teach(
    session: TeachingSession, inbox: Inbox, hub: TeachingHub, feed: _Feed, stop: threading.Event
) -> None:
    """Handle frames and commands until ``stop`` is set."""
    shown = None
    while not stop.is_set():
        commands, frame = inbox.wait(_TICK_S)
        for command in commands:
            command.run(session)
        if frame is not None and (hub.clients or session.recording):
            start = time.perf_counter()
            answer = session.take_frame(frame, time.monotonic())
            feed.meter.processed(start, time.perf_counter() - start)
            hub.publish(frame, answer, feed.meter.status("cpu").fps)
        session.tick(time.monotonic(), feed.lost)
        if (view := session.view()) is not shown:
            hub.show(view)
            shown = view


def _finish(teacher: Teacher, session: TeachingSession) -> TeachResult | None:
    """Learn and save what was not yet; return the result, None with fewer than two classes."""
    counts = {label: count for label, count in teacher.counts.items() if count}
    if len(counts) < 2:
        return None
    if not session.saved:
        teacher.learn()
        teacher.save()
    assessment = session.assessment or teacher.assess()
    return TeachResult(teacher.out / MODEL_FILE, counts, assessment)
