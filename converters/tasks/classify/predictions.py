"""Predictions of a classifier: the scores of a file on the images of a data set."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from converters.dataset.audit import Dataset
from converters.dataset.split import Indices, Split
from converters.progress import Progress
from converters.tasks.classify.embedding_cache import embed_by_file
from converters.tflite import Variant
from converters.verification.evaluate import Predictions, run_on_images
from converters.verification.sanity import check_finite
from edge.interpreter import load
from edge.modelwriter.embedding import split_off_head
from edge.tasks.classify.classifier import Classifier
from edge.tasks.classify.scores import gives_logits, to_scores
from edge.terminal import suppress_native_stderr

_WHERE = "validation and test split"

_CHECKED = 4
"""Images that a file is run on as a whole where its parts are run on all of them."""


def predict(variant: Variant, dataset: Dataset, split: Split, progress: Progress) -> Predictions:
    """Run a file on the validation and the test split; see :func:`score`."""
    both = np.concatenate([split.validation, split.test])
    return _predictions(variant, split, score(variant, dataset, both, _WHERE, progress))


def predict_in_parts(
    variant: Variant, dataset: Dataset, split: Split, cache: Path, progress: Progress
) -> Predictions:
    """Run the extractor in a file and its head one after the other on both splits.

    Between conversions with the same backbone only the head changes, so that what the extractor
    computes is kept in ``cache``, by its content and that of the image. Some images are run by the
    file as a whole. Should its scores not be exactly the same, so are all others.

    Raises:
        ModelError: the file is no classifier with an embedding.
        OutputError: ``cache`` cannot be written.
        ConversionError: the scores are not finite.
    """
    both = np.concatenate([split.validation, split.test])
    extractor, head = split_off_head(variant.content, variant.name)
    words = f"evaluating {variant.name} on the {_WHERE}"
    embeddings = embed_by_file(extractor, dataset, both, cache, words, progress)
    scores = _head_scores(head, variant.name, embeddings)
    spaced = np.unique(np.linspace(0, len(both) - 1, _CHECKED).astype(int))
    if np.array_equal(score_candidate(variant.content, dataset, both[spaced]), scores[spaced]):
        return _predictions(variant, split, scores)
    progress.say(
        f"{variant.name} as a whole gives other scores than its parts, of which some results come "
        "from the cache: it is run on every image."
    )
    return predict(variant, dataset, split, progress)


def _predictions(variant: Variant, split: Split, scores: NDArray[np.float32]) -> Predictions:
    validation, test = np.split(scores, [len(split.validation)])
    return Predictions(variant, validation, test)


def _head_scores(head: bytes, name: str, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the scores, float32 [n, classes], of embeddings or their codes, float32 [n, d]."""
    with suppress_native_stderr():
        runtime = load(head, name=f"the head of {name}", delegate="cpu", threads=1, trusted=True)
    given, result = runtime.inputs[0], runtime.outputs[0]
    rows = embeddings.astype(given.dtype).reshape(-1, *given.shape)
    logits = gives_logits(runtime.file, result)
    scores = np.stack([to_scores(runtime.invoke(row)[0], result, logits) for row in rows])
    check_finite(name, scores)
    return scores


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
