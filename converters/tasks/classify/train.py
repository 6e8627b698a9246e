"""Training: embeddings, head, and fine-tuning where it helps; or everything from scratch."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import background
from converters.backbone.weights import Backbone
from converters.dataset.audit import Dataset
from converters.dataset.split import Split, draw_calibration
from converters.progress import Progress
from converters.tasks.classify import finetune
from converters.tasks.classify import head as heads
from converters.tasks.classify.embedding_cache import embed_by_file
from converters.tasks.classify.embeddings import Embeddings, embed
from converters.tasks.classify.finetune import fine_tune
from converters.training.balance import NONE, fit_with
from converters.training.config import TrainedModel, TrainingOptions
from converters.training.cross_validation import (
    FEW_IMAGES,
    CrossValidationSummary,
    cross_validate,
)
from converters.writer.classifier import ClassifierNetwork
from converters.writer.ranges import BackboneRanges
from edge.modelwriter.heads import LinearLayer
from edge.quantities import counted

__all__ = ["TrainingOptions", "train"]


@dataclass(frozen=True, slots=True, eq=False)
class FrozenFindings:
    """What the embeddings of a frozen backbone tell beside the head.

    ``validation_scores``, float32 [n, classes], and ``ranges`` of the activations on the
    calibration images, where they were measured; ``training_accuracy`` (0–1) of the head, and its
    ``strength``: C for the images alone, without other views.
    """

    validation_scores: NDArray[np.float32]
    ranges: BackboneRanges | None
    training_accuracy: float
    strength: float


def train(
    backbone: Backbone,
    dataset: Dataset,
    split: Split,
    options: TrainingOptions,
    cache: Path,
    progress: Progress,
) -> TrainedModel:
    """Train a classifier for ``dataset``, without its test split.

    With pretrained weights: a head on cached embeddings, then fine-tuning depending on
    ``options``. With random ones: everything from scratch. ``cache``: the folder for embeddings.
    """
    if backbone.pretrained:
        trained = _on_pretrained(backbone, dataset, split, options, cache, progress)
    else:
        trained = finetune.train_from_scratch(backbone, dataset, split, options, progress)
    return replace(trained, notes=(*trained.notes, *_ineffective_options(trained, options)))


def _on_pretrained(
    backbone: Backbone,
    dataset: Dataset,
    split: Split,
    options: TrainingOptions,
    cache: Path,
    progress: Progress,
) -> TrainedModel:
    views = heads.affordable(options.augmentation.views(), len(split.train))
    seconds = {"embed": 0.0, "head": 0.0}

    def fit(views: tuple[str, ...]) -> tuple[Embeddings, heads.LinearHead]:
        started = time.perf_counter()
        calibration = draw_calibration(dataset, split, options.seed)
        embeddings = embed(backbone, dataset, split, cache, progress, views, calibration)
        embedded = time.perf_counter()
        head = heads.fit(embeddings, options.balance, options.seed)
        seconds["embed"] += embedded - started
        seconds["head"] += time.perf_counter() - embedded
        return embeddings, head

    embeddings, head = fit(views[:1])
    if len(views) > 1 and head.validation_accuracy < finetune.GOOD_ENOUGH:  # room for more
        before = embeddings.computed
        embeddings, head = fit(views)
        computed, known = max(before, embeddings.computed), embeddings.computed + embeddings.cached
        embeddings = replace(embeddings, computed=computed, cached=known - computed)
    details: dict[str, Any] = {
        "embeddings": {"computed": embeddings.computed, "cached": embeddings.cached},
        "head": {
            "C": head.strength,
            "views": list(head.views),
            "validation_accuracy": head.validation_accuracy,
            "validation_loss": head.validation_loss,
            "balance": head.balance,
            "macro_log_loss": dict(head.balances),
        },
    }
    details["seconds"] = seconds
    validating = _begin_validation(embeddings, dataset, split, head, cache, seconds, progress)
    tuned = fine_tune(backbone, head, dataset, split, options, progress)
    curves = [head.curve]
    if tuned.history is not None:
        details["fine_tuning"] = {
            **finetune.history_record(tuned.history),
            "kept": tuned.network is not None,
        }
        if tuned.history.epochs:
            curves.append(tuned.history.curve("Fine-tuning"))
    frozen = tuned.network is None
    return TrainedModel(
        network=tuned.network or _on_frozen(backbone, head),
        method="frozen" if frozen else "fine-tuned",
        validation_quality=tuned.validation_accuracy,
        notes=(*_head_notes(head, embeddings), *tuned.notes),
        curves=tuple(curves),
        details=details,
        validating=validating,
        by_product=_findings(head, embeddings) if frozen else None,
    )


def _findings(head: heads.LinearHead, embeddings: Embeddings) -> FrozenFindings:
    predicted = head.scores(embeddings.train[:, 0]).argmax(axis=1)
    return FrozenFindings(
        validation_scores=head.scores(embeddings.validation),
        ranges=embeddings.ranges,
        training_accuracy=float((predicted == embeddings.train_labels).mean()),
        strength=head.strength * len(head.views),
    )


def _on_frozen(backbone: Backbone, head: heads.LinearHead) -> ClassifierNetwork:
    return ClassifierNetwork(backbone.arrays, backbone.size, LinearLayer(head.kernel, head.bias))


def _few_test_images(dataset: Dataset, split: Split) -> bool:
    tested = np.bincount(dataset.labels[split.test], minlength=len(dataset.classes))
    return int(tested.min()) < FEW_IMAGES


def _begin_validation(
    embeddings: Embeddings,
    dataset: Dataset,
    split: Split,
    head: heads.LinearHead,
    cache: Path,
    seconds: dict[str, float],
    progress: Progress,
) -> Callable[[], CrossValidationSummary | None]:
    """Begin to cross-validate the head on all images, if the test split is small.

    What is returned waits for the result, None where it would take too long. Its time is added to
    ``seconds``.
    """
    if not _few_test_images(dataset, split):
        return lambda: None
    indices = np.sort(np.concatenate([split.train, split.validation, split.test]))
    features = embed_by_file(
        embeddings.extractor, dataset, indices, cache, "Computing embeddings", progress
    )

    def validate() -> CrossValidationSummary | None:
        started = time.perf_counter()
        validated = cross_validate(
            features,
            dataset.labels[indices],
            dataset.groups[indices],
            # Each view adds its loss to that of the image: without the others C has to be larger.
            head.strength * len(head.views),
            split.seed,
            fit=fit_with(head.balance, split.seed),
        )
        seconds["cross_validation"] = time.perf_counter() - started
        return validated.summary() if validated else None

    return background.begin(validate)


def _head_notes(head: heads.LinearHead, embeddings: Embeddings) -> tuple[str, ...]:
    note = (
        f"Head on the frozen backbone: {head.validation_accuracy:.1%} validation accuracy "
        f"(C {head.strength:g}, views: {', '.join(head.views)}); embeddings of "
        f"{counted(embeddings.computed, 'image')} computed, {embeddings.cached} from the cache."
    )
    notes = (note, *_balance_notes(head))
    if head.unconverged:
        return *notes, "The solver of the head stopped before converging; the result is usable."
    return notes


def _balance_notes(head: heads.LinearHead) -> tuple[str, ...]:
    """Say how classes of different sizes were treated, and why."""
    if len(head.balances) == 1:
        return () if head.balance == NONE else (f"Balance of classes: {head.balance}.",)
    losses = ", ".join(f"{name} {loss:.3f}" for name, loss in head.balances.items())
    return (
        f"Balance of classes: {head.balance}, by the macro log-loss on the validation split "
        f"({losses}).",
    )


def _ineffective_options(trained: TrainedModel, options: TrainingOptions) -> tuple[str, ...]:
    """Return a sentence on options that the user changed without effect in this run."""
    default = TrainingOptions()
    idle: list[str] = []
    if trained.method == "scratch":
        idle = ["fine_tune", "budget", "balance"]
    elif "fine_tuning" not in trained.details:
        idle = ["epochs", "batch_size", "dropout", "label_smoothing", "budget"]
    changed = [name for name in idle if getattr(options, name) != getattr(default, name)]
    if not changed:
        return ()
    names = ", ".join("--" + name.replace("_", "-") for name in changed)
    why = "training from scratch" if trained.method == "scratch" else "a frozen backbone"
    return (f"No effect with {why}: {names}.",)
