"""Control of a running stream: pause, and the settings of its task."""

import threading
import time
from collections.abc import Callable

from edge.tasks.task import Task, TaskSettings


class StreamControl:
    """Holds the task of a running stream; thread-safe.

    The stream reads :attr:`task` for each frame, so that a change applies from the next one on.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._lock = threading.RLock()
        self._running = threading.Event()
        self._running.set()
        self._pause_start, self._earlier_pauses_s = 0.0, 0.0
        self.resumed = 0.0
        """End of the last pause, in seconds of ``perf_counter``."""
        self.source_ended = False
        """True once the source has ended by itself; set by the stream."""

    @property
    def task(self) -> Task:
        """The current task."""
        return self._task

    @property
    def settings(self) -> TaskSettings:
        """Settings of the current task."""
        return self._task.settings()

    @property
    def paused(self) -> bool:
        """True between :meth:`pause` and :meth:`resume`."""
        return not self._running.is_set()

    @property
    def paused_s(self) -> float:
        """Total seconds of all pauses so far."""
        with self._lock:
            return self._earlier_pauses_s + (
                time.perf_counter() - self._pause_start if self.paused else 0.0
            )

    def pause(self) -> None:
        """Pause the stream after the current frame; a camera stays open."""
        with self._lock:
            if not self.paused:
                self._pause_start = time.perf_counter()
                self._running.clear()

    def resume(self) -> None:
        """Continue the stream."""
        with self._lock:
            if self.paused:
                self._earlier_pauses_s, self.resumed = self.paused_s, time.perf_counter()
                self._running.set()

    def wait(self, seconds: float) -> None:
        """Wait until the stream is not paused, at most so many seconds."""
        self._running.wait(seconds)

    def adjust(self, change: Callable[[TaskSettings], TaskSettings]) -> None:
        """Change the settings of the task.

        Raises:
            UsageError: The task rejects them, and keeps those that it has.
        """
        self.swap(lambda task: task.with_settings(change(task.settings())))

    def swap(self, change: Callable[[Task], Task]) -> None:
        """Replace the task."""
        with self._lock:
            self._task = change(self._task)
