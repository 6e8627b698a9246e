"""Sources, tasks and sinks that are made for tests: no model, no camera, no file."""

import threading
import time
from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from edge.errors import ModelError, UsageError
from edge.frame import BgrImage, Frame, Output
from edge.tasks.task import TaskSettings


def image(value: int = 0) -> BgrImage:
    return np.full((48, 64, 3), value, np.uint8)


class ListedSource:
    """Gives what it was told to: images' values, None at the end, errors to raise.

    ``every``: seconds that a read takes.
    """

    def __init__(self, items: Iterable[Any], *, live: bool = False, every: float = 0.0) -> None:
        self.name, self.live, self.fps = "listed", live, None
        self.closed = 0
        self._items, self._every = iter(items), every
        self._index = 0

    def read(self) -> Frame | None:
        time.sleep(self._every)
        item = next(self._items, None)
        if isinstance(item, Exception):
            raise item
        if item is None:
            return None
        self._index += 1
        return Frame(self._index - 1, (self._index - 1) / 10, image(item))

    def close(self) -> None:
        self.closed += 1


@dataclass(frozen=True)
class Value:
    """The result of :class:`MeanTask`."""

    value: int

    def to_dict(self) -> dict[str, Any]:
        return {"value": self.value}

    def summary(self) -> str:
        return str(self.value)


class Runtime:
    """A runtime whose model takes ``seconds`` and gives its input back; it may die."""

    def __init__(self, seconds: float, delegate: str, dies_after: int | None) -> None:
        self.package, self.delegate, self.threads = "test 1.0", delegate, 1
        self.name = "models/mean.tflite"
        self._seconds, self._left = seconds, dies_after

    def invoke(self, *arrays: Any) -> tuple[Any, ...]:
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise ModelError(
                    "a running model", "a device that is gone", "plug it in", code="model-failed"
                )
        time.sleep(self._seconds)
        return arrays


class MeanTask:
    """Says the mean of an image."""

    name = "mean"
    notes: tuple[str, ...] = ()
    prefetchable = True

    def __init__(
        self, seconds: float = 0.0, delegate: str = "cpu", dies_after: int | None = None
    ) -> None:
        self.runtime: Any = Runtime(seconds, delegate, dies_after)
        self.seen: list[int] = []
        self.chosen = TaskSettings(0.5, None, ("dark", "light"))

    def preprocess(self, frame: Frame) -> tuple[Any, ...]:
        return (frame.image.mean(),)

    def postprocess(self, outputs: tuple[Any, ...], frame: Frame) -> Value:
        self.seen.append(frame.index)
        return Value(round(outputs[0]))

    def draw(self, image: BgrImage, result: Any) -> BgrImage:
        image[:8, :8] = 255 - result.value
        return image

    def settings(self) -> TaskSettings:
        return self.chosen

    def with_settings(self, settings: TaskSettings) -> Self:
        if settings.score is None or settings.score > 1:
            raise UsageError(
                "a score up to 1", str(settings.score), "use less", code="invalid-option-value"
            )
        other = copy(self)
        other.chosen = settings
        return other

    def fallback_to_cpu(self) -> Self:
        other = type(self)()
        other.seen = self.seen
        return other


class ListingSink:
    """Keeps what it gets; ``every``: seconds that a write takes; ``error``: raised by a write."""

    def __init__(
        self,
        *,
        wants_images: bool = False,
        queue_size: int = 8,
        every: float = 0.0,
        error: Exception | None = None,
    ) -> None:
        self.name, self.wants_images, self.queue_size = "listing", wants_images, queue_size
        self.got: list[Output] = []
        self.closed = 0
        self.threads: set[str] = set()
        self._every, self._error = every, error

    def write(self, output: Output) -> None:
        time.sleep(self._every)
        if self._error is not None:
            raise self._error
        self.threads.add(threading.current_thread().name)
        self.got.append(output)

    def close(self) -> None:
        self.closed += 1


def wait_until(holds: Callable[[], object], seconds: float = 15) -> None:
    """Return once ``holds()`` is true; it has so many seconds to become it."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "the condition never became true"
        time.sleep(0.02)
