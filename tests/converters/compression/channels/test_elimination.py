"""Channels leave by what the others cannot make up for."""

import numpy as np
import pytest

from converters.compression.channels.elimination import eliminate


@pytest.fixture
def read() -> np.ndarray:
    """Inner channels, 4,000 positions of 24, the last eight nearly sums of the others."""
    rng = np.random.default_rng(0)
    free = rng.normal(0, 1, (4000, 16)) * np.linspace(1, 2, 16)
    return np.hstack([free, free @ rng.normal(0, 1, (16, 8)) + rng.normal(0, 0.01, (4000, 8))])


def test_what_others_make_up_for_leaves_first_however_strong(read: np.ndarray) -> None:
    projection = np.random.default_rng(1).normal(0, 1, (24, 5)).astype(np.float32)
    order, losses = eliminate(np.cov(read.T, bias=True), projection)
    assert sorted(order) == list(range(24))
    assert losses[0] == 0
    assert (np.diff(losses) >= 0).all()
    assert losses[8] < 0.01 * losses[-1]


def test_the_loss_is_that_of_least_squares_with_a_ridge(read: np.ndarray) -> None:
    projection = np.random.default_rng(1).normal(0, 1, (24, 5)).astype(np.float32)
    covariance = np.cov(read.T, bias=True)
    order, losses = eliminate(covariance, projection)
    ridged = covariance + 1e-3 * np.diag(covariance).mean() * np.eye(24)
    for removed in (8, 16):
        kept = order[removed:]
        fitted = np.linalg.solve(ridged[np.ix_(kept, kept)], ridged[kept] @ projection)
        missing = projection.astype(np.float64)
        missing[kept] -= fitted
        assert losses[removed] == pytest.approx(np.trace(missing.T @ ridged @ missing))


def test_dead_channels_are_next_to_free() -> None:
    order, losses = eliminate(np.diag([1.0, 0.0] * 8), np.ones((16, 3), np.float32))
    assert set(order[:8]) == set(range(1, 16, 2))
    assert losses[8] < 1e-3 * losses[16]
