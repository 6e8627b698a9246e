"""The calibration set: the images from which int8 takes the range of every activation."""

import numpy as np
from numpy.typing import NDArray

from converters.dataset.audit import Dataset
from converters.dataset.split import Split

SIZE = 96
"""An image costs about 50 ms at 224 pixels on one core: most of the time that int8 takes."""


def calibration_set(
    dataset: Dataset, split: Split, seed: int, size: int = SIZE
) -> NDArray[np.uint8]:
    """Draw images at random from the training side, as many of each class.

    Classes take turns until ``size`` images are drawn or none is left; a class with few
    images gives all it has. With more classes than ``size``, ``size`` of the classes give one.

    Returns:
        uint8 RGB [n, height, width, 3], n ≤ size, in the order drawn (classes mixed).
    """
    rng = np.random.default_rng([seed, 0xCA11])  # a stream of its own, apart from other stages
    labels = dataset.labels[split.train]
    queues = [rng.permutation(split.train[labels == c]) for c in np.unique(labels)]
    rounds = max((len(queue) for queue in queues), default=0)
    drawn = [
        queues[c][turn]
        for turn in range(rounds)
        for c in rng.permutation(len(queues))
        if turn < len(queues[c])
    ]
    return np.asarray(dataset.pixels[np.array(drawn[:size], np.int64)])
