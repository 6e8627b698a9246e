"""Stage timer: seconds per stage of a run."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class StageTimer:
    """Seconds per stage and in total, from creation on; repeated stages are summed."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._stages: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Time the block as a stage."""
        start = time.perf_counter()
        yield
        self._stages[stage] = self._stages.get(stage, 0.0) + time.perf_counter() - start

    def seconds(self) -> dict[str, float]:
        """Return the seconds in total and by stage."""
        total = time.perf_counter() - self._start
        return {name: round(s, 2) for name, s in {"total": total, **self._stages}.items()}
