"""Training examples: changed images as the frozen layers of the network see them.

View number i is a function of the seed and i alone, so that a run that was killed goes on with the
same ones. They are computed in threads while TensorFlow trains, and kept for later epochs.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.pyramid.objective import Objective, Targets
from converters.pyramid.part import Features, FrozenLayers

_MEMORY = 600_000_000
"""Bytes for views that are seen again; others are computed anew."""

_AHEAD = 3
"""Batches that are computed in advance."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """An example: ``features`` float16 [h, w, c] each; ``targets``: what is learned of it."""

    features: Features
    targets: Targets


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Views, one behind the other: ``features`` float16 [b, h, w, c] each; ``targets`` [b, …]."""

    features: Features
    targets: Targets


class Views:
    """Views of training images by their number.

    Args:
        objective: changes images and says what is learned of them.
        extract: the frozen layers.
        seed: of all random choices.
        different: number of different views; later ones repeat them.
        calm_from: number of the first view that is a calm one.
    """

    def __init__(
        self,
        objective: Objective,
        extract: FrozenLayers,
        seed: int,
        different: int,
        calm_from: int,
    ) -> None:
        self._objective, self._extract, self._seed = objective, extract, seed
        self._calm_from = calm_from
        first = self._make(0)
        size = sum(each.nbytes for each in (*first.features, *first.targets))
        self._different, self._room = different, max(1, _MEMORY // size)
        self._views = {0: first}

    def batches(self, batch_size: int, first: int, steps: int, workers: int) -> Iterator[Batch]:
        """Yield the batches of the steps from ``first`` on."""
        with ThreadPoolExecutor(workers) as pool:
            pending: dict[int, list[Future[View]]] = {}
            try:
                for step in range(first, steps):
                    for later in range(step, min(step + _AHEAD, steps)):
                        if later not in pending:
                            numbers = range(later * batch_size, (later + 1) * batch_size)
                            pending[later] = [pool.submit(self.view, n) for n in numbers]
                    yield _batch([future.result() for future in pending.pop(step)])
            finally:
                for futures in pending.values():
                    for future in futures:
                        future.cancel()

    def view(self, number: int) -> View:
        """Return a view."""
        number %= self._different
        view = self._views.get(number)
        if view is None:
            view = self._make(number)
            if len(self._views) < self._room:
                self._views[number] = view
        return view

    def _make(self, number: int) -> View:
        count = self._objective.images
        epoch, position = divmod(number, count)
        order = np.random.default_rng((self._seed, epoch)).permutation(count)
        rng = np.random.default_rng((self._seed, epoch, position))
        calm = number >= self._calm_from
        view = self._objective.calm_view if calm else self._objective.view
        pixels, targets = view(int(order[position]), rng)
        return View(self._extract(pixels), targets)


def _batch(views: list[View]) -> Batch:
    return Batch(
        _stacked([view.features for view in views]), _stacked([view.targets for view in views])
    )


def _stacked(rows: Sequence[tuple[NDArray[Any], ...]]) -> tuple[NDArray[Any], ...]:
    return tuple(np.stack(each) for each in zip(*rows, strict=True))
