"""Golden outputs: a model's outputs on one machine, to compare another machine's with.

Two machines never compute exactly the same outputs: kernels round differently, and an Edge TPU has
its own. So the difference is measured relative to how much the outputs vary from input to input. A
wrong model, a broken delegate or other weights differ by as much as the outputs vary at all.
"""

import io
import zipfile
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.image import RgbImage
from edge.interpreter import Array, Runtime, TensorSpec
from edge.modelfile import metadata
from edge.preprocessing import apply_table, input_table, preprocessing_of
from edge.tasks.detect.heads import ssd

COUNT = 4
"""Number of inputs."""

LIMIT = 0.25
"""Deviation, as a share of the outputs' own variation, above which the outputs differ.

Ten published models deviated by at most 0.18 between ai-edge-litert and tflite-runtime on x86-64,
whose kernels round most differently, and by 0.3 to 29 with their largest weights shuffled; two
were off by less then, one of them with an output that never varies.
"""

STEPS = 4
"""Steps of a quantized output by which interpreters differ anyway."""


@dataclass(frozen=True, slots=True)
class GoldenOutputs:
    """Seeded inputs of a model and its outputs for them.

    Attributes:
        inputs: An array [COUNT, …] for each input, in the input's dtype.
        outputs: The real values [COUNT, …], float32, of each compared output.
    """

    inputs: tuple[Array, ...]
    outputs: tuple[NDArray[np.float32], ...]


def compute(runtime: Runtime, name: str, seed: int = 0) -> GoldenOutputs:
    """Compute a model's outputs on seeded images, or on noise if it does not take images.

    Raises:
        ModelError: the model fails.
    """
    random = np.random.default_rng(seed)
    inputs = tuple(
        np.stack([_input(runtime, spec, name, random) for _ in range(COUNT)])
        for spec in runtime.inputs
    )
    return GoldenOutputs(inputs, compute_outputs(runtime, inputs))


def compute_outputs(runtime: Runtime, inputs: tuple[Array, ...]) -> tuple[NDArray[np.float32], ...]:
    """Compute the real values of the model's outputs for inputs [COUNT, …].

    Of an SSD's post-processing it is only the scores, which are sorted: boxes change places where
    two scores are almost equal.

    Raises:
        ModelError: the inputs do not belong to this model, or it fails.
    """
    runs = [runtime.invoke(*arrays) for arrays in zip(*inputs, strict=True)]
    return tuple(
        np.stack([runtime.outputs[index].dequantize(outputs[index]) for outputs in runs])
        for index in _compared(runtime)
    )


def deviation(runtime: Runtime, golden: GoldenOutputs) -> float:
    """Measure the deviation from the golden outputs: 0 equal, 1 as much as the outputs vary.

    Of class indices, such as those of pixels, it is the share of wrong ones.

    Raises:
        ModelError: the golden outputs do not belong to this model, or it fails, or its outputs
            are not finite.
    """
    outputs = compute_outputs(runtime, golden.inputs)
    if [output.shape for output in outputs] != [output.shape for output in golden.outputs]:
        shapes = " and ".join(str(list(output.shape)) for output in outputs)
        raise ModelError(
            "outputs of the same shapes as on the workstation",
            shapes,
            "deploy again",
            code="golden-shape-mismatch",
        )
    specs = [runtime.outputs[index] for index in _compared(runtime)]
    compared = zip(specs, outputs, golden.outputs, strict=True)
    return max(_deviation(spec, *_finite(runtime, *pair)) for spec, *pair in compared)


def pack(golden: GoldenOutputs) -> bytes:
    """Pack golden outputs as a .npz file; equal outputs give equal bytes."""
    named = {f"input{i}": array for i, array in enumerate(golden.inputs)}
    named |= {f"answer{i}": array for i, array in enumerate(golden.outputs)}
    file = io.BytesIO()
    np.savez_compressed(file, **named)
    return file.getvalue()


def unpack(content: bytes, name: str) -> GoldenOutputs:
    """Unpack golden outputs from a .npz file.

    Raises:
        ModelError: the content is not one.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            inputs, outputs = (
                tuple(file[f"{kind}{i}"] for i in range(sum(n.startswith(kind) for n in file)))
                for kind in ("input", "answer")
            )
    except (ValueError, OSError, KeyError, zipfile.BadZipFile) as error:
        raise ModelError(
            "test vectors (.npz)",
            f"{name} ({' '.join(str(error).split())})",
            "deploy again",
            code="golden-unreadable",
        ) from None
    return GoldenOutputs(inputs, outputs)


def _compared(runtime: Runtime) -> tuple[int, ...]:
    """Return the indices of the outputs that are compared."""
    head = ssd.match_head(runtime)
    scores = None if head is None else head.scores
    return tuple(range(len(runtime.outputs))) if scores is None else (scores,)


def _input(runtime: Runtime, spec: TensorSpec, name: str, random: np.random.Generator) -> Array:
    """Make a random input [1, …] of a model."""
    if len(spec.shape) == 4 and spec.shape[3] == 3:
        about = metadata.of(runtime.file, name)
        preprocessing, _ = preprocessing_of(spec, about, name)
        table = input_table(spec, preprocessing)
        return apply_table(table, _blobs(*spec.shape[1:3], random))
    if np.issubdtype(np.dtype(spec.dtype), np.floating):
        return random.random(spec.shape).astype(spec.dtype)
    limits = np.iinfo(spec.dtype)
    return random.integers(limits.min, limits.max, spec.shape, endpoint=True).astype(spec.dtype)


def _blobs(height: int, width: int, random: np.random.Generator) -> RgbImage:
    """Make an image of six by six random colors that blend into each other."""
    colors = random.integers(0, 256, (6, 6, 3), np.uint8)
    blobs = cv2.resize(colors, (width, height), interpolation=cv2.INTER_CUBIC)
    return blobs.astype(np.uint8)


def _finite(
    runtime: Runtime, output: NDArray[np.float32], expected: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Set both to 0 where the expected value is not finite and proves nothing."""
    finite = np.isfinite(expected)
    if not np.isfinite(output[finite]).all():
        raise ModelError(
            "finite outputs, as on the workstation",
            f"NaN or infinity from {runtime.name} ({runtime.package}, {runtime.delegate})",
            "deploy another variant of the model, such as int8",
            code="output-not-finite",
        )
    return np.where(finite, output, np.float32(0)), np.where(finite, expected, np.float32(0))


def _deviation(
    spec: TensorSpec, output: NDArray[np.float32], expected: NDArray[np.float32]
) -> float:
    if spec.scale == 0 and not spec.dtype.startswith("float"):
        return float((output != expected).mean())
    # Absolute values, not squares: a keypoint that jumps between two almost equal positions
    # counts once.
    excess = np.maximum(np.abs(output - expected) - STEPS * spec.scale, 0)
    return float(excess.sum()) / max(float(np.abs(expected - expected.mean()).sum()), 1e-6)
