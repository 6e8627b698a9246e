"""Suspects: images of a data set of classes whose label is probably wrong."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from converters.backbone import weights as backbone_weights
from converters.backbone.weights import Backbone
from converters.dataset.audit import Dataset
from converters.dataset.class_audit import audit_classes
from converters.dataset.listing import Listing
from converters.progress import Progress
from converters.tasks.classify.embedding_cache import embed_by_file
from converters.training.analysis import Suspect
from converters.training.cross_validation import CrossValidation, cross_validate
from converters.training.label_errors import find_label_errors
from converters.writer.float_files import to_float32
from converters.writer.folding import fold
from edge.errors import DatasetError
from edge.files import cache_folder
from edge.preprocessing import Preprocessing

_STRENGTH = 3e-3
"""C of the heads that judge labels: too regularized to learn wrong ones by heart."""


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedImages:
    """Images of a data set at ``indices``, int64 [n], with their ``features``, float32 [n, d].

    ``labels`` and ``groups``, int64 [n]: images of a group show nearly the same thing, whatever
    their labels.
    """

    indices: NDArray[np.int64]
    features: NDArray[np.float32]
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]


def embed_all(
    backbone: Backbone,
    dataset: Dataset,
    indices: NDArray[np.int64],
    cache: Path,
    progress: Progress,
) -> EmbeddedImages:
    """Embed images, from the ``cache`` where they are there."""
    extractor = to_float32(fold(backbone.arrays, backbone.size))
    features = embed_by_file(extractor, dataset, indices, cache, "Computing embeddings", progress)
    return EmbeddedImages(
        indices, features, dataset.labels[indices], _look_alikes(dataset)[indices]
    )


def find_suspects(
    images: EmbeddedImages, dataset: Dataset, seed: int, most_work: float = np.inf
) -> tuple[Suspect, ...] | None:
    """Find the images whose label is probably wrong, the worst first.

    Args:
        images: of the data set.
        dataset: their names and classes.
        seed: of the folds.
        most_work: see :func:`cross_validate`.

    Returns:
        None where a class has no second image to compare with, or it would take too long.
    """
    validated = judge_labels(images, seed, most_work)
    if validated is None:
        return None
    names, classes = dataset.images, dataset.classes
    return tuple(
        Suspect(
            file=names[images.indices[error.index]].name,
            given=classes[images.labels[error.index]],
            likely=classes[error.likely],
            score=error.score,
        )
        for error in find_label_errors(validated)
    )


def judge_labels(
    images: EmbeddedImages, seed: int, most_work: float = np.inf
) -> CrossValidation | None:
    """Predict every image by a head that saw neither it nor one that looks like it."""
    return cross_validate(
        images.features, images.labels, images.groups, _STRENGTH, seed,
        repetitions=1, most_work=most_work,
    )  # fmt: skip


def suspects_in(
    listing: Listing, weights: str | None, seed: int, workdir: Path, progress: Progress
) -> tuple[Suspect, ...]:
    """Find the suspects of a data set that nothing is known about yet.

    Args:
        listing: the images with their classes.
        weights: of the backbone; see :func:`converters.backbone.weights.load`.
        seed: of the folds.
        workdir: for pixels of large data sets.
        progress: shows progress and notes.

    Raises:
        DatasetError: a class has too few images.
        EdgeError: the weights or the cache are not usable.
    """
    backbone = backbone_weights.load(weights, None, None, seed, progress)
    size = Preprocessing(backbone.size, backbone.size)
    dataset = audit_classes(listing, size, workdir, progress)
    every = np.arange(len(dataset.images))
    images = embed_all(backbone, dataset, every, cache_folder(), progress)
    with progress.working("looking for wrong labels"):
        suspects = find_suspects(images, dataset, seed)
    if suspects is None:
        alone = next(
            dataset.classes[label]
            for label in np.unique(images.labels)
            if len(np.unique(images.groups[images.labels == label])) < 2
        )
        raise DatasetError(
            "at least 2 distinct images in each class",
            f"only copies of one in {alone!r}",
            f"add images of {alone!r}, or remove the class",
            code="class-too-small",
        )
    return suspects


def _look_alikes(dataset: Dataset) -> NDArray[np.int64]:
    """Return the groups of the data set, joined where images are alike and labeled otherwise."""
    groups = dataset.groups.copy()
    number = {image.name: index for index, image in enumerate(dataset.images)}
    for pair in dataset.audit.near_conflicts:
        first, second = (groups[number[name]] for name in pair)
        groups[groups == second] = first
    return groups
