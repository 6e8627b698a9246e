"""What training behind one cut needs: frozen features of views and validation images, a trainer."""

from collections.abc import Callable, Sequence

import numpy as np

from converters.tasks.detect.assignment import Cells
from converters.tasks.detect.augmentation import BoxedImage, DetectionAugmentation
from converters.tasks.detect.network import DetectorNetwork
from converters.tasks.detect.predictor import Predictor
from converters.tasks.detect.trainer import Trainer, cut_behind
from converters.tasks.detect.validation import AveragePrecision, average_precision
from converters.tasks.detect.views import FrozenLayers, Views

FEATURE_BYTES = 600_000_000
"""Memory for features of views."""

_MEASURED = 4
"""Steps that are timed, after one that TensorFlow takes long for."""


class CutWork:
    """Training behind a cut.

    Args:
        network: with the weights to start from.
        cut_name: the last node that stays as it is.
        images: of the training split.
        validation: at the input size.
        grid: all cells of the network.
    """

    def __init__(
        self,
        network: DetectorNetwork,
        cut_name: str,
        images: Sequence[BoxedImage],
        validation: Sequence[BoxedImage],
        grid: Cells,
    ) -> None:
        self._network, self.cut_name = network, cut_name
        self._images, self._validation, self._grid = images, validation, grid
        self._cut = cut_behind(network, cut_name)
        self._extract = FrozenLayers(self._cut.frozen, self._cut.features, network.size)
        self.trainer = Trainer(network, self._cut, grid)
        self._features = [self._extract(image.pixels) for image in validation]

    def views(self, augmentation: DetectionAugmentation, seed: int, kept: int) -> Views:
        """Return views of which at most ``kept``, and as many as fit into memory, differ."""
        count = sum(int(np.prod(shape)) for shape in self._extract.shapes)
        bytes_each = 2 * count + 20 * len(self._grid.strides)
        return Views(
            self._images.__getitem__, len(self._images), self._network.size, self._extract,
            self._grid, augmentation, seed, max(1, min(kept, FEATURE_BYTES // bytes_each)),
        )  # fmt: skip

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

    def precision(self, network: DetectorNetwork) -> AveragePrecision:
        """Return the average precision of a network, with the same frozen nodes, on validation."""
        cut = cut_behind(network, self.cut_name)
        predict = Predictor(
            cut.trained, cut.features, self._extract.shapes, network.strides, network.size
        )
        detected = [predict(features) for features in self._features]
        return average_precision(self._validation, detected, network.classes, network.size)
