"""Recordings that a visitor starts and stops: Matroska files named by their time."""

import re
import shutil
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from edge.errors import EdgeError, OutputError, unwritable
from edge.frame import Output
from edge.sinks.video import VideoSink
from edge.streaming.workers import SinkWorker

NAME = re.compile(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d(-\d+)?\.mkv")
"""What a recording is called."""

ROOM = 256 * 2**20
"""Bytes that a recording leaves free on the disk: a board whose disk is full stops working."""

_BACKLOG = 16
_CHECKED = 30
"""Images after which the room on the disk is looked at."""


class Recording:
    """One recording, written in a thread of its own.

    Args:
        folder: where; made if need be.
        fps: the rate that images should come at.
        live: images are dropped where the disk is too slow; else :meth:`put` waits.
        failed: called from that thread with what went wrong; the recording is over then.

    Raises:
        OutputError: the folder cannot be written, or the disk is almost full.
    """

    def __init__(
        self, folder: Path, fps: float, *, live: bool, failed: Callable[[EdgeError], None]
    ) -> None:
        self.path = _create(folder)
        try:
            _check_room(folder)
        except OutputError:
            self.path.unlink()
            raise
        self._told, self._images = failed, 0
        self._video = VideoSink(self.path, fps, live=live)
        self._outlet = SinkWorker(
            self.path.name, self._write, self._close, queue_size=_BACKLOG, waits=not live,
            failed=self._fail,
        )  # fmt: skip

    def put(self, output: Output) -> None:
        """Record an output that has an image."""
        self._outlet.put(output)

    def finish(self) -> None:
        """Write what waits, and the end of the file; one without an image is removed."""
        self._outlet.finish()

    def _write(self, output: Output) -> None:
        if self._images % _CHECKED == 0:
            _check_room(self.path.parent)
        self._video.write(output)
        self._images += 1

    def _close(self) -> None:
        self._video.close()
        if self._images == 0:
            self.path.unlink(missing_ok=True)

    def _fail(self) -> None:
        error = self._outlet.error
        if not isinstance(error, EdgeError):
            error = OutputError(
                f"a recording to {self.path}",
                repr(error),
                "try again",
                code="recording-failed",
                summary=f"recording to {self.path} failed ({error!r})",
            )
        self._told(error)


class Recorder:
    """At most one recording at a time; begun, fed and ended in threads of their own.

    Args:
        folder, fps, live: of :class:`Recording`.
        say: told where a recording is written.
    """

    def __init__(self, folder: Path, fps: float, live: bool, say: Callable[[str], None]) -> None:
        self.folder = folder
        self._fps, self._live, self._say = fps, live, say
        self._recording: Recording | None = None
        self._changing = threading.Lock()

    @property
    def name(self) -> str | None:
        """Of the file that is recorded, None where there is none."""
        recording = self._recording
        return None if recording is None else recording.path.name

    def put(self, output: Output) -> None:
        """Record an output, if it has an image and there is a recording."""
        recording = self._recording
        if recording is not None and output.image is not None:
            recording.put(output)

    def begin(self, failed: Callable[[EdgeError], None]) -> None:
        """Begin a recording, if there is none; ``failed`` is told if it ends by itself.

        Raises:
            OutputError: it cannot be written.
        """

        def over(error: EdgeError) -> None:
            with self._changing:
                if self._recording is recording:  # else it was ended, and perhaps another begun
                    self._recording = None
            self._say(f"web: recording stopped: {error}")
            failed(error)

        with self._changing:
            if self._recording is not None:
                return
            recording = Recording(self.folder, self._fps, live=self._live, failed=over)
            self._recording = recording
        self._say(f"web: recording to {recording.path}")

    def end(self) -> None:
        """End the recording, if there is one; its file is whole then."""
        with self._changing:
            recording, self._recording = self._recording, None
        if recording is not None:  # without the lock, which a failure on the way needs
            recording.finish()


def _create(folder: Path) -> Path:
    """A new file named by the time; two never get the same."""
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


def _check_room(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < ROOM:
        raise OutputError(
            f"{ROOM // 2**20} MB of free disk space at {folder}",
            f"{free // 2**20} MB",
            "delete old recordings",
            code="disk-full",
        )
