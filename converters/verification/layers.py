"""Quantization noise of each layer: its int8 output compared to its float32 output."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.preprocessing import Preprocessing

_WEIGHTED = ("Conv2D", "depthwise", "MatMul", "BiasAdd")


@dataclass(frozen=True, slots=True)
class LayerNoise:
    """One layer's output in int8 against float32.

    ``layer``: the Keras name; ``tensor``: the name in both files; ``operation``: TFLite's name;
    ``snr_db``: signal-to-noise ratio in dB, including the noise of all layers before (``inf`` if
    both are equal); ``input_snr_db``: the lowest of the layer's inputs.
    """

    layer: str
    tensor: str
    operation: str
    snr_db: float
    input_snr_db: float

    @property
    def added_noise(self) -> float:
        """Noise that this layer adds, as a share of its signal's power.

        It distinguishes a damaged layer from those after it, which only pass the noise on.
        """
        return _noise_to_signal(self.snr_db) - _noise_to_signal(self.input_snr_db)


def layer_noise(
    float32: bytes,
    int8: bytes,
    pixels: NDArray[np.uint8],
    preprocessing: Preprocessing,
) -> tuple[LayerNoise, ...]:
    """Run both files side by side and compare every activation that both have.

    The ratio is that of summed squares over all images, ``10 log10(Σ x² / Σ (x - x̂)²)``, as
    TensorFlow's quantization debugger and AIMET's per-layer analysis take it. It runs without
    XNNPACK, which keeps no intermediate values, so it takes several times as long as a plain run.

    Args:
        float32: A TFLite file.
        int8: The TFLite file that ``converters.tflite.to_int8`` converted from the same model,
            so that tensors share names.
        pixels: Images, uint8 RGB [n, h, w, 3] at the model's size, n ≥ 1.
        preprocessing: Preprocessing of the model.

    Returns:
        The layers in execution order.
    """
    reference, quantized = _Observed(float32, preprocessing), _Observed(int8, preprocessing)
    shared = [
        name
        for name, details in quantized.activations.items()
        if name in reference.activations
        # Where channels were removed, the outputs of blocks are still comparable.
        and np.array_equal(details["shape"], reference.activations[name]["shape"])
    ]
    signal, noise = dict.fromkeys(shared, 0.0), dict.fromkeys(shared, 0.0)
    for image in pixels:
        reference.run(image)
        quantized.run(image)
        for name in shared:
            expected, actual = reference.value(name), quantized.value(name)
            signal[name] += float(np.square(expected).sum())
            noise[name] += float(np.square(expected - actual).sum())
    snr = {name: _decibels(signal[name], noise[name]) for name in shared}
    return tuple(
        LayerNoise(
            layer=layer_name(name),
            tensor=name,
            operation=operation,
            snr_db=snr[name],
            input_snr_db=min((snr[i] for i in inputs if i in snr), default=math.inf),
        )
        for operation, name, inputs in quantized.operations()
        if name in snr
    )


def layer_name(tensor: str) -> str:
    """Return the Keras layer of a tensor; of a fused one, the layer with the weights.

    The converter calls the model's output "Identity", regardless of its layer.

    >>> layer_name("model/Conv1_relu/Relu6;model/Conv1/Conv2D")
    'Conv1'
    """
    parts = tensor.split(";")
    weighted = [part for part in parts if part.rpartition("/")[2].startswith(_WEIGHTED)]
    path = (weighted or parts)[0].split("/")
    if len(path) == 1:
        return "output" if path[0].startswith("Identity") else path[0]
    return path[-2]


def _decibels(signal: float, noise: float) -> float:
    if noise == 0:
        return math.inf
    return 10 * math.log10(signal / noise) if signal > 0 else -math.inf


def _noise_to_signal(snr_db: float) -> float:
    return float(10 ** (-snr_db / 10))


class _Observed:
    """An interpreter that keeps every intermediate value."""

    def __init__(self, content: bytes, preprocessing: Preprocessing) -> None:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        self._interpreter = Interpreter(
            model_content=content,
            experimental_preserve_all_tensors=True,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        self._interpreter.allocate_tensors()
        self._preprocessing = preprocessing
        self._input = self._interpreter.get_input_details()[0]
        self._details = {d["index"]: d for d in self._interpreter.get_tensor_details()}
        computed = [i for o in self._steps() for i in o["outputs"]]
        # The final dequantize or requantize repeats a name now and then: the last one is kept.
        self.activations: dict[str, dict[str, Any]] = {
            self._details[i]["name"]: self._details[i]
            for i in [self._input["index"], *map(int, computed)]
        }

    def _steps(self) -> list[dict[str, Any]]:
        return list(self._interpreter._get_ops_details())

    def operations(self) -> list[tuple[str, str, list[str]]]:
        """List the operations in order: name, output's name, names of the inputs."""
        return [
            (
                str(step["op_name"]),
                str(self._details[int(step["outputs"][0])]["name"]),
                [str(self._details[int(i)]["name"]) for i in step["inputs"] if i >= 0],
            )
            for step in self._steps()
        ]

    def run(self, image: NDArray[np.uint8]) -> None:
        """Run the model on an image, uint8 [h, w, 3]."""
        kind = self._input["dtype"]
        if kind == np.float32:
            values = self._preprocessing.normalize(image)
        else:  # one step is one pixel value, see converters.tflite
            values = (image.astype(np.int16) + np.iinfo(kind).min).astype(kind)
        self._interpreter.set_tensor(self._input["index"], values[None])
        self._interpreter.invoke()

    def value(self, name: str) -> NDArray[np.float64]:
        """Return the real values of a tensor."""
        details = self.activations[name]
        raw = self._interpreter.get_tensor(details["index"]).astype(np.float64)
        scale, zero_point = details["quantization"]
        return np.asarray((raw - zero_point) * scale if scale else raw)
