"""Optical flow on a real clip whose camera is made to shake."""

from pathlib import Path

import numpy as np
import pytest

from edge.sources import open_source
from edge.sources.source import SourceOptions
from edge.tracking import camera

pytestmark = pytest.mark.realdata


@pytest.mark.parametrize("name", ["store-aisle.gif", "one-by-one-person-detection.mp4"])
def test_the_shaking_is_seen_to_half_a_pixel(test_data: Path, name: str) -> None:
    source = open_source(str(test_data / "video" / name), SourceOptions())
    random, motion = np.random.default_rng(0), camera.FrameMotion("moving")
    errors, before = [], None
    for _ in range(60):
        frame = source.read()
        assert frame is not None
        x, y = random.integers(0, 30, 2).tolist()
        view = np.ascontiguousarray(frame.image[y : y - 30 or None, x : x - 30 or None])
        seen = motion.update(view, np.empty((0, 4)), 0.04)
        if before is not None:
            assert seen is not None
            middle = np.array([view.shape[1] / 2, view.shape[0] / 2])
            shift = seen[:, :2] @ middle + seen[:, 2] - middle
            errors.append(np.abs(shift - [before[0] - x, before[1] - y]))
        before = (x, y)
    source.close()
    assert (np.percentile(errors, 95, axis=0) < 0.5).all()
