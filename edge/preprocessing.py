"""From pixels to a model's input: one look-up per pixel, whatever the input's dtype."""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.image import Preprocessing, RgbImage
from edge.interpreter import Array, TensorSpec
from edge.modelfile.metadata import ModelMetadata

_DTYPES = ("uint8", "int8", "float32")
ASSUMED = ((127.5,), (127.5,))  # mean and std of a float model that does not say: [-1, 1]


def preprocessing_of(
    spec: TensorSpec, metadata: ModelMetadata | None, name: str
) -> tuple[Preprocessing, tuple[str, ...]]:
    """How images become the input ``spec``, with a note where that had to be assumed.

    Raises:
        ModelError: the input is no RGB image of uint8, int8 or float32.
    """
    shape, dtype = spec.shape, spec.dtype
    if len(shape) != 4 or shape[0] != 1 or shape[3] != 3 or dtype not in _DTYPES:
        raise ModelError(
            "a model whose input is one RGB image [1, height, width, 3]",
            f"{name}, whose input is {dtype} {list(shape)}",
            "inspect it with 'edge inspect'",
            code="model-unsupported-input",
        )
    height, width = shape[1:3]
    mean, std = (metadata.mean, metadata.std) if metadata else (None, None)
    if mean is not None and std is not None:
        if len(mean) not in (1, 3) or len(std) not in (1, 3):
            raise ModelError(
                "1 or 3 values each for mean and std",
                f"{len(mean)} and {len(std)} in the metadata of {name}",
                "convert the model again",
                code="metadata-invalid",
            )
        return Preprocessing(width, height, mean, std), ()
    if dtype == "float32":
        note = f"{name} does not say how to normalize pixels: they are scaled to the range -1 to 1"
        return Preprocessing(width, height, *ASSUMED), (note,)
    if spec.scale == 0:
        return Preprocessing(width, height, (0.0,), (1.0,)), ()
    # A quantized input that takes pixels as they are says with its scale what they mean.
    zero = spec.zero_point - (-128 if dtype == "int8" else 0)
    return Preprocessing(width, height, (float(zero),), (1 / spec.scale,)), ()


def input_table(spec: TensorSpec, preprocessing: Preprocessing) -> Array | None:
    """Input values of the pixel values 0–255: [256, 3] in the input's dtype.

    None: the input takes the pixels as they are. A quantized input whose codes are the pixel
    values up to one step of rounding takes exactly those, as every TFLite client feeds it; so does
    one with mean 0 and std 1, which says nothing but that.
    """
    levels = np.repeat(np.arange(256, dtype=np.float32)[:, None], 3, axis=1)
    mean = np.asarray(preprocessing.mean, np.float32)
    std = np.asarray(preprocessing.std, np.float32)
    real = (levels - mean) / std
    if spec.dtype == "float32":
        return real
    limits = np.iinfo(spec.dtype)
    codes = levels + limits.min
    raw = spec.scale == 0 or (not mean.any() and bool((std == 1).all()))
    wanted = codes if raw else real / np.float32(spec.scale) + spec.zero_point
    if np.abs(np.clip(wanted, limits.min, limits.max) - codes).max() <= 1.01:
        return None if spec.dtype == "uint8" else codes.astype(np.int8)
    table: Array = np.clip(np.rint(wanted), limits.min, limits.max).astype(spec.dtype)
    return table


def apply_table(table: Array | None, pixels: RgbImage) -> Array:
    """The input [1, height, width, 3] of stretched pixels uint8 [height, width, 3]."""
    if table is None:
        return np.ascontiguousarray(pixels)[None]
    looked_up: NDArray[np.generic] = cv2.LUT(np.ascontiguousarray(pixels), table[None])
    return looked_up[None]
