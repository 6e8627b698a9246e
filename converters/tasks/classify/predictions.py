"""Predictions of a classifier: the scores of a file on the images of a data set."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from converters.dataset.audit import Dataset
from converters.dataset.split import Indices, Split
from converters.progress import Progress
from converters.tflite import Variant
from converters.verification.evaluate import Predictions, run_on_images
from converters.verification.sanity import check_finite
from edge.tasks.classify.classifier import Classifier
from edge.terminal import suppress_native_stderr


def predict(variant: Variant, dataset: Dataset, split: Split, progress: Progress) -> Predictions:
    """Run a file on the validation and the test split; see :func:`score`."""
    both = np.concatenate([split.validation, split.test])
    scores = score(variant, dataset, both, "validation and test split", progress)
    validation, test = np.split(scores, [len(split.validation)])
    return Predictions(variant, validation, test)


def score(
    variant: Variant, dataset: Dataset, indices: Indices, where: str, progress: Progress
) -> NDArray[np.float32]:
    """Run a file on the images at ``indices`` with the interpreter that the board uses.

    Returns:
        The scores, float32 [n, classes], dequantized.

    Raises:
        ConversionError: they are not finite.
        EdgeError: it does not run.
    """

    def open_model() -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
        return Classifier.from_bytes(
            variant.content, name=f"{variant.name}.tflite", threads=1, trusted=True
        ).scores

    words = f"evaluating {variant.name} on the {where}"
    scores = np.stack(run_on_images(open_model, dataset, indices, words, progress))
    check_finite(variant.name, scores)
    return scores


def score_candidate(content: bytes, dataset: Dataset, indices: Indices) -> NDArray[np.float32]:
    """Return the scores of a file without a name on the images at ``indices``, [n, classes]."""
    with suppress_native_stderr():  # the interpreter announces its delegate
        model = Classifier.from_bytes(content, name="candidate.tflite", trusted=True)
    return np.stack([model.scores(np.asarray(dataset.pixels[index])) for index in indices])
