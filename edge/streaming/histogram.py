"""Latency histogram: percentiles of any number of durations in constant memory."""

import math

_MIN_S = 1e-7
_RATIO = 1.01
_BUCKETS = math.ceil(math.log(1e10) / math.log(_RATIO))


class LatencyHistogram:
    """Counts durations in buckets 1 % wide, from 0.1 µs to 1000 s.

    A stream of days keeps the percentiles of all its frames this way, each accurate to 1 %. One
    thread adds; others may read at the same time.
    """

    __slots__ = ("_counts", "count", "total")

    def __init__(self) -> None:
        self._counts = [0] * (_BUCKETS + 1)
        self.count = 0
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration."""
        bucket = math.log(seconds / _MIN_S) / _LOG_RATIO if seconds > _MIN_S else 0.0
        self._counts[min(int(bucket), _BUCKETS)] += 1
        self.count += 1
        self.total += seconds

    @property
    def mean(self) -> float:
        """Mean in seconds; 0 without durations."""
        return self.total / self.count if self.count else 0.0

    def percentile_ms(self, percent: float) -> float:
        """Return the duration that ``percent`` of all do not exceed, in ms; 0 without durations."""
        rank = percent / 100 * self.count
        reached = 0
        for bucket, count in enumerate(self._counts):
            reached += count
            if count and reached >= rank:
                return 1e3 * _MIN_S * math.exp(_LOG_RATIO * (bucket + 0.5))
        return 0.0

    def to_dict(self) -> dict[str, float]:
        """Return ``{"p50_ms", "p95_ms"}``."""
        return {f"p{p}_ms": round(self.percentile_ms(p), 4) for p in (50, 95)}


_LOG_RATIO = math.log(_RATIO)
