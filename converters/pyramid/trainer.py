"""Training of the nodes behind a cut: its step, and the network that results."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from converters import tf
from converters.pyramid.network import PyramidNetwork
from converters.pyramid.objective import Objective
from converters.pyramid.trainable import Adam, TrainableNodes
from converters.pyramid.views import Batch
from converters.writer.graph import GraphNode, needed, read_from_outside

_CLIP = 10.0
"""Norm above which gradients are made shorter."""

Trained = TypeVar("Trained", bound=PyramidNetwork)


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A network in two parts: ``frozen`` nodes, and ``trained`` ones that read ``features``."""

    frozen: tuple[GraphNode, ...]
    trained: tuple[GraphNode, ...]
    features: tuple[str, ...]


def cut_behind(network: PyramidNetwork, name: str) -> Cut:
    """Return the parts of a network before and behind a node of its trunk."""
    frozen, rest = network.trunk.split(name)
    trained = needed((*rest, *network.head), network.outputs)
    features = read_from_outside(trained)
    return Cut(needed(frozen, features), trained, features)


class Trainer(Generic[Trained]):
    """Trains the nodes behind a cut of ``network``."""

    def __init__(self, network: Trained, cut: Cut, objective: Objective) -> None:
        self._network, self._cut, self._objective = network, cut, objective
        self._nodes = TrainableNodes(cut.trained, network.head, network.outputs)
        self._adam = Adam(self._nodes, _CLIP)
        self._step = tf.tensorflow().function(self._update, autograph=False)

    def step(self, batch: Batch, number: int, rates: tuple[float, float], decay: float) -> float:
        """Train on a batch; return its loss.

        Args:
            batch: of views.
            number: of the step, from 1.
            rates: learning rates of the trunk and of the head.
            decay: share of the averaged weights that stays.
        """
        constant = tf.tensorflow().constant
        scalars = [constant(value, "float32") for value in (number, *rates, decay)]
        features = [constant(each) for each in batch.features]
        targets = [constant(each) for each in batch.targets]
        return float(self._step(features, targets, scalars))

    def averaged(self) -> Trained:
        """Return the network with the averaged weights."""
        values = [variable.numpy() for variable in self._adam.average]
        return self._network.with_layers(self._nodes.fold(values))

    def start_from(self, other: "Trainer[Trained]") -> None:
        """Take the averaged weights of a trainer of the same network with a later cut."""
        self._nodes.adopt(other._nodes, other._adam.average)
        self._adam.reset()

    def state(self) -> list[NDArray[np.float32]]:
        """Return all that :meth:`restore` needs."""
        return [variable.numpy() for variable in self._adam.state]

    def restore(self, state: Sequence[NDArray[np.float32]]) -> None:
        """Go on as at :meth:`state`."""
        for variable, value in zip(self._adam.state, state, strict=True):
            variable.assign(value)

    def _update(self, features: list[Any], targets: list[Any], scalars: list[Any]) -> Any:
        tensorflow = tf.tensorflow()
        number, trunk_rate, head_rate, decay = scalars
        inputs = {
            name: tensorflow.cast(each, tensorflow.float32)
            for name, each in zip(self._cut.features, features, strict=True)
        }
        with tensorflow.GradientTape() as tape:
            values = self._nodes.forward(inputs)
            outputs = {name: values[name] for name in self._network.outputs}
            loss = self._objective.loss(outputs, targets)
        gradients = tape.gradient(loss, self._nodes.trained)
        self._adam.apply(gradients, number, (trunk_rate, head_rate), decay)
        return loss
