"""Inbox: what visitors ask for, and the newest frame, on their way to the thread that teaches."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from edge.errors import EdgeError
from edge.frame import Frame
from edge.teaching.page.session import TeachingSession

SessionCommand = Callable[[TeachingSession], Any]
"""Does something in the session; what it returns or raises goes to who asked for it."""


@dataclass(frozen=True, slots=True)
class WaitingCommand:
    """A command, and the future that takes its result."""

    command: SessionCommand
    done: "Future[Any]"

    def run(self, session: TeachingSession) -> None:
        """Execute the command; an EdgeError goes to who asked, others are ours and pass."""
        if not self.done.set_running_or_notify_cancel():
            return
        try:
            self.done.set_result(self.command(session))
        except EdgeError as error:
            self.done.set_exception(error)


class Inbox:
    """Holds commands in their order, and the newest frame only; thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._commands: list[WaitingCommand] = []
        self._frame: Frame | None = None

    def submit(self, command: SessionCommand) -> "Future[Any]":
        """Queue a command; return the future of its result."""
        waiting = WaitingCommand(command, Future())
        with self._changed:
            self._commands.append(waiting)
            self._changed.notify_all()
        return waiting.done

    def put(self, frame: Frame) -> None:
        """Put a frame in place of one that was not taken."""
        with self._changed:
            self._frame = frame
            self._changed.notify_all()

    def wait(self, seconds: float) -> tuple[list[WaitingCommand], Frame | None]:
        """Take what is there, after waiting for something at most so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._commands or self._frame is not None, seconds)
            commands, self._commands = self._commands, []
            frame, self._frame = self._frame, None
        return commands, frame
