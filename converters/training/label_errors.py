"""Label errors: images whose given class is probably wrong, by predictions of heads without them.

After confident learning (Northcutt, Jiang, Chuang, "Confident Learning: Estimating Uncertainty in
Dataset Labels", Journal of Artificial Intelligence Research 70 (2021) 1373): predictions are those
of a cross-validation, so that no head has seen the label that it judges, and images are ranked by
the probability of their given class. The paper's threshold, the mean probability of a class among
its images, is left out: heads on few images are so unsure that it kept a third of the wrong labels.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converters.training.cross_validation import CrossValidation
from converters.verification.calibration import likeliest_temperature, scale_probabilities

_SMOOTHING = 10.0
"""Images added to each count of a confusion: what was seen once is not known to be rare."""


@dataclass(frozen=True, slots=True)
class LabelError:
    """An image whose label is suspect: its ``index``, and the ``likely`` class.

    ``score``: how little the image looks like its given class, 0 to 1 (worst).
    """

    index: int
    likely: int
    score: float


def find_label_errors(validated: CrossValidation) -> tuple[LabelError, ...]:
    """Find the images that are predicted as another class than the given one, the worst first.

    They are ranked by the calibrated probability of the given class, times how often images that
    are predicted alike are labeled so: a shirt that is called a T-shirt is no surprise, one that
    is called a shoe is. On grocery6 and Fashion-MNIST with 5 % wrong labels that had the most of
    them in front (``tests/benchmarks/suspects.py``).
    """
    labels, rows = validated.labels, np.arange(len(validated.labels))
    scores = validated.scores.mean(axis=0, dtype=np.float32)
    scores = scale_probabilities(scores, likeliest_temperature(scores, labels))
    predicted = scores.argmax(axis=1)
    labeled_so = _labeled_so(predicted, labels, scores.shape[1])
    plausibility = scores[rows, labels] * labeled_so[predicted, labels]
    suspect = np.flatnonzero(predicted != labels)
    order = suspect[np.argsort(plausibility[suspect], kind="stable")]
    return tuple(
        LabelError(index, int(predicted[index]), float(1 - plausibility[index]))
        for index in order.tolist()
    )


def _labeled_so(
    predicted: NDArray[np.int64], labels: NDArray[np.int64], classes: int
) -> NDArray[np.float64]:
    """Return how often images predicted as a class (row) have each label, 1 for the commonest."""
    counts = np.full((classes, classes), _SMOOTHING)
    np.add.at(counts, (predicted, labels), 1)
    shares: NDArray[np.float64] = counts / counts.max(axis=1, keepdims=True)
    return shares
