"""Accuracy control: where int8 loses too much, keep sensitive layers in float, or retrain.

Sensitive layers are identified by signal-to-noise ratio, int8 against float32, on the calibration
set. Results are judged on the validation split, on which no weight was trained.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import tflite
from converters.compression import qat
from converters.compression.context import RecipeContext, RecipeState
from converters.tflite import Variant
from converters.verification.evaluate import Predictions
from converters.verification.layers import LayerNoise, layer_name, layer_noise
from edge.modelfile.tflite import parse
from edge.tasks.classify.classifier import Classifier
from edge.terminal import suppress_native_stderr

NAME = "int8-controlled"

_NOISE_IMAGES = 16
"""Calibration images on which the noise of layers is measured."""

_MAX_FLOAT_SHARE = 0.5
"""The largest share of layers to keep in float: beyond it, the file is int8 in name only."""


@dataclass(frozen=True, slots=True)
class _Judge:
    """Accuracy on the validation split; ``required`` is that of float32 less the allowed drop."""

    context: RecipeContext
    float32: float
    required: float

    @classmethod
    def from_float32(
        cls, float32: Predictions, context: RecipeContext, max_drop: float
    ) -> "_Judge":
        accuracy = _accuracy(float32.validation, context)
        return cls(context, accuracy, accuracy - max_drop / 100)

    def satisfied(self, attempt: "_Attempt") -> bool:
        return attempt.accuracy >= self.required - 1e-9

    def accuracy(self, content: bytes) -> float:
        return _accuracy(_scores(content, self.context), self.context)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A file, its accuracy on the validation split, and a sentence that describes its change."""

    content: bytes
    accuracy: float
    model: Any
    note: str
    details: dict[str, Any]


def apply_accuracy_control(
    model: Any,
    int8: Predictions,
    float32: Predictions,
    context: RecipeContext,
    max_drop: float,
    target: str = "cpu",
) -> Variant:
    """Replace an int8 file that loses too much accuracy with a better one.

    Layers are kept in float, the most sensitive first and more with each attempt, until the
    accuracy on the validation split is back within ``max_drop``. If that is not enough, or the
    Edge TPU is a ``target``, quantization-aware training follows. If all fall short, the best is
    returned, and its notes mention it.

    Args:
        model: flat tf_keras model, float32 [n, h, w, 3] to softmax [n, classes].
        int8: the predictions of its int8 file.
        float32: those of its float32 file.
        context: calibration set, both splits, teacher and seed.
        max_drop: points of accuracy that may be lost against float32.
        target: "cpu", "edgetpu" or "all"; the last two rule out layers in float.

    Raises:
        ConversionError: the converter rejected the model.
    """
    judge = _Judge.from_float32(float32, context, max_drop)
    before = _accuracy(int8.validation, context)
    attempts = []
    if target == "cpu":
        attempts.append(_keep_layers(model, judge))
    if not any(map(judge.satisfied, attempts)):
        attempts.append(_train(model, judge))
    best = max(attempts, key=lambda attempt: attempt.accuracy)
    figures = (
        f"Validation accuracy: float32 {judge.float32:.1%}, int8 {before:.1%}, "
        f"now {best.accuracy:.1%}"
    )
    verdict = "." if judge.satisfied(best) else f"; still below the required {judge.required:.1%}."
    return Variant(
        name=NAME,
        content=best.content,
        notes=(best.note, figures + verdict),
        details=({"step": "control", **best.details, "validation_accuracy": best.accuracy},),
        model=best.model,
    )


