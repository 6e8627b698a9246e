"""The classification head: regularized logistic regression on embeddings."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import tf
from converters.backbone.weights import Backbone
from converters.tasks.classify.embeddings import Embeddings
from converters.training.balance import (
    AUTO,
    BALANCES,
    NONE,
    FitHead,
    fit_with,
    is_imbalanced,
    macro_log_loss,
)
from converters.training.config import Curve
from converters.verification import calibration
from edge import blas
from edge.logistic_regression import LogisticRegression


def assemble(
    backbone: Backbone,
    classes: int,
    kernel: NDArray[np.float32] | None = None,
    bias: NDArray[np.float32] | None = None,
    dropout: float = 0.0,
) -> Any:
    """Build a flat model: float32 [n, size, size, 3] in [-1, 1] to softmax float32 [n, classes].

    ``kernel`` [d, classes] and ``bias`` [classes] fill the layer "head"; without them it is
    initialized by Keras. ``dropout`` (a share) adds a layer before it, which pruning and
    quantization-aware training treat like any other.
    """
    keras = tf.keras()
    base = backbone.build()
    features = keras.layers.GlobalAveragePooling2D(name="pool")(base.output)
    if dropout:
        features = keras.layers.Dropout(dropout, name="dropout")(features)
    scores = keras.layers.Dense(classes, activation="softmax", name="head")(features)
    model = keras.Model(base.input, scores, name="classifier")
    if kernel is not None and bias is not None:
        model.get_layer("head").set_weights([kernel, bias])
    return model


STRENGTHS = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 1.0)
"""Candidates for C, the inverse of the regularization strength, smallest first."""

_MAX_ROWS = 20_000
"""Training rows above which more views are not worth embedding: they help small datasets."""


@dataclass(frozen=True, slots=True)
class LinearHead:
    """A linear classifier on embeddings: ``softmax(embedding @ kernel + bias)``.

    ``kernel``: float32 [d, classes], ``bias``: float32 [classes], fitted on the training split
    with the selected ``strength`` (C) and ``views``. They are selected on the validation split,
    where ``validation_accuracy`` and ``validation_loss`` (log-loss at the best temperature) are
    measured. ``unconverged``: the solver stopped early. ``balance``: how classes of different sizes
    were treated, and ``balances``: the macro log-loss of all that were tried, on the same split.
    """

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]
    strength: float
    views: tuple[str, ...]
    validation_accuracy: float
    validation_loss: float
    curve: Curve
    unconverged: bool
    balance: str = NONE
    balances: Mapping[str, float] = field(default_factory=dict)

    def scores(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the softmax of embeddings [n, d], float32 [n, classes]."""
        fitted = LogisticRegression(self.kernel, self.bias, not self.unconverged)
        return fitted.probabilities(embeddings)


@dataclass(frozen=True, slots=True)
class _Candidate:
    strength: float
    views: tuple[str, ...]
    accuracy: float
    loss: float
    macro_loss: float
    fitted: LogisticRegression


def affordable(views: tuple[str, ...], images: int) -> tuple[str, ...]:
    """Return the ``views`` worth embedding for a training split of ``images`` images."""
    return views if len(views) * images <= _MAX_ROWS else views[:1]


def fit(embeddings: Embeddings, balance: str = AUTO, seed: int = 0) -> LinearHead:
    """Fit on the training split; select C and the views on the validation split.

    The criterion is validation log-loss: on small validation splits many candidates tie in
    accuracy, and the loss distinguishes them. It is the loss of each candidate at its own
    likeliest temperature, since how sure a head is can be changed afterwards (Berta et al.,
    "Rethinking Early Stopping: Refine, Then Calibrate", 2025), and smaller weights survive int8
    better. The validation split is never added to the training data: temperature, threshold and
    fine-tuning's best epoch are selected on it next, which needs images on which no weight was
    trained.

    The training split must have images of every class. Where its classes differ in size, "auto"
    takes the ``balance`` with the lowest macro log-loss, in which classes count the same; so are
    candidates of any balance but "none" selected. ``seed``: of images drawn.
    """
    if balance != AUTO:
        return _fit(embeddings, balance, seed)
    imbalanced = is_imbalanced(embeddings.train_labels)
    tried = BALANCES[1:] if imbalanced else (NONE,)
    heads = [_fit(embeddings, name, seed) for name in tried]
    losses = {head.balance: head.balances[head.balance] for head in heads}
    best = min(heads, key=lambda head: losses[head.balance])
    return replace(best, balances=losses)


def _fit(embeddings: Embeddings, balance: str, seed: int) -> LinearHead:
    """Fit with one balance; see :func:`fit`."""
    # The image alone, and with all views; a dict, since both may be the same.
    tried = dict.fromkeys((embeddings.views[:1], embeddings.views))
    # The number of threads of BLAS belongs to the process: set it once, around both.
    with blas.one_thread(), ThreadPoolExecutor(len(tried)) as pool:
        path = partial(_path, embeddings, fit_with(balance, seed))
        candidates = list(chain(*pool.map(path, tried)))

    def rank(candidate: _Candidate) -> tuple[float, ...]:
        loss = candidate.loss if balance == NONE else candidate.macro_loss
        return loss, -candidate.accuracy, len(candidate.views), candidate.strength

    best = min(candidates, key=rank)
    return LinearHead(
        kernel=best.fitted.kernel,
        bias=best.fitted.bias,
        strength=best.strength,
        views=best.views,
        validation_accuracy=best.accuracy,
        validation_loss=best.loss,
        curve=_curve([c for c in candidates if c.views == best.views]),
        unconverged=not best.fitted.converged,
        balance=balance,
        balances={balance: best.macro_loss},
    )


def _rows(embeddings: Embeddings, views: tuple[str, ...]) -> NDArray[np.float32]:
    """Return the training split, [n × views, d], one view after the other."""
    return np.concatenate([embeddings.train[:, embeddings.views.index(view)] for view in views])


def _path(embeddings: Embeddings, fit_head: FitHead, views: tuple[str, ...]) -> list[_Candidate]:
    """Fit all strengths for a set of views, each starting from the previous fit."""
    features = _rows(embeddings, views)
    labels = np.tile(embeddings.train_labels, len(views))
    truth = embeddings.validation_labels
    candidates: list[_Candidate] = []
    for strength in STRENGTHS:
        start = candidates[-1].fitted if candidates else None
        fitted = fit_head(features, labels, strength, start)
        scores = fitted.probabilities(embeddings.validation)
        calibrated = calibration.scale_probabilities(
            scores, calibration.likeliest_temperature(scores, truth)
        )
        candidates.append(
            _Candidate(
                strength,
                views,
                float((scores.argmax(axis=1) == truth).mean()),
                calibration.reliability(calibrated, truth).log_loss,
                macro_log_loss(calibrated, truth),
                fitted,
            )
        )
    return candidates


def _curve(candidates: list[_Candidate]) -> Curve:
    return Curve(
        title="LinearHead regularization",
        x_label="C (larger: weaker regularization)",
        y_label="validation accuracy and log-loss",
        x=tuple(c.strength for c in candidates),
        series={
            "accuracy": tuple(c.accuracy for c in candidates),
            "log-loss": tuple(c.loss for c in candidates),
        },
    )
