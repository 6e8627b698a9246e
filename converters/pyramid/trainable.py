"""The part of a network that is trained, as TensorFlow variables, and its optimizer."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import tf
from converters.writer.folding import FoldedLayer
from converters.writer.graph import GraphNode

EPSILON = 1e-3
"""Of BatchNorm."""

_MOMENTUM = 0.97
"""Of the moving statistics of BatchNorm: short runs have few hundred steps."""

_BETA_1, _BETA_2, _ADAM_EPSILON = 0.9, 0.999, 1e-7


@dataclass(frozen=True, slots=True)
class Parameters:
    """Variables of a layer: ``norm`` has scale, shift, mean and variance, or nothing."""

    kernel: Any
    bias: Any
    norm: tuple[Any, ...]


class TrainableNodes:
    """Nodes whose layers are variables.

    Layers of the trunk have a bias, as their BatchNorm is folded; those of the ``head`` that are
    no ``outputs`` have BatchNorm instead.
    """

    def __init__(
        self, nodes: Sequence[GraphNode], head: Sequence[GraphNode], outputs: Collection[str]
    ) -> None:
        self._nodes = tuple(nodes)
        normed = {node.name for node in head if node.name not in outputs}
        self._layers = {node.name: node.layer for node in nodes if node.layer is not None}
        self._parameters = {
            name: _parameters(layer, name in normed) for name, layer in self._layers.items()
        }
        new = {node.name for node in head}
        self.head = [v for name in self._layers if name in new for v in self._trained(name)]
        self.trunk = [v for name in self._layers if name not in new for v in self._trained(name)]
        self.statistics = [
            v for p in self._parameters.values() for v in p.norm[2:]
        ]  # fmt: skip

    @property
    def trained(self) -> list[Any]:
        """Variables that gradients change, those of the trunk first."""
        return [*self.trunk, *self.head]

    @property
    def variables(self) -> list[Any]:
        """All variables of the network."""
        return [*self.trained, *self.statistics]

    def forward(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Return what each node computes of a batch, by name; BatchNorm goes by the batch."""
        values = dict(inputs)
        for node in self._nodes:
            data = [values[name] for name in node.inputs]
            values[node.name] = self._node(node, data)
        return values

    def fold(self, values: Sequence[NDArray[np.float32]]) -> dict[str, FoldedLayer]:
        """Return the layers by node, with ``values`` of :attr:`variables` and BatchNorm folded."""
        known = {id(v): value for v, value in zip(self.variables, values, strict=True)}
        return {
            name: _folded(layer, self._parameters[name], known)
            for name, layer in self._layers.items()
        }

    def adopt(self, other: "TrainableNodes", values: Sequence[Any]) -> None:
        """Take the weights of the layers that ``other`` has, too; ``values``: its variables'."""
        known = {id(v): value for v, value in zip(other.variables, values, strict=True)}
        for name in self._parameters.keys() & other._parameters.keys():
            for own, there in zip(self._all(name), other._all(name), strict=True):
                own.assign(known[id(there)])

    def _all(self, name: str) -> list[Any]:
        return [*self._trained(name), *self._parameters[name].norm[2:]]

    def _trained(self, name: str) -> list[Any]:
        own = self._parameters[name]
        return [own.kernel, *(own.norm[:2] or (own.bias,))]

    def _node(self, node: GraphNode, data: list[Any]) -> Any:
        nn = tf.tensorflow().nn
        if node.layer is None:
            if len(data) == 2:
                return data[0] + data[1]
            return _enlarged(data[0])
        layer, own = node.layer, self._parameters[node.name]
        convolve = nn.depthwise_conv2d if layer.depthwise else nn.conv2d
        steps = [1, layer.stride, layer.stride, 1]
        output = convolve(data[0], own.kernel, strides=steps, padding="SAME")
        output = _normalized(output, own.norm) if own.norm else nn.bias_add(output, own.bias)
        return nn.relu6(output) if layer.relu6 else output


