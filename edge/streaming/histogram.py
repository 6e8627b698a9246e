"""Percentiles of any number of durations, in memory that does not grow."""

import math

_FINEST = 1e-7
_RATIO = 1.01
_BUCKETS = math.ceil(math.log(1e10) / math.log(_RATIO))


class LatencyHistogram:
    """Counts durations in buckets 1 % wide, from 0.1 µs to 1000 s.

    A stream of days keeps the percentiles of all its frames this way, each true to 1 %. One
    thread adds; others may read meanwhile.
    """

    __slots__ = ("_counts", "count", "total")

    def __init__(self) -> None:
        self._counts = [0] * (_BUCKETS + 1)
        self.count = 0
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration."""
        place = math.log(seconds / _FINEST) / _LOG_RATIO if seconds > _FINEST else 0.0
        self._counts[min(int(place), _BUCKETS)] += 1
        self.count += 1
        self.total += seconds

    @property
    def mean(self) -> float:
        """Seconds; 0 where there is none."""
        return self.total / self.count if self.count else 0.0

    def percentile_ms(self, percent: float) -> float:
        """The duration that ``percent`` of all do not exceed, in ms; 0 where there is none."""
        wanted = percent / 100 * self.count
        reached = 0
        for place, count in enumerate(self._counts):
            reached += count
            if count and reached >= wanted:
                return 1e3 * _FINEST * math.exp(_LOG_RATIO * (place + 0.5))
        return 0.0

    def to_dict(self) -> dict[str, float]:
        """``{"p50_ms", "p95_ms"}``."""
        return {f"p{p}_ms": round(self.percentile_ms(p), 4) for p in (50, 95)}


_LOG_RATIO = math.log(_RATIO)
