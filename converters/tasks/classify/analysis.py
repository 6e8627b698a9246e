"""Analysis of classes: what cached embeddings tell in seconds about the labels."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from converters import background
from converters.backbone.weights import Backbone
from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.progress import Progress
from converters.tasks.classify.suspects import embed_all, find_suspects
from converters.training.analysis import TrainingAnalysis
from edge.quantities import counted

_MOST_WORK = 1e9
"""Rows × features × classes × folds of an analysis within a conversion: some seconds."""


def begin_analysis(
    backbone: Backbone, dataset: Dataset, split: Split, cache: Path, progress: Progress
) -> Callable[[], TrainingAnalysis]:
    """Begin to look for wrong labels among the images of the split; what is returned waits."""
    indices = np.sort(np.concatenate([split.train, split.validation, split.test]))
    images = embed_all(backbone, dataset, indices, cache, progress)

    def analyze() -> TrainingAnalysis:
        suspects = find_suspects(images, dataset, split.seed, _MOST_WORK)
        if suspects is None:
            return TrainingAnalysis(notes=(_left_out(len(indices)),))
        return TrainingAnalysis(suspects, len(indices))

    return background.begin(analyze)


def _left_out(images: int) -> str:
    return (
        f"Wrong labels were not looked for: {counted(images, 'image')} of these classes take too "
        "long here, or a class has only copies of one image. 'edge dataset suspects' tells."
    )
