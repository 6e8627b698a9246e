"""Accuracy control: where int8 loses too much, what hurts stays in float, or is learned anew.

Layers that hurt are found by signal-to-noise, int8 against float32, on the calibration set. The
judge is the validation side, which no weight has learned from.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import tflite as quantize
from converters.compress.aware import qat
from converters.compress.context import RecipeContext, RecipeState
from converters.tflite import Variant
from converters.verification.layers import LayerNoise, layer_name, layer_noise
from converters.verification.metrics import Predictions
from edge.modelfile import tflite
from edge.tasks.classify.model import load_model
from edge.terminal.native_stderr import suppress_native_stderr

NAME = "int8-controlled"

_IMAGES = 16
"""Of the calibration set, to find the layers that hurt with."""

_MOST = 0.5
"""The share of all layers that is kept in float at most: beyond it, it is no int8 file."""


@dataclass(frozen=True, slots=True)
class _Judge:
    """Accuracy on the validation side; ``wanted`` is what float32 has, less what may be lost."""

    material: RecipeContext
    float32: float
    wanted: float

    @classmethod
    def beside(cls, float32: Predictions, material: RecipeContext, max_drop: float) -> "_Judge":
        accuracy = _accuracy(float32.validation, material)
        return cls(material, accuracy, accuracy - max_drop / 100)

    def satisfied(self, attempt: "_Attempt") -> bool:
        return attempt.accuracy >= self.wanted - 1e-9

    def accuracy(self, content: bytes) -> float:
        return _accuracy(_scores(content, self.material), self.material)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A file, its accuracy on the validation side, and what was done for it in plain words."""

    content: bytes
    accuracy: float
    model: Any
    done: str
    details: dict[str, Any]


def apply_accuracy_control(
    model: Any,
    int8: Predictions,
    float32: Predictions,
    material: RecipeContext,
    max_drop: float,
    target: str = "cpu",
) -> Variant:
    """A remedy for an int8 file that loses too much.

    Layers are kept in float, those that hurt most first and ever more of them, until the
    validation side has back what it may not lose; where that does not do, or the Edge TPU is the
    ``target``, quantization-aware training. Of those that fall short the best is returned, and its
    notes say so.

    Args:
        model: flat tf_keras model, float32 [n, h, w, 3] to softmax [n, classes].
        int8: its file, from ``converters.tflite.to_int8``, and what it said.
        float32: its file, from ``converters.tflite.to_float32``, and what it said.
        material: calibration set, both sides, teacher and seed.
        max_drop: points of accuracy that may be lost against float32.
        target: "cpu", "edgetpu" or "all"; the last two rule out layers in float.

    Raises:
        ConversionError: the converter refused the model.
    """
    judge = _Judge.beside(float32, material, max_drop)
    before = _accuracy(int8.validation, material)
    attempts = []
    if target == "cpu":
        attempts.append(_keep_layers(model, float32.variant.content, int8.variant.content, judge))
    if not any(map(judge.satisfied, attempts)):
        attempts.append(_train(model, judge))
    best = max(attempts, key=lambda attempt: attempt.accuracy)
    figures = (
        f"Validation accuracy: float32 {judge.float32:.1%}, int8 {before:.1%}, "
        f"now {best.accuracy:.1%}"
    )
    verdict = "." if judge.satisfied(best) else f"; still below the required {judge.wanted:.1%}."
    return Variant(
        name=NAME,
        content=best.content,
        notes=(best.done, figures + verdict),
        details=({"step": "control", **best.details, "validation_accuracy": best.accuracy},),
        model=best.model,
    )


