"""Accuracy control: where int8 loses too much, keep sensitive layers in float, or retrain.

Sensitive layers are identified by signal-to-noise ratio, int8 against float32, on the calibration
set. Results are judged on the validation split, on which no weight was trained.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from converters import tflite
from converters.compression import methods, qat
from converters.compression.context import RecipeContext, RecipeState
from converters.tflite import Variant
from converters.verification.layers import LayerNoise, layer_name, layer_noise
from converters.verification.quality import QualityMetric
from edge.modelfile.tflite import parse
from edge.terminal import suppress_native_stderr

NAME = "int8-controlled"

_NOISE_IMAGES = 16
"""Calibration images on which the noise of layers is measured."""

_MAX_FLOAT_SHARE = 0.5
"""The largest share of layers to keep in float: beyond it, the file is int8 in name only."""


@dataclass(frozen=True, slots=True)
class _Judge:
    """Quality on the validation split; ``required`` is that of float32 less the allowed drop.

    ``measure``: returns the quality (0-1) of a file.
    """

    context: RecipeContext
    required: float
    measure: Callable[[bytes], float]

    def satisfied(self, attempt: "_Attempt") -> bool:
        return attempt.quality >= self.required - 1e-9


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A file, its quality on the validation split, and a sentence that describes its change."""

    content: bytes
    quality: float
    model: Any
    note: str
    details: dict[str, Any]


def apply_accuracy_control(
    context: RecipeContext,
    metric: QualityMetric,
    float32: float,
    int8: float,
    measure: Callable[[bytes], float],
    max_drop: float,
    target: str = "cpu",
) -> Variant:
    """Replace an int8 file that loses too much accuracy with a better one.

    Layers are kept in float, the most sensitive first and more with each attempt, until the
    quality on the validation split is back within ``max_drop``. If that is not enough, or the
    Edge TPU is a ``target``, quantization-aware training follows. If all fall short, the best is
    returned, and its notes mention it.

    Args:
        context: teacher, calibration set, both splits and seed.
        metric: what ``float32``, ``int8`` and ``measure`` are of.
        float32: quality (0-1) of the float32 file on the validation split.
        int8: that of the int8 file.
        measure: returns that of any file.
        max_drop: points that may be lost against float32.
        target: "cpu", "edgetpu" or "all"; the last two rule out layers in float.

    Raises:
        ConversionError: the converter rejected the model.
    """
    model, judge = context.teacher, _Judge(context, float32 - max_drop / 100, measure)
    attempts = []
    if target == "cpu":
        attempts.append(_keep_layers(model, judge))
    if not any(map(judge.satisfied, attempts)):
        attempts.append(_train(model, judge))
    best = max(attempts, key=lambda attempt: attempt.quality)
    figures = (
        f"Validation {metric.name}: float32 {float32:.1%}, int8 {int8:.1%}, now {best.quality:.1%}"
    )
    verdict = "." if judge.satisfied(best) else f"; still below the required {judge.required:.1%}."
    return Variant(
        name=NAME,
        content=best.content,
        notes=(best.note, figures + verdict),
        details=({"step": "control", **best.details, f"validation_{metric.key}": best.quality},),
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
        attempts.append(_float_attempt(model, content, layers, judge.measure(content)))
        if judge.satisfied(attempts[-1]):
            break
    tried = [{"layers": len(a.details["layers"]), "accuracy": a.quality} for a in attempts]
    best = max(attempts, key=lambda attempt: attempt.quality)
    return replace(best, details={**best.details, "tried": tried})


def _float_attempt(model: Any, content: bytes, layers: list[str], quality: float) -> _Attempt:
    note = (
        f"Kept in float, where 8 bits hurt most: {', '.join(layers)}. On the Edge TPU, everything "
        f"from {layers[0]} on would run on the CPU."
    )
    return _Attempt(content, quality, model, note, {"method": "float", "layers": layers})


def _train(model: Any, judge: _Judge) -> _Attempt:
    """Run quantization-aware training: every layer stays in 8 bits."""
    run = judge.context.run_method(methods.find("quantize", "qat"))
    state = run(RecipeState(model), qat.QatOptions(), judge.context)
    assert state.content is not None
    note = (
        "Trained with simulated 8-bit rounding (quantization-aware training). No layer is in "
        "float, so this costs nothing on the Edge TPU."
    )
    details = {"method": "qat", **state.details[-1]}
    return _Attempt(state.content, judge.measure(state.content), state.model, note, details)


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
