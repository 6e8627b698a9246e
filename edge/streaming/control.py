"""What may change while a stream runs: whether it pauses, and the settings of its task."""

import threading
import time
from collections.abc import Callable

from edge.tasks.settings import TaskSettings
from edge.tasks.task import Task


class StreamControl:
    """Holds the task of a running stream; used from any thread.

    The stream asks for :attr:`task` at each frame, so that a change counts from the next one on.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._lock = threading.RLock()
        self._running = threading.Event()
        self._running.set()
        self._since, self._before = 0.0, 0.0
        self.resumed = 0.0
        """When the last pause ended, by ``perf_counter``."""

    @property
    def task(self) -> Task:
        return self._task

    @property
    def settings(self) -> TaskSettings:
        return self._task.settings()

    @property
    def paused(self) -> bool:
        return not self._running.is_set()

    @property
    def paused_s(self) -> float:
        """Seconds of all pauses so far."""
        with self._lock:
            return self._before + (time.perf_counter() - self._since if self.paused else 0.0)

    def pause(self) -> None:
        """Let the stream stop after the frame at hand; a camera stays open."""
        with self._lock:
            if not self.paused:
                self._since = time.perf_counter()
                self._running.clear()

    def resume(self) -> None:
        """Let it go on."""
        with self._lock:
            if self.paused:
                self._before, self.resumed = self.paused_s, time.perf_counter()
                self._running.set()

    def wait(self, seconds: float) -> None:
        """Return when the stream may go on, or so many seconds have passed."""
        self._running.wait(seconds)

    def adjust(self, change: Callable[[TaskSettings], TaskSettings]) -> None:
        """Change the settings of the task.

        Raises:
            UsageError: the task refuses them, and keeps those that it has.
        """
        self.swap(lambda task: task.with_settings(change(task.settings())))

    def swap(self, change: Callable[[Task], Task]) -> None:
        """Put another task in the place of the one there is."""
        with self._lock:
            self._task = change(self._task)