def _keep_layers(model: Any, judge: _Judge) -> _Attempt:
    """Keep as few layers in float as needed, doubling their number with each attempt.

    The layers are compared in files of TensorFlow's converter, whose names its quantizer takes.
    """
    context = judge.context
    preprocessing = context.dataset.preprocessing
    float32 = tflite.to_float32(model)
    int8 = tflite.to_int8(model, context.calibration, preprocessing)
    with suppress_native_stderr():
        noise = layer_noise(float32, int8, context.calibration[:_NOISE_IMAGES], preprocessing)
    calibrated = tflite.to_calibrated_float32(model, context.calibration, preprocessing)
    graph = _Graph.of(calibrated)
    sensitive = [layer.tensor for layer in _worst_first(noise) if layer.tensor in graph.operations]
    attempts = []
    counts = list(_doubling(max(1, int(_MAX_FLOAT_SHARE * len(sensitive)))))
    for count in context.progress.track(counts, len(counts), "keeping layers in float"):
        kept = graph.around(sensitive[:count])
        content = tflite.to_mixed_int8(calibrated, kept, preprocessing)
        layers = [layer_name(tensor) for tensor in kept]
        attempts.append(_float_attempt(model, content, layers, judge.accuracy(content)))
        if judge.satisfied(attempts[-1]):
            break
    tried = [{"layers": len(a.details["layers"]), "accuracy": a.accuracy} for a in attempts]
    best = max(attempts, key=lambda attempt: attempt.accuracy)
    return replace(best, details={**best.details, "tried": tried})


def _float_attempt(model: Any, content: bytes, layers: list[str], accuracy: float) -> _Attempt:
    note = (
        f"Kept in float, where 8 bits hurt most: {', '.join(layers)}. On the Edge TPU, everything "
        f"from {layers[0]} on would run on the CPU."
    )
    return _Attempt(content, accuracy, model, note, {"method": "float", "layers": layers})


def _train(model: Any, judge: _Judge) -> _Attempt:
    """Run quantization-aware training: every layer stays in 8 bits."""
    state = qat.run_qat(RecipeState(model), qat.QatOptions(), judge.context)
    assert state.content is not None
    note = (
        "Trained with simulated 8-bit rounding (quantization-aware training). No layer is in "
        "float, so this costs nothing on the Edge TPU."
    )
    details = {"method": "qat", **state.details[-1]}
    return _Attempt(state.content, judge.accuracy(state.content), state.model, note, details)


def _scores(content: bytes, context: RecipeContext) -> NDArray[np.float32]:
    """Return the scores of a file on the validation split, [n, classes]."""
    with suppress_native_stderr():  # the interpreter announces its delegate
        model = Classifier.from_bytes(content, name="candidate.tflite", trusted=True)
    pixels = context.dataset.pixels
    return np.stack([model.scores(np.asarray(pixels[i])) for i in context.split.validation])


def _accuracy(scores: NDArray[np.float32], context: RecipeContext) -> float:
    """Return the accuracy of ``scores`` on the validation split."""
    truth = context.dataset.labels[context.split.validation]
    return float((scores.argmax(1) == truth).mean())


def _worst_first(noise: Sequence[LayerNoise]) -> list[LayerNoise]:
    """Return the layers that add noise themselves, the noisiest first."""
    finite = [layer for layer in noise if not math.isnan(layer.added_noise)]
    return sorted(finite, key=lambda layer: -layer.added_noise)


def _doubling(limit: int) -> Iterator[int]:
    """Yield 1, 2, 4 … and ``limit``."""
    count = 1
    while count < limit:
        yield count
        count *= 2
    yield limit


@dataclass(frozen=True, slots=True)
class _Graph:
    """Operations of a model file.

    ``operations``: the name of each operation's output → names of its inputs, in order.
    """

    operations: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, content: bytes) -> "_Graph":
        graph = parse(content, "calibrated").graphs[0]
        names = [tensor.name for tensor in graph.tensors]
        return cls(
            {
                names[operator.outputs[0]]: tuple(names[i] for i in operator.inputs if i >= 0)
                for operator in graph.operators
            }
        )

    def around(self, tensors: Sequence[str]) -> list[str]:
        """Return the operations that produce ``tensors``, with those before and after them.

        A layer is noisy because of a tensor rounded in it: its weights, its output, or its input,
        in which a few large channels leave no resolution to the others. A tensor stays unrounded
        where both the operation that produces it and the one that reads it are in float.
        """
        noisy = set(tensors)
        read = {source for tensor in noisy for source in self.operations[tensor]}
        return [
            output
            for output, inputs in self.operations.items()
            if output in noisy | read or noisy.intersection(inputs)
        ]
