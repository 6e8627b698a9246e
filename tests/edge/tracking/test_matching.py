"""Assignment finds the best pairs, whichever package solves it, and says what is missing."""

import itertools
import sys

import numpy as np
import pytest
from errors import raises_code

from edge.installation import install_command
from edge.tracking import matching


@pytest.fixture(autouse=True)
def fresh_solver():
    matching._solver.cache_clear()
    yield
    matching._solver.cache_clear()


def best_total(costs: np.ndarray, limit: float) -> float:
    """The least sum over all ways to pair rows with columns, by trying each."""
    rows, columns = costs.shape
    gains = np.pad(np.minimum(costs - limit, 0), ((0, 0), (0, rows)))
    ways = itertools.permutations(range(columns + rows), rows)
    return min(gains[np.arange(rows), list(way)].sum() for way in ways)


@pytest.mark.parametrize("package", ["lap", "scipy.optimize"])
def test_the_pairs_are_the_best(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip(package, reason="the extra 'track' is not installed")
    if package != "lap":
        monkeypatch.setitem(sys.modules, "lap", None)
    random = np.random.default_rng(0)
    for _ in range(100):
        costs = random.normal(size=random.integers(1, 5, 2))
        rows, columns = matching.assign(costs, 0.3)
        assert len(set(rows)) == len(rows) and len(set(columns)) == len(columns)
        assert (costs[rows, columns] < 0.3).all()
        total = (costs[rows, columns] - 0.3).sum()
        assert total == pytest.approx(best_total(costs, 0.3))


def test_nothing_is_assigned_to_nothing() -> None:
    rows, columns = matching.assign(np.empty((0, 3)), 1.0)
    assert len(rows) == len(columns) == 0


def test_without_a_solver_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("lap", "scipy", "scipy.optimize"):
        monkeypatch.setitem(sys.modules, package, None)
    with raises_code("missing-package", fix="[track]") as error:
        matching.assign(np.zeros((1, 1)), 1.0)
    assert error.value.fix == install_command("track")
