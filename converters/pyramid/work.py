"""What training behind one cut needs: frozen features of views and validation images, a trainer."""

from collections.abc import Callable
from typing import Generic

import numpy as np

from converters.pyramid.objective import Objective, ValidationScore
from converters.pyramid.part import FrozenLayers, NetworkPart
from converters.pyramid.trainer import Trained, Trainer, cut_behind
from converters.pyramid.views import Views

_MEASURED = 4
"""Steps that are timed, after one that TensorFlow takes long for."""


class CutWork(Generic[Trained]):
    """Training behind a cut.

    Args:
        network: with the weights to start from.
        cut_name: the last node that stays as it is.
        objective: what is learned.
    """

    def __init__(self, network: Trained, cut_name: str, objective: Objective) -> None:
        self.cut_name, self._objective = cut_name, objective
        cut = cut_behind(network, cut_name)
        self._extract = FrozenLayers(cut.frozen, cut.features, network.size)
        self.trainer = Trainer(network, cut, objective)
        self._features = [self._extract(pixels) for pixels in objective.validation]

    def views(self, seed: int, different: int, calm_from: int) -> Views:
        """Return views of which this many differ."""
        return Views(self._objective, self._extract, seed, different, calm_from)

    def seconds_per_step(
        self, views: Views, batch_size: int, workers: int, clock: Callable[[], float]
    ) -> float:
        """Measure steps, which change nothing: their rates are 0, and the state is restored."""
        before = self.trainer.state()
        batches = views.batches(batch_size, 0, _MEASURED + 1, workers)
        self.trainer.step(next(batches), 1, (0.0, 0.0), 1.0)
        start = clock()
        for batch in batches:
            self.trainer.step(batch, 1, (0.0, 0.0), 1.0)
        seconds = (clock() - start) / _MEASURED
        self.trainer.restore(before)
        return seconds

    def judge(self, network: Trained) -> ValidationScore:
        """Judge a network, with the same frozen nodes, on the validation images."""
        cut = cut_behind(network, self.cut_name)
        shapes = dict(zip(cut.features, self._extract.shapes, strict=True))
        part = NetworkPart(cut.trained, shapes, network.outputs)
        outputs = (
            part(*(each[None].astype(np.float32) for each in features))
            for features in self._features
        )
        return self._objective.judge(part.specs, outputs)
