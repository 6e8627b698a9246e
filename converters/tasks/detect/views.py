"""Training examples: changed images as the frozen layers of the network see them.

View number i is a function of the seed and i alone, so that a run that was killed goes on with the
same ones. They are computed in threads while TensorFlow trains, and kept for later epochs.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converters.tasks.detect.assignment import Cells, assign
from converters.tasks.detect.augmentation import BoxedImage, DetectionAugmentation
from converters.writer.float_files import DESCRIPTION, Float32
from converters.writer.graph import IMAGE, GraphNode, trace_graph
from edge.interpreter import load
from edge.modelwriter.network import Network, Tensor, to_bytes
from edge.preprocessing import Preprocessing
from edge.terminal import suppress_native_stderr

Features = tuple[NDArray[np.float16], ...]

_AHEAD = 3
"""Batches that are computed in advance."""


class FrozenLayers:
    """Frozen layers in interpreters, one for each thread."""

    def __init__(self, nodes: Sequence[GraphNode], names: Sequence[str], size: int) -> None:
        image = Tensor(IMAGE, (1, size, size, 3), "float32")
        traced = trace_graph(nodes, {IMAGE: image}, Float32())
        outputs = tuple(traced.activations[name] for name in names)
        self.shapes = tuple(output.shape[1:] for output in outputs)
        self._content = to_bytes(Network((image,), outputs, traced.operations, DESCRIPTION))
        self._preprocessing = Preprocessing(size, size)
        self._local = threading.local()

    def __call__(self, pixels: NDArray[np.uint8]) -> Features:
        """Return the outputs, float16 [h, w, c] each, for an image, uint8 RGB [size, size, 3]."""
        if not hasattr(self._local, "runtime"):
            with suppress_native_stderr():  # the interpreter announces its delegate
                self._local.runtime = load(
                    self._content, name="the network", delegate="cpu", threads=1, trusted=True
                )
        outputs = self._local.runtime.invoke(self._preprocessing.normalize(pixels)[None])
        return tuple(output[0].astype(np.float16) for output in outputs)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """An example: ``features`` float16 [h, w, c] each; ``labels`` and ``boxes`` by cell."""

    features: Features
    labels: NDArray[np.int32]
    boxes: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Views, one behind the other: float16 [b, h, w, c] each, int32 [b, n], float32 [b, n, 4]."""

    features: Features
    labels: NDArray[np.int32]
    boxes: NDArray[np.float32]


class Views:
    """Views of training images by their number.

    Args:
        image: returns an image by its number.
        count: number of images.
        size: side of the input.
        extract: the frozen layers.
        grid: all cells of the network.
        augmentation: how images are changed.
        seed: of all random choices.
        kept: number of different views; later ones repeat them.
    """

    def __init__(
        self,
        image: Callable[[int], BoxedImage],
        count: int,
        size: int,
        extract: FrozenLayers,
        grid: Cells,
        augmentation: DetectionAugmentation,
        seed: int,
        kept: int,
    ) -> None:
        self._image, self._count, self._size = image, count, size
        self._extract, self._grid = extract, grid
        self._augmentation, self._seed, self._kept = augmentation, seed, kept
        self._views: dict[int, View] = {}

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
        number %= self._kept
        if number not in self._views:
            self._views[number] = self._make(number)
        return self._views[number]

    def _make(self, number: int) -> View:
        epoch, position = divmod(number, self._count)
        order = np.random.default_rng((self._seed, epoch)).permutation(self._count)
        rng = np.random.default_rng((self._seed, epoch, position))
        first = int(order[position])
        changed = self._augmentation.view(self._size, first, self._count, self._image, rng)
        labels, boxes = assign(changed.boxes, changed.labels, changed.ignored, self._grid)
        return View(self._extract(changed.pixels), labels, boxes)


def _batch(views: list[View]) -> Batch:
    features = zip(*(view.features for view in views), strict=True)
    return Batch(
        tuple(np.stack(each) for each in features),
        np.stack([view.labels for view in views]),
        np.stack([view.boxes for view in views]),
    )
