"""Test vectors: inputs of a model with what it answered on one machine, to hold another against.

Two machines never answer alike to the bit: kernels round differently, and an Edge TPU has its own.
What is compared is how far the answers are apart beside how far they vary from input to input. A
wrong model, a broken delegate or other weights are off by as much as the answers vary at all.
"""

import io
import zipfile
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge import preprocessing as pixels
from edge.errors import ModelError
from edge.image import RgbImage
from edge.interpreter import Array, Runtime, TensorSpec
from edge.modelfile import metadata
from edge.tasks.detect.heads import ssd

COUNT = 4
"""How many inputs."""

LIMIT = 0.25
"""Deviation, as a share of the answers' own variation, above which a model answers otherwise.

Ten published models deviated by at most 0.18 between ai-edge-litert and tflite-runtime on x86-64,
whose kernels round most differently, and by 0.3 to 29 with their largest weights shuffled; two
were off by less then, one of them with an answer that never varies.
"""

STEPS = 4
"""Steps of a quantized output that say nothing: interpreters differ by as much."""


@dataclass(frozen=True, slots=True)
class GoldenOutputs:
    """``inputs``: per input of the model an array [COUNT, …] as the interpreter takes it;
    ``answers``: per output the real values [COUNT, …], float32."""

    inputs: tuple[Array, ...]
    answers: tuple[NDArray[np.float32], ...]


def make(runtime: Runtime, name: str, seed: int = 0) -> GoldenOutputs:
    """What the model answers on seeded images, or on noise where it takes none.

    Raises:
        ModelError: the model fails.
    """
    random = np.random.default_rng(seed)
    inputs = tuple(
        np.stack([_input(runtime, spec, name, random) for _ in range(COUNT)])
        for spec in runtime.inputs
    )
    return GoldenOutputs(inputs, answers(runtime, inputs))


def answers(runtime: Runtime, inputs: tuple[Array, ...]) -> tuple[NDArray[np.float32], ...]:
    """The real values of the model's outputs for inputs [COUNT, …].

    Of an SSD's post-processing only the scores, which fall: the boxes that belong to them change
    places where two score almost alike.

    Raises:
        ModelError: the inputs are not those of this model, or it fails.
    """
    told = [runtime.invoke(*arrays) for arrays in zip(*inputs, strict=True)]
    return tuple(
        np.stack([runtime.outputs[place].dequantize(outputs[place]) for outputs in told])
        for place in _compared(runtime)
    )


def deviation(runtime: Runtime, vectors: GoldenOutputs) -> float:
    """How far a model answers from what it should: 0 alike, 1 as far as the answers vary.

    Of classes, such as those of pixels, it is the share of wrong ones.

    Raises:
        ModelError: the vectors are not those of this model, or it fails or answers what is no
            finite number.
    """
    found = answers(runtime, vectors.inputs)
    if [one.shape for one in found] != [one.shape for one in vectors.answers]:
        shapes = " and ".join(str(list(one.shape)) for one in found)
        raise ModelError(
            "outputs of the same shapes as on the workstation",
            shapes,
            "deploy again",
            code="golden-shape-mismatch",
        )
    specs = [runtime.outputs[place] for place in _compared(runtime)]
    compared = zip(specs, found, vectors.answers, strict=True)
    return max(_deviation(spec, *_finite(runtime, one, wanted)) for spec, one, wanted in compared)


def pack(vectors: GoldenOutputs) -> bytes:
    """The vectors as a .npz file, the same bytes for the same vectors."""
    named = {f"input{i}": array for i, array in enumerate(vectors.inputs)}
    named |= {f"answer{i}": array for i, array in enumerate(vectors.answers)}
    file = io.BytesIO()
    np.savez_compressed(file, **named)
    return file.getvalue()


def unpack(content: bytes, name: str) -> GoldenOutputs:
    """The vectors of a .npz file.

    Raises:
        ModelError: it is none.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            inputs, told = (
                tuple(file[f"{kind}{i}"] for i in range(sum(n.startswith(kind) for n in file)))
                for kind in ("input", "answer")
            )
    except (ValueError, OSError, KeyError, zipfile.BadZipFile) as error:
        found = f"{name} ({' '.join(str(error).split())})"
        raise ModelError(
            "test vectors (.npz)", found, "deploy again", code="golden-unreadable"
        ) from None
    return GoldenOutputs(inputs, told)


def _compared(runtime: Runtime) -> tuple[int, ...]:
    """Which outputs are compared."""
    head = ssd.match_head(runtime)
    return tuple(range(len(runtime.outputs))) if head is None else (head.places[2],)


def _input(runtime: Runtime, spec: TensorSpec, name: str, random: np.random.Generator) -> Array:
    """One input [1, …] of a model."""
    if len(spec.shape) == 4 and spec.shape[3] == 3:
        about = metadata.of(runtime.file, name)
        preprocessing, _ = pixels.preprocessing_of(spec, about, name)
        table = pixels.input_table(spec, preprocessing)
        return pixels.apply_table(table, _blobs(*spec.shape[1:3], random))
    if np.issubdtype(np.dtype(spec.dtype), np.floating):
        return random.random(spec.shape).astype(spec.dtype)
    limits = np.iinfo(spec.dtype)
    return random.integers(limits.min, limits.max, spec.shape, endpoint=True).astype(spec.dtype)


def _blobs(height: int, width: int, random: np.random.Generator) -> RgbImage:
    """Six by six colors that run into each other."""
    colors = random.integers(0, 256, (6, 6, 3), np.uint8)
    blobs = cv2.resize(colors, (width, height), interpolation=cv2.INTER_CUBIC)
    return blobs.astype(np.uint8)


def _finite(
    runtime: Runtime, found: NDArray[np.float32], wanted: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Both with 0 where the workstation's answer was no finite number either: it says nothing."""
    said = np.isfinite(wanted)
    if not np.isfinite(found[said]).all():
        raise ModelError(
            "finite outputs, as on the workstation",
            f"NaN or infinity from {runtime.name} ({runtime.package}, {runtime.delegate})",
            "deploy another variant of the model, such as int8",
            code="output-not-finite",
        )
    return np.where(said, found, np.float32(0)), np.where(said, wanted, np.float32(0))


def _deviation(spec: TensorSpec, found: NDArray[np.float32], wanted: NDArray[np.float32]) -> float:
    if spec.scale == 0 and not spec.dtype.startswith("float"):
        return float((found != wanted).mean())
    # Absolute values, not squares: a keypoint that jumps between two places that are almost alike
    # counts as one.
    excess = np.maximum(np.abs(found - wanted) - STEPS * spec.scale, 0)
    return float(excess.sum()) / max(float(np.abs(wanted - wanted.mean()).sum()), 1e-6)
