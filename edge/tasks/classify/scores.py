"""Classification: from a model's output to named scores."""

import numpy as np
from numpy.typing import NDArray

from edge.interpreter import Array, Runtime, TensorSpec
from edge.modelfile.tflite import CUSTOM, Graph, ModelFile, OpInfo
from edge.results import Classification, ClassScore
from edge.tasks.task import check_finite

# Codes of the schema's BuiltinOperator.
LOGISTIC, SOFTMAX = 14, 25
_LINEAR = frozenset({0, 3, 9})
"""ADD, CONV_2D, FULLY_CONNECTED: what a logit comes from."""
_PASSING_ON = frozenset({6, 22, 43, 53, 70, 114})
"""DEQUANTIZE, RESHAPE, SQUEEZE, CAST, EXPAND_DIMS, QUANTIZE: they change how a value is written."""

Scores = NDArray[np.float32]


def count_classes(runtime: Runtime) -> int | None:
    """Return the number of classes that the model scores; None where it is no classifier.

    A classifier has one output [1, n] or [1, 1, 1, n]; a single value is the score of the second
    of two classes.
    """
    if len(runtime.inputs) != 1 or len(runtime.outputs) != 1:
        return None
    spec = runtime.outputs[0]
    known = spec.dtype in ("uint8", "int8", "float32")
    if not known or len(spec.shape) not in (2, 4) or any(size != 1 for size in spec.shape[:-1]):
        return None
    return max(2, spec.shape[-1]) if spec.shape[-1] else None


def is_binary(file: ModelFile, spec: TensorSpec, labels: int) -> bool:
    """Return whether a single output value is the probability of one of two classes, or its logit.

    A sigmoid or a quantized range of 0 to 1 shows a probability. A value without them can be
    anything, such as an age; only two ``labels`` show that it is a logit.
    """
    source = source_of(file.main, file.main.outputs[0])
    code = None if source is None else source.code
    if gives_logits(file, spec):
        return labels == 2 and code in _LINEAR
    return code != SOFTMAX and (code != CUSTOM or _is_fraction(spec))


def gives_logits(file: ModelFile, spec: TensorSpec) -> bool:
    """Return True for logits, which need a softmax to be scores from 0 to 1.

    The model's graph decides, not the values of one image, so that all images are treated
    alike: an output of SOFTMAX or LOGISTIC (through operations that only reshape or requantize it)
    has scores, and so has any whose quantized range lies within 0 to 1, and any of a custom
    operation, whose computation is not in the file.
    """
    if _is_fraction(spec):
        return False
    source = source_of(file.main, file.main.outputs[0])
    return source is None or source.code not in (SOFTMAX, LOGISTIC, CUSTOM)


def _is_fraction(spec: TensorSpec) -> bool:
    """Return whether the quantized range of an output lies within 0 to 1."""
    if not spec.scale:
        return False
    limits = np.iinfo(spec.dtype)
    low = (limits.min - spec.zero_point) * spec.scale
    high = (limits.max - spec.zero_point) * spec.scale
    return low >= -0.01 and high <= 1.01


def source_of(graph: Graph, tensor: int) -> OpInfo | None:
    """Return the operation that computes the values of ``tensor``, before any that pass them on."""
    makers = {output: op for op in graph.operators for output in op.outputs}
    for _ in range(len(graph.operators)):
        op = makers.get(tensor)
        if op is None:
            return None
        if op.code not in _PASSING_ON:
            return op
        tensor = op.inputs[0]
    return None


def to_scores(output: Array, spec: TensorSpec, logits: bool) -> Scores:
    """Return the scores, float32 [classes], of the raw output."""
    values = spec.dequantize(output.reshape(-1))
    if len(values) == 1:
        second = 1 / (1 + np.exp(-values)) if logits else np.clip(values, 0, 1)
        return np.concatenate([1 - second, second])
    if not logits:
        return values
    exponents = np.exp(values - values.max())
    scores: Scores = exponents / exponents.sum()
    return scores


def best_classes(
    scores: Scores,
    labels: tuple[str, ...],
    top: int,
    threshold: float | None = None,
    selected: NDArray[np.int64] | None = None,
) -> Classification:
    """Return the ``top`` best classes; equal scores in the order of their index.

    ``selected``: rising indices of the classes to report, None for all.

    Raises:
        ModelError: a score is no number.
    """
    check_finite(scores)
    known = np.arange(len(scores)) if selected is None else selected
    order = known[np.argsort(-scores[known], kind="stable")][:top]
    classes = tuple(ClassScore(labels[i], int(i), float(scores[i])) for i in order)
    return Classification(classes, threshold)
