"""Training: embeddings, head, and fine-tuning where it pays; or all from scratch."""

import time
from pathlib import Path
from typing import Any

from converters.backbone.weights import Backbone
from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.progress import Progress
from converters.training import classifier
from converters.training import head as heads
from converters.training.embeddings import embed
from converters.training.options import TrainingOptions
from converters.training.trained import Trained

__all__ = ["TrainingOptions", "train"]


def train(
    backbone: Backbone,
    dataset: Dataset,
    split: Split,
    options: TrainingOptions,
    cache: Path,
    progress: Progress,
) -> Trained:
    """Train a classifier for ``dataset``; its test side is not touched.

    With learned weights: a head on cached embeddings, then fine-tuning as ``options`` say. With
    random ones: everything from scratch. ``cache``: the folder for embeddings.
    """
    return _on_learned(backbone, dataset, split, options, cache, progress)


def _on_learned(
    backbone: Backbone,
    dataset: Dataset,
    split: Split,
    options: TrainingOptions,
    cache: Path,
    progress: Progress,
) -> Trained:
    started = time.perf_counter()
    embeddings = embed(
        backbone, dataset, split, cache, progress, views=options.augmentation.views()
    )
    embedded = time.perf_counter()
    head = heads.fit(embeddings, len(dataset.classes), options.seed)
    fitted = time.perf_counter()
    details: dict[str, Any] = {
        "embeddings": {"computed": embeddings.computed, "cached": embeddings.cached},
        "head": {
            "C": head.strength,
            "views": list(head.views),
            "validation_accuracy": head.validation_accuracy,
            "validation_loss": head.validation_loss,
        },
        "seconds": {"embed": embedded - started, "head": fitted - embedded},
    }
    return Trained(
        model=classifier.assemble(backbone, len(dataset.classes), head.kernel, head.bias),
        method="frozen",
        validation_accuracy=head.validation_accuracy,
        notes=(),
        curves=(head.curve,),
        details=details,
    )
