"""How long the stages of a run take."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class StageTimer:
    """Seconds per stage and in total, from its making on; a stage that comes twice is summed."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._stages: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self._stages[stage] = self._stages.get(stage, 0.0) + time.perf_counter() - start

    def seconds(self) -> dict[str, float]:
        total = time.perf_counter() - self._start
        return {name: round(s, 2) for name, s in {"total": total, **self._stages}.items()}
