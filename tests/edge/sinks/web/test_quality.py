"""Images become as large as the connection carries, and not larger."""

import cv2
import numpy as np
import pytest

from edge.sinks.web.quality import BEST, LEVELS, AdaptiveQuality, QualityLevel, encode

NOISE = np.random.default_rng(0).integers(0, 256, (540, 960, 3)).astype(np.uint8)
SIZES = dict(zip(LEVELS, (8, 16, 30, 80, 160, 240), strict=True))  # kB


def simulated(kb_per_s: float, latency: float, seconds: float) -> list[tuple[float, QualityLevel]]:
    """Simulate a link; return the times of acknowledgment and the levels."""
    quality, now, seen = AdaptiveQuality(), 0.0, []
    while now < seconds:
        level = quality.level
        elapsed = latency + SIZES[level] / kb_per_s
        quality.acknowledged(now, now + elapsed)
        now += max(elapsed, 1 / 30)
        seen.append((now, level))
    return seen


@pytest.mark.parametrize("latency", [0.001, 0.3])
def test_a_fast_link_soon_gets_the_best_level_at_any_latency(latency: float) -> None:
    seen = simulated(50_000, latency, 20)
    assert [level for _, level in seen[:6]] == list(LEVELS)
    assert all(level == BEST for _, level in seen[6:])


@pytest.mark.parametrize("kb_per_s", [100, 300, 1000])
def test_a_slow_link_gets_smaller_images_without_much_delay(kb_per_s: float) -> None:
    seen = simulated(kb_per_s, 0.02, 60)
    times = np.diff([now for now, _ in seen[20:]])
    assert np.quantile(times, 0.9) < 0.35
    assert len({level for _, level in seen[20:]}) <= 4


def test_a_link_that_becomes_better_is_noticed() -> None:
    quality = AdaptiveQuality()
    for start in range(60):
        quality.acknowledged(start, start + (0.02 if quality.level == LEVELS[0] else 0.5))
    for start in range(100, 300):
        quality.acknowledged(start, start + 0.02)
    assert quality.level == BEST


def test_an_image_is_made_smaller_and_never_larger() -> None:
    def size(level: QualityLevel) -> tuple[int, ...]:
        return cv2.imdecode(np.frombuffer(encode(NOISE, level), np.uint8), 1).shape[:2]

    assert size(LEVELS[0]) == (180, 320)
    assert size(BEST) == (540, 960)
    sizes = [len(encode(NOISE, level)) for level in LEVELS]
    assert sizes == sorted(sizes)
