"""Recordings that a client starts and stops: Matroska files named by their time."""

import re
import shutil
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from edge.errors import EdgeError, OutputError, unwritable
from edge.frame import Output
from edge.quantities import size
from edge.sinks.video import VideoSink
from edge.streaming.workers import SinkWorker

NAME = re.compile(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d(-\d+)?\.mkv")
"""File name of a recording."""

MIN_FREE_BYTES = 250_000_000
"""Bytes that a recording leaves free: a board with a full disk stops working."""

_QUEUE_SIZE = 16
_CHECK_INTERVAL = 30
"""Images between two checks of the free space."""


class Recording:
    """One recording, written in its own thread.

    Args:
        folder: Created if need be.
        fps: Nominal rate of the images.
        live: Images are dropped where the disk is too slow; else :meth:`put` waits.
        failed: Called from that thread with an error that ended the recording.

    Raises:
        OutputError: The folder cannot be written, or the disk is almost full.
    """

    def __init__(
        self,
        folder: Path,
        fps: float,
        *,
        live: bool,
        failed: Callable[[EdgeError], None],
    ) -> None:
        self.path = _create(folder)
        try:
            _check_free_space(folder)
        except OutputError:
            self.path.unlink()
            raise
        self._on_failure, self._images = failed, 0
        self._video = VideoSink(self.path, fps, live=live)
        self._worker = SinkWorker(
            self.path.name, self._write, self._close, queue_size=_QUEUE_SIZE, waits=not live,
            failed=self._fail,
        )  # fmt: skip

    def put(self, output: Output) -> None:
        """Record an output that has an image."""
        self._worker.put(output)

    def finish(self) -> None:
        """Write the queued images and close the file; one without images is removed."""
        self._worker.finish()

    def _write(self, output: Output) -> None:
        if self._images % _CHECK_INTERVAL == 0:
            _check_free_space(self.path.parent)
        self._video.write(output)
        self._images += 1

    def _close(self) -> None:
        self._video.close()
        if self._images == 0:
            self.path.unlink(missing_ok=True)

    def _fail(self) -> None:
        error = self._worker.error
        if not isinstance(error, EdgeError):
            error = OutputError(
                f"a recording to {self.path}",
                repr(error),
                "try again",
                code="recording-failed",
                summary=f"recording to {self.path} failed ({error!r})",
            )
        self._on_failure(error)


class Recorder:
    """At most one recording at a time; thread-safe.

    Args:
        folder: For the recordings.
        fps: Nominal rate of the images.
        live: As of :class:`Recording`.
        say: Shows the user where a recording is written.
    """

    def __init__(
        self,
        folder: Path,
        fps: float,
        live: bool,
        say: Callable[[str], None],
    ) -> None:
        self.folder = folder
        self._fps, self._live, self._say = fps, live, say
        self._recording: Recording | None = None
        self._lock = threading.Lock()

    @property
    def name(self) -> str | None:
        """File name of the current recording, if there is one."""
        recording = self._recording
        return None if recording is None else recording.path.name

    def put(self, output: Output) -> None:
        """Record an output that has an image, if there is a recording."""
        recording = self._recording
        if recording is not None and output.image is not None:
            recording.put(output)

    def start(self, failed: Callable[[EdgeError], None]) -> None:
        """Start a recording, if there is none; ``failed`` is called if an error ends it.

        Raises:
            OutputError: It cannot be written.
        """

        def stopped(error: EdgeError) -> None:
            with self._lock:
                if self._recording is recording:  # else it was stopped, or another started
                    self._recording = None
            self._say(f"web: recording stopped: {error}")
            failed(error)

        with self._lock:
            if self._recording is not None:
                return
            recording = Recording(
                self.folder,
                self._fps,
                live=self._live,
                failed=stopped,
            )
            self._recording = recording
        self._say(f"web: recording to {recording.path}")

    def stop(self) -> None:
        """Stop the recording, if there is one; its file is complete after it."""
        with self._lock:
            recording, self._recording = self._recording, None
        if recording is not None:  # without the lock: a failure here takes it
            recording.finish()


def _create(folder: Path) -> Path:
    """Create a new file named by the time; two never get the same."""
    start = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    number = 1
    while True:
        path = folder / f"{start}{f'-{number}' if number > 1 else ''}.mkv"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.touch(exist_ok=False)
        except FileExistsError:
            if not folder.is_dir():
                raise OutputError(
                    f"a directory for recordings at {folder}",
                    "a file",
                    "move the file",
                    code="output-is-file",
                ) from None
            number += 1
            continue
        except OSError as error:
            raise unwritable(folder, error) from None
        return path


def _check_free_space(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < MIN_FREE_BYTES:
        raise OutputError(
            f"{size(MIN_FREE_BYTES)} of free disk space at {folder}",
            size(free),
            "delete old recordings",
            code="disk-full",
        )
