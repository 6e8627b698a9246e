"""What a training is known by, and what its result says of it."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from converters.backbone.weights import Backbone
from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.pyramid.checkpoint import PhaseRecord
from converters.pyramid.trainer import Trained
from converters.pyramid.training import TrainedPyramid
from converters.training.config import Curve, TrainedModel

Names = Mapping[str, str]
"""Names of figures on the validation images, such as "mAP50", by key; the metric first."""


def training_key(
    backbone: Backbone,
    dataset: Dataset,
    split: Split,
    options: object,
    content: Callable[[Any], Iterable[bytes]],
) -> str:
    """Identify a training by all that it depends on, so that only the same one goes on.

    Args:
        backbone: the weights to start from.
        dataset: of the images.
        split: of ``dataset``.
        options: of the training; equal ones have equal texts.
        content: of the annotations of an image.
    """
    digest = hashlib.sha256(backbone.fingerprint.encode())
    for name in ("train", "validation"):
        for index in getattr(split, name):
            digest.update(dataset.images[index].digest.encode())
            for part in content(dataset.annotations[index]):
                digest.update(part)
        digest.update(name.encode())
    digest.update(repr((dataset.classes, options)).encode())
    return digest.hexdigest()[:20]


def described(
    trained: TrainedPyramid[Trained],
    backbone: Backbone,
    names: Names,
    details: Mapping[str, Any],
) -> TrainedModel:
    """Describe what was trained, and how far it came.

    Args:
        trained: the result.
        backbone: the weights that it started from.
        names: of the figures.
        details: plain values for the report, beside the phases.
    """
    best, metric = trained.best, next(iter(names))
    frozen = best.kind == trained.phases[0].kind
    part = "the head alone" if frozen else f"head and trunk behind {best.cut}"
    reached = ", ".join(f"{name} {trained.figures[key]:.1%}" for key, name in names.items())
    trials = [p for p in trained.phases[1:] if p.kind != best.kind and p.scores]
    tried = "".join(f" A trial behind {p.cut} reached {p.figures[metric][-1]:.1%}." for p in trials)
    note = (
        f"Trained {part}, starting from {backbone.weights}, in {trained.seconds:.0f} s: "
        f"{reached} on the validation split.{tried}"
    )
    return TrainedModel(
        network=trained.network,
        method="frozen" if frozen else "fine-tuned",
        validation_quality=trained.figures[metric],
        notes=(note,),
        curves=tuple(_curve(phase, names) for phase in trained.phases if len(phase.evaluated) > 1),
        details={**details, "phases": [phase.to_dict() for phase in trained.phases]},
    )


def _curve(phase: PhaseRecord, names: Names) -> Curve:
    metric = next(iter(names.values()))
    return Curve(
        title=f"{phase.kind.capitalize()} behind {phase.cut}",
        x_label="step",
        y_label=f"validation {metric}, training loss",
        x=tuple(float(step) for step in phase.evaluated),
        series={
            **{name: tuple(phase.figures[key]) for key, name in names.items()},
            "loss": tuple(phase.losses),
        },
    )
