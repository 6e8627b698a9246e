"""The head: L2-regularized multinomial logistic regression on the embeddings."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.training.embeddings import Embeddings
from converters.training.result import Curve
from converters.verification import calibration

STRENGTHS = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 1.0)
"""Candidates for C, the inverse of the regularization strength, smallest first."""

_MOST_ROWS = 20_000
"""Training rows above which further views are not worth embedding: they serve small data sets."""

_MOST_ITERATIONS = 300


@dataclass(frozen=True, slots=True)
class LinearHead:
    """A linear classifier on embeddings: ``softmax(embedding @ kernel + bias)``.

    ``kernel``: float32 [d, classes], ``bias``: float32 [classes], fitted on the training side
    with the chosen ``strength`` (C) and ``views``. The validation side chose, and was not trained
    on: ``validation_accuracy`` and ``validation_loss`` (log-loss at the temperature that suits)
    are measured there. ``unconverged``: the solver stopped early.
    """

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]
    strength: float
    views: tuple[str, ...]
    validation_accuracy: float
    validation_loss: float
    curve: Curve
    unconverged: bool


@dataclass(frozen=True, slots=True)
class _Candidate:
    strength: float
    views: tuple[str, ...]
    accuracy: float
    loss: float
    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]
    converged: bool


def affordable(views: tuple[str, ...], images: int) -> tuple[str, ...]:
    """Those of ``views`` that pay for so many ``images`` of the training side."""
    return views if len(views) * images <= _MOST_ROWS else views[:1]


def fit(embeddings: Embeddings) -> LinearHead:
    """Fit on the training side; choose C and the views on the validation side.

    The choice goes by validation log-loss: on the small validation sides that makers have, many
    candidates tie in accuracy, and the loss tells them apart. It is the loss that each candidate
    has left at its own temperature, since the scores are calibrated afterwards anyway (Berta et
    al., "Rethinking Early Stopping: Refine, Then Calibrate", 2025). No refit takes the validation
    side in: temperature, threshold and fine-tuning's best epoch are judged on it next, which needs
    images that no weight has seen.

    The training side has images of every class.
    """
    candidates: list[_Candidate] = []
    # The image alone, and with all further views; a dict, since both may be the same.
    for views in dict.fromkeys((embeddings.views[:1], embeddings.views)):
        candidates += _path(embeddings, views)
    best = min(candidates, key=lambda c: (c.loss, -c.accuracy, len(c.views), c.strength))
    return LinearHead(
        kernel=best.kernel,
        bias=best.bias,
        strength=best.strength,
        views=best.views,
        validation_accuracy=best.accuracy,
        validation_loss=best.loss,
        curve=_curve([c for c in candidates if c.views == best.views]),
        unconverged=not best.converged,
    )


def _rows(embeddings: Embeddings, views: tuple[str, ...]) -> NDArray[np.float32]:
    """The training side, [n × views, d], one view after the other."""
    return np.concatenate([embeddings.train[:, embeddings.views.index(view)] for view in views])


def _path(embeddings: Embeddings, views: tuple[str, ...]) -> list[_Candidate]:
    """All strengths for one set of views, each fit starting where the last one ended."""
    features = _rows(embeddings, views)
    labels = np.tile(embeddings.train_labels, len(views))
    scaler = _scaler(features)
    scaled = scaler.transform(features)
    judged = scaler.transform(embeddings.validation)
    truth = embeddings.validation_labels
    found, model = [], None
    for strength in STRENGTHS:
        model, converged = _solve(scaled, labels, strength, model)
        scores = model.predict_proba(judged)
        calibrated = calibration.scale_probabilities(
            scores, calibration.fit_temperature(scores, truth)
        )
        found.append(
            _Candidate(
                strength,
                views,
                float((scores.argmax(axis=1) == truth).mean()),
                calibration.reliability(calibrated, truth).log_loss,
                *_fold(model, scaler),
                converged,
            )
        )
    return found


def _scaler(features: NDArray[np.float32]) -> Any:
    """Standardization that leaves features small which int8 could not tell apart.

    The quantized embedding has 256 steps from 0 to its largest value. A feature that varies by
    less than two of them would be lifted, rounding noise and all, to the size of the others, and
    its huge weights would take the range from theirs.
    """
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(features)
    scaler.scale_ = np.maximum(scaler.scale_, 2 * np.abs(features).max() / 255)
    return scaler


def _solve(
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    strength: float,
    start: Any | None,
) -> tuple[Any, bool]:
    """A fitted scikit-learn classifier, and whether its solver converged."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    # Two classes: scikit-learn then fits one logistic function; _fold makes two outputs of it.
    model = LogisticRegression(C=strength, max_iter=_MOST_ITERATIONS, tol=1e-3, warm_start=True)
    if start is not None:
        model.coef_, model.intercept_ = start.coef_.copy(), start.intercept_.copy()
        model.classes_ = start.classes_
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        model.fit(features, labels)
    return model, not any(issubclass(w.category, ConvergenceWarning) for w in caught)


def _fold(model: Any, scaler: Any) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Kernel [d, classes] and bias with the standardization inside."""
    kernel = model.coef_.T.astype(np.float64)
    bias = model.intercept_.astype(np.float64)
    if kernel.shape[1] == 1:  # the logistic function of z is the softmax of (-z/2, z/2)
        kernel, bias = np.hstack([-kernel, kernel]) / 2, np.concatenate([-bias, bias]) / 2
    kernel = kernel / scaler.scale_[:, None]
    bias = bias - scaler.mean_ @ kernel
    return kernel.astype(np.float32), bias.astype(np.float32)


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
