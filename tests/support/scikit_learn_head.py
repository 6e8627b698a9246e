"""The classification head fitted by scikit-learn: the judge of edge.logistic_regression."""

import warnings

import numpy as np
from numpy.typing import NDArray

from edge.logistic_regression import LogisticRegression


def fit(
    embeddings: NDArray[np.float32],
    labels: NDArray[np.int64],
    c: float,
    start: LogisticRegression | None = None,
    tolerance: float = 1e-3,
) -> LogisticRegression:
    """Do what edge.logistic_regression.fit does."""
    from sklearn import linear_model
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(embeddings)
    scaler.scale_ = np.maximum(scaler.scale_, 2 * np.abs(embeddings).max() / 255)
    two = labels.max() == 1
    # For two classes it fits one logistic function, of which half the weights are penalized twice.
    model = linear_model.LogisticRegression(
        C=2 * c if two else c, max_iter=300, tol=tolerance, warm_start=True
    )
    if start is not None:
        kernel = start.kernel * scaler.scale_[:, None]
        bias = start.bias + scaler.mean_ @ start.kernel
        model.coef_ = (kernel[:, 1:] - kernel[:, :1] if two else kernel).T.astype(np.float32)
        model.intercept_ = (bias[1:] - bias[:1] if two else bias).astype(np.float32)
        model.classes_ = np.unique(labels)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        model.fit(scaler.transform(embeddings), labels)
    kernel, bias = model.coef_.T.astype(np.float64), model.intercept_.astype(np.float64)
    if two:  # the logistic function of z is the softmax of (-z/2, z/2)
        kernel, bias = np.hstack([-kernel, kernel]) / 2, np.concatenate([-bias, bias]) / 2
    kernel = kernel / scaler.scale_[:, None]
    bias = bias - scaler.mean_ @ kernel
    converged = not any(issubclass(w.category, ConvergenceWarning) for w in caught)
    return LogisticRegression(kernel.astype(np.float32), bias.astype(np.float32), converged)
