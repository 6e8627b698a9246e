"""Analysis of classes: what cached embeddings tell in seconds about the labels."""

from pathlib import Path

import numpy as np

from converters.backbone.weights import Backbone
from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.progress import Progress
from converters.tasks.classify.suspects import embed_all, find_suspects
from converters.training.analysis import TrainingAnalysis
from edge.quantities import counted

_MOST_WORK = 1e9
"""Rows × features × classes × folds of an analysis within a conversion: some seconds."""


def analyze(
    backbone: Backbone, dataset: Dataset, split: Split, cache: Path, progress: Progress
) -> TrainingAnalysis:
    """Look for wrong labels among the images of the split."""
    indices = np.sort(np.concatenate([split.train, split.validation, split.test]))
    images = embed_all(backbone, dataset, indices, cache, progress)
    with progress.working("looking for wrong labels"):
        suspects = find_suspects(images, dataset, split.seed, _MOST_WORK)
    if suspects is None:
        return TrainingAnalysis(notes=(_left_out(len(indices)),))
    return TrainingAnalysis(suspects, len(indices))


def _left_out(images: int) -> str:
    return (
        f"Wrong labels were not looked for: {counted(images, 'image')} of these classes take too "
        "long here, or a class has only copies of one image. 'edge dataset suspects' tells."
    )