class Adam:
    """Adam with gradients clipped by their norm, and an average of the weights of the last steps.

    Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015. Keras' own takes 45 s of
    CPU time to trace. ``average``: weights and statistics of the network, averaged.
    """

    def __init__(self, network: TrainableNodes, clip: float) -> None:
        tensorflow = tf.tensorflow()
        self._network, self._clip = network, clip
        zeros = [tensorflow.zeros_like(v) for v in network.trained]
        self._first = [tensorflow.Variable(value, trainable=False) for value in zeros]
        self._second = [tensorflow.Variable(value, trainable=False) for value in zeros]
        self.average = [tensorflow.Variable(v, trainable=False) for v in network.variables]

    @property
    def state(self) -> list[Any]:
        """Variables of the network, of the optimizer and of the average."""
        return [*self._network.variables, *self._first, *self._second, *self.average]

    def reset(self) -> None:
        """Forget the steps so far; the average begins with the weights as they are."""
        for variable in (*self._first, *self._second):
            variable.assign(variable * 0)
        for mean, variable in zip(self.average, self._network.variables, strict=True):
            mean.assign(variable)

    def apply(
        self, gradients: Sequence[Any], step: Any, rates: tuple[Any, Any], decay: Any
    ) -> None:
        """Change the weights.

        Args:
            gradients: one for each of ``network.trained``.
            step: number of this step, float32, from 1.
            rates: of the trunk, and of the head.
            decay: share of the average that stays.
        """
        tensorflow = tf.tensorflow()
        clipped, _ = tensorflow.clip_by_global_norm(gradients, self._clip)
        powers = tensorflow.pow(_BETA_1, step), tensorflow.pow(_BETA_2, step)
        count = len(self._network.trunk)
        for index, (variable, gradient) in enumerate(
            zip(self._network.trained, clipped, strict=True)
        ):
            tensorflow.raw_ops.ResourceApplyAdam(
                var=variable.handle, m=self._first[index].handle, v=self._second[index].handle,
                beta1_power=powers[0], beta2_power=powers[1],
                lr=rates[0] if index < count else rates[1],
                beta1=_BETA_1, beta2=_BETA_2, epsilon=_ADAM_EPSILON, grad=gradient,
            )  # fmt: skip
        for mean, variable in zip(self.average, self._network.variables, strict=True):
            mean.assign_sub((1 - decay) * (mean - variable))


def _parameters(layer: FoldedLayer, normed: bool) -> Parameters:
    tensorflow = tf.tensorflow()
    # TFLite: [out, h, w, in] and [1, h, w, channels]; TensorFlow: [h, w, in, out], [h, w, c, 1].
    kernel = tensorflow.Variable(np.ascontiguousarray(layer.kernel.transpose(1, 2, 3, 0)))
    channels = len(layer.bias)
    if not normed:
        return Parameters(kernel, tensorflow.Variable(layer.bias), ())
    ones, zeros = np.ones(channels, np.float32), np.zeros(channels, np.float32)
    norm = (
        tensorflow.Variable(ones),
        tensorflow.Variable(layer.bias),
        tensorflow.Variable(zeros, trainable=False),
        tensorflow.Variable(ones, trainable=False),
    )
    return Parameters(kernel, None, norm)


def _normalized(data: Any, norm: tuple[Any, ...]) -> Any:
    scale, shift, mean, variance = norm
    tensorflow = tf.tensorflow()
    output, *batch = tensorflow.compat.v1.nn.fused_batch_norm(
        data, scale, shift, epsilon=EPSILON, is_training=True
    )
    for moving, current in zip((mean, variance), batch, strict=True):
        moving.assign_sub((1 - _MOMENTUM) * (moving - current))
    return output


def _enlarged(data: Any) -> Any:
    """Repeat each value twice in both directions."""
    tensorflow = tf.tensorflow()
    _, height, width, _ = data.shape
    return tensorflow.image.resize(data, (2 * height, 2 * width), method="nearest")


def _folded(
    layer: FoldedLayer, own: Parameters, known: dict[int, NDArray[np.float32]]
) -> FoldedLayer:
    kernel = known[id(own.kernel)].transpose(3, 0, 1, 2)
    if not own.norm:
        return replace(layer, kernel=np.ascontiguousarray(kernel), bias=known[id(own.bias)])
    scale, shift, mean, variance = (known[id(variable)] for variable in own.norm)
    factor = scale / np.sqrt(variance + EPSILON)
    along = (1, 1, 1, -1) if layer.depthwise else (-1, 1, 1, 1)
    folded = np.ascontiguousarray(kernel * factor.reshape(along), np.float32)
    return replace(layer, kernel=folded, bias=(shift - mean * factor).astype(np.float32))
