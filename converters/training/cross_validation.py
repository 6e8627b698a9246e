"""Cross-validation of the head on cached embeddings: every image predicted by a head without it.

On a small data set the test split is a handful of images. Here each image is tested once per
repetition, by a head that was fitted without it and without its near-duplicates, so that all
images count. What is measured is a head on the frozen backbone in float32, not a model file.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from converters.training.balance import FitHead, fit_plain
from converters.verification.intervals import wilson_interval
from edge import blas

FOLDS = 5
REPETITIONS = 3
FEW_IMAGES = 20
"""Test images of a class below which the test split says little about it."""

MAX_WORK = 3e8
"""Rows × features × classes × folds × repetitions: some seconds on one core."""


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """Predictions of every image by heads that were fitted without it.

    ``scores``: float32 [repetitions, n, classes], softmax; ``labels``: int64 [n]; ``folds``: so
    many per repetition.
    """

    scores: NDArray[np.float32]
    labels: NDArray[np.int64]
    folds: int

    @property
    def repetitions(self) -> int:
        """Number of times that each image was predicted."""
        return len(self.scores)

    @property
    def accuracy(self) -> float:
        """Share of correct predictions (0–1)."""
        return float((self.scores.argmax(2) == self.labels).mean())

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy (0–1).

        Wilson's, for fewer images than there are: heads that share training images do not err
        independently, which inflates the variance by ``1 / repetitions + folds / (folds - 1)``.
        That is Nadeau and Bengio, "Inference for the Generalization Error", Machine Learning 52
        (2003) 239, for repeated cross-validation as in Bouckaert and Frank (PAKDD 2004).
        """
        images = len(self.labels)
        trials = images / (1 / self.repetitions + self.folds / (self.folds - 1))
        return wilson_interval(self.accuracy * trials, trials)

    @property
    def predictions(self) -> NDArray[np.int64]:
        """The class of each image, int64 [n], by the mean of its scores over the repetitions."""
        classes: NDArray[np.int64] = self.scores.mean(0).argmax(1)
        return classes

    def summary(self) -> "CrossValidationSummary":
        """Return the figures, without the scores of each image."""
        confusion = np.zeros((self.scores.shape[2],) * 2, np.int64)
        np.add.at(confusion, (self.labels, self.predictions), 1)
        return CrossValidationSummary(
            accuracy=self.accuracy,
            interval=self.interval,
            images=len(self.labels),
            folds=self.folds,
            repetitions=self.repetitions,
            confusion=tuple(map(tuple, confusion.tolist())),
        )


@dataclass(frozen=True, slots=True)
class CrossValidationSummary:
    """Figures of a :class:`CrossValidation`; see there.

    ``confusion``: numbers of images [true class][predicted class], each image counted once.
    """

    accuracy: float
    interval: tuple[float, float]
    images: int
    folds: int
    repetitions: int
    confusion: tuple[tuple[int, ...], ...]


def fold_numbers(
    labels: NDArray[np.int64], groups: NDArray[np.int64], folds: int, seed: int
) -> NDArray[np.int64]:
    """Assign images to folds at random: stratified, and each group within one fold.

    Args:
        labels: int64 [n], the class of each image.
        groups: int64 [n]; images of the same group show nearly the same thing.
        folds: number of folds.
        seed: of the random order.

    Returns:
        int64 [n], from 0 to ``folds - 1``.
    """
    rng = np.random.default_rng(seed)
    numbers = np.empty(len(labels), np.int64)
    _, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    members = np.split(np.argsort(group, kind="stable"), np.cumsum(sizes)[:-1])
    order = rng.permutation(len(members))
    order = order[np.argsort(-sizes[order], kind="stable")]  # the largest are placed first
    chances = (rng.random((len(members), folds)) / (2 + 2 * len(labels))).tolist()
    # Lists: five numbers are added sooner by Python than handed to NumPy.
    filled = [[0] * (int(labels.max()) + 1) for _ in range(folds)]
    images_in = [0] * folds
    for index, chance in zip(order.tolist(), chances, strict=True):
        classes = labels[members[index]].tolist()
        # Where the group's classes are rarest; of equal folds the emptiest, then a random one.
        crowd = [
            sum(filled[fold][label] for label in classes)
            + images_in[fold] / (1 + len(labels))
            + chance[fold]
            for fold in range(folds)
        ]
        chosen = crowd.index(min(crowd))
        numbers[members[index]] = chosen
        images_in[chosen] += len(classes)
        for label in classes:
            filled[chosen][label] += 1
    return numbers


def cross_validate(
    embeddings: NDArray[np.float32],
    labels: NDArray[np.int64],
    groups: NDArray[np.int64],
    c: float,
    seed: int,
    repetitions: int = REPETITIONS,
    folds: int = FOLDS,
    most_work: float = MAX_WORK,
    fit: FitHead = fit_plain,
) -> CrossValidation | None:
    """Predict every image by heads that were fitted without it and without its group.

    Args:
        embeddings: float32 [n, d], of the images as they are.
        labels: int64 [n], every class from 0 on.
        groups: int64 [n]; images of a group stay together.
        c: inverse strength of the regularization; see :func:`edge.logistic_regression.fit`.
        seed: of the folds.
        repetitions: at most so many; fewer where the data set is large.
        folds: at most so many; fewer where a class has fewer groups.
        most_work: rows × features × classes × folds × repetitions that are affordable.
        fit: fits a head.

    Returns:
        None where it is not possible (a class has a single group) or would take too long.
    """
    classes = int(labels.max()) + 1
    distinct = min(len(np.unique(groups[labels == label])) for label in range(classes))
    folds = min(folds, distinct)
    work = embeddings.size * classes * folds
    repetitions = int(min(repetitions, most_work // work))
    if folds < 2 or repetitions < 1:
        return None
    scores = np.empty((repetitions, len(labels), classes), np.float32)
    numbers = [fold_numbers(labels, groups, folds, seed + r) for r in range(repetitions)]

    def predict(repetition: int, fold: int) -> None:
        held_out = numbers[repetition] == fold
        fitted = fit(embeddings[~held_out], labels[~held_out], c, None)
        scores[repetition, held_out] = fitted.probabilities(embeddings[held_out])

    # The number of threads of BLAS belongs to the process: set it once, around all of them.
    with blas.one_thread(), ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        for _ in pool.map(predict, *zip(*product(range(repetitions), range(folds)), strict=True)):
            pass
    return CrossValidation(scores, labels, folds)