def _keep_layers(model: Any, float32: bytes, int8: bytes, judge: _Judge) -> _Attempt:
    """As few layers in float as it takes, doubling their number from one file to the next."""
    material = judge.material
    preprocessing = material.dataset.preprocessing
    with suppress_native_stderr():
        noise = layer_noise(float32, int8, material.calibration[:_IMAGES], preprocessing)
    calibrated = quantize.to_calibrated_float32(model, material.calibration, preprocessing)
    graph = _Graph.of(calibrated)
    hurt = [layer.tensor for layer in _worst_first(noise) if layer.tensor in graph.operations]
    attempts = []
    counts = list(_doubling(max(1, int(_MOST * len(hurt)))))
    for count in material.progress.track(counts, len(counts), "keeping layers in float"):
        kept = graph.around(hurt[:count])
        content = quantize.to_mixed_int8(calibrated, kept, preprocessing)
        layers = [layer_name(tensor) for tensor in kept]
        attempts.append(_kept(model, content, layers, judge.accuracy(content)))
        if judge.satisfied(attempts[-1]):
            break
    tried = [{"layers": len(a.details["layers"]), "accuracy": a.accuracy} for a in attempts]
    best = max(attempts, key=lambda attempt: attempt.accuracy)
    return replace(best, details={**best.details, "tried": tried})


def _kept(model: Any, content: bytes, layers: list[str], accuracy: float) -> _Attempt:
    done = (
        f"Kept in float, where 8 bits hurt most: {', '.join(layers)}. On the Edge TPU, everything "
        f"from {layers[0]} on would run on the CPU."
    )
    return _Attempt(content, accuracy, model, done, {"method": "float", "layers": layers})


def _train(model: Any, judge: _Judge) -> _Attempt:
    """Quantization-aware training: every layer stays in 8 bits."""
    draft = qat.run(RecipeState(model), qat.QatOptions(), judge.material)
    assert draft.content is not None
    done = (
        "Trained with simulated 8-bit rounding (quantization-aware training). No layer is in "
        "float, so this costs nothing on the Edge TPU."
    )
    details = {"method": "qat", **draft.details[-1]}
    return _Attempt(draft.content, judge.accuracy(draft.content), draft.model, done, details)


def _scores(content: bytes, material: RecipeContext) -> NDArray[np.float32]:
    """What a file says on the validation side, [n, classes]."""
    with suppress_native_stderr():  # the interpreter announces its delegate
        model = load_model(content, name="candidate.tflite")
    pixels = material.dataset.pixels
    return np.stack([model.scores(np.asarray(pixels[i])) for i in material.split.validation])


def _accuracy(scores: NDArray[np.float32], material: RecipeContext) -> float:
    """The share that ``scores`` of the validation side name right."""
    truth = material.dataset.labels[material.split.validation]
    return float((scores.argmax(1) == truth).mean())


def _worst_first(noise: Sequence[LayerNoise]) -> list[LayerNoise]:
    """Layers that add noise themselves, the most first."""
    finite = [layer for layer in noise if not math.isnan(layer.added_noise)]
    return sorted(finite, key=lambda layer: -layer.added_noise)


def _doubling(most: int) -> Iterator[int]:
    """1, 2, 4 … and ``most``."""
    count = 1
    while count < most:
        yield count
        count *= 2
    yield most


@dataclass(frozen=True, slots=True)
class _Graph:
    """``operations``: the name of each operation's output → names of what it reads, in order."""

    operations: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, content: bytes) -> "_Graph":
        graph = tflite.parse(content, "calibrated").graphs[0]
        names = [tensor.name for tensor in graph.tensors]
        return cls(
            {
                names[operator.outputs[0]]: tuple(names[i] for i in operator.inputs if i >= 0)
                for operator in graph.operators
            }
        )

    def around(self, tensors: Sequence[str]) -> list[str]:
        """The operations that give one of ``tensors``, those before and those behind.

        A layer is noisy for what is rounded in it: its weights, its output, or its input, in which
        a few large channels leave no steps to the others. A tensor stays unrounded where both the
        operation that gives it and the one that reads it are in float.
        """
        wanted = set(tensors)
        read = {source for tensor in wanted for source in self.operations[tensor]}
        return [
            output
            for output, inputs in self.operations.items()
            if output in wanted | read or wanted.intersection(inputs)
        ]
