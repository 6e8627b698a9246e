"""Steps of a run: their order, their times, and how long they took in earlier runs."""

import json
import os
import platform
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from converters.progress import Progress, StepStatus
from edge.errors import OutputError
from edge.files import cache_folder, write_atomic
from edge.quantities import counted

HISTORY_FILE = "step-times.json"
"""File in the cache with measured times, the latest last."""

_KEPT = 400
"""Measured times that are kept."""

_COMPARABLE = 4.0
"""Ratio of the amounts of work up to which a measured time tells about another."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a run.

    ``stage``: name of its time in the report; steps may share it. ``words``: what it does, in the
    user's words. ``kind``: times of steps of one kind are comparable, the stage by default.
    ``files``: number of model files that it works on; ``fixed``: whether it takes as long for few
    images as for many.
    """

    stage: str
    words: str
    kind: str = ""
    files: int = 1
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class StepTime:
    """A measured step: its kind, and the ``work``, images times files or 1, that took ``seconds``.

    ``network``: the kind of network that it was done with; ``machine``: where.
    """

    machine: str
    kind: str
    network: str
    work: int
    seconds: float


class History:
    """Times of earlier steps on this machine, in the cache; a damaged file counts as empty."""

    def __init__(self) -> None:
        self.machine = f"{platform.node()}, {counted(os.cpu_count() or 1, 'core')}"
        self._new: list[StepTime] = []
        self._times = _read()

    def add(self, kind: str, network: str, work: int, seconds: float) -> None:
        """Take note of a step that ended."""
        self._new.append(StepTime(self.machine, kind, network, work, round(seconds, 3)))

    def expected(self, kind: str, network: str, work: int) -> float | None:
        """Return the seconds that such a step takes by the latest comparable time; None if none."""
        for entry in reversed((*self._times, *self._new)):
            same = (entry.machine, entry.kind, entry.network) == (self.machine, kind, network)
            if same and 1 / _COMPARABLE <= work / entry.work <= _COMPARABLE:
                return entry.seconds * work / entry.work
        return None

    def save(self) -> None:
        """Write down the new times beside those that other runs wrote meanwhile."""
        entries = [asdict(entry) for entry in (*_read(), *self._new)][-_KEPT:]
        lines = ",\n".join(json.dumps(entry) for entry in entries)
        with suppress(OutputError):  # no run fails for the sake of later estimates
            write_atomic(_file(), f"[\n{lines}\n]\n")


class Steps:
    """The steps of a run in their order; calling it with a stage runs the next one.

    >>> from converters.progress import SilentProgress
    >>> steps = Steps([Step("audit", "reading the photos")], SilentProgress())
    >>> with steps("audit"):
    ...     pass
    >>> sorted(steps.seconds())
    ['audit', 'total']
    """

    def __init__(self, planned: Sequence[Step], progress: Progress) -> None:
        self._planned = tuple(planned)
        self._progress = progress
        self._history = History()
        self._number = 0
        self._images: int | None = None
        self._network = ""
        self._start = time.perf_counter()
        self._seconds: dict[str, float] = {}

    def work_on(self, images: int, network: str) -> None:
        """Say how many images the steps from now on work on, and for what kind of network."""
        self._images, self._network = max(1, images), network

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Show and time the block as the next planned step, which is one of this stage."""
        step = self._planned[self._number]
        assert step.stage == stage, f"{stage} instead of {step.stage}"
        self._number += 1
        start = time.perf_counter()
        with self._progress.step(self._status(step)):
            yield
        seconds = time.perf_counter() - start
        self._seconds[stage] = self._seconds.get(stage, 0.0) + seconds
        if self._images is not None:
            self._history.add(_kind(step), self._network, _work(step, self._images), seconds)

    def seconds(self) -> dict[str, float]:
        """Return the seconds in total and by stage, so far."""
        total = time.perf_counter() - self._start
        return {name: round(s, 2) for name, s in {"total": total, **self._seconds}.items()}

    def remember(self) -> None:
        """Keep the times for the estimates of later runs."""
        self._history.save()

    def _status(self, step: Step) -> StepStatus:
        following = [self._expected(later) for later in self._planned[self._number :]]
        known = [seconds for seconds in following if seconds is not None]
        later = sum(known) if len(known) == len(following) else None
        return StepStatus(self._number, len(self._planned), step.words, self._expected(step), later)

    def _expected(self, step: Step) -> float | None:
        if self._images is None:
            return None
        return self._history.expected(_kind(step), self._network, _work(step, self._images))


def _kind(step: Step) -> str:
    return step.kind or step.stage


def _work(step: Step, images: int) -> int:
    return 1 if step.fixed else images * step.files


def _file() -> Path:
    return cache_folder() / HISTORY_FILE


def _read() -> list[StepTime]:
    try:
        entries: Any = json.loads(_file().read_bytes())
        times = [StepTime(**entry) for entry in entries]
        return [entry for entry in times if entry.work > 0 and entry.seconds >= 0]
    except (OSError, ValueError, TypeError, OutputError):
        return []
