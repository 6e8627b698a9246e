"""Preprocessing: from an image to a model's input, the same everywhere.

Training, calibration, evaluation and the board all prepare an image with :class:`Preprocessing`;
nothing else in the toolkit resizes an image for a model.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.image import WARP_LIMIT, RgbImage, downscale
from edge.interpreter import Array, TensorSpec
from edge.modelfile.metadata import ModelMetadata
from edge.modelfile.normalization import Normalization

_DTYPES = ("uint8", "int8", "float32")
ASSUMED = ((127.5,), (127.5,))  # mean and std of a float model without metadata: [-1, 1]

_GRAY = 114
"""Value of the pixels around a letterboxed image, as YOLO is trained."""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """Preprocessing of an image for a model's input.

    The image is stretched to ``width`` × ``height`` (bilinear, no crop, as MediaPipe's
    image classifier does), and a pixel ``p`` of 0–255 means ``(p - mean) / std`` to the model.
    ``mean`` and ``std`` have one value for all channels, or one for each of R, G, B.
    """

    width: int
    height: int
    mean: tuple[float, ...] = (127.5,)
    std: tuple[float, ...] = (127.5,)

    def resize(self, image: RgbImage) -> RgbImage:
        """Resize an image to the model's size: uint8 RGB [height, width, 3]."""
        if image.shape[:2] == (self.height, self.width):
            return image
        size = (self.width, self.height)
        resized = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
        return resized.astype(np.uint8, copy=False)

    def normalize(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Convert resized pixels [..., height, width, 3] to real input values, float32."""
        mean = np.asarray(self.mean, np.float32)
        std = np.asarray(self.std, np.float32)
        return (pixels.astype(np.float32) - mean) / std

    def to_dict(self) -> dict[str, object]:
        """Return the preprocessing as JSON values."""
        return {
            "resize": "stretch",
            "interpolation": "bilinear",
            "colour": "RGB",
            "width": self.width,
            "height": self.height,
            "mean": list(self.mean),
            "std": list(self.std),
        }


@dataclass(frozen=True, slots=True)
class InputTransform:
    """Position of an image in a model's input: input pixel = image pixel × scale + offset."""

    scale_x: float
    scale_y: float
    left: int = 0
    top: int = 0


def resize_to_input(image: RgbImage, width: int, height: int, *, letterbox: bool) -> RgbImage:
    """Resize an image, uint8 [h, w, 3] of any channel order, to [height, width, 3].

    It is stretched as by :class:`Preprocessing`; with ``letterbox`` it keeps its aspect ratio,
    centered on gray, as in YOLO's training.
    """
    transform = input_transform(image.shape[1], image.shape[0], width, height, letterbox=letterbox)
    if not letterbox:
        return Preprocessing(width, height).resize(image)
    inner = (
        round(image.shape[1] * transform.scale_x),
        round(image.shape[0] * transform.scale_y),
    )
    padded: RgbImage = np.full((height, width, 3), _GRAY, np.uint8)
    resized = cv2.resize(image, inner, interpolation=cv2.INTER_LINEAR)
    top, left = transform.top, transform.left
    padded[top : top + inner[1], left : left + inner[0]] = resized
    return padded


def input_transform(
    image_width: int, image_height: int, width: int, height: int, *, letterbox: bool
) -> InputTransform:
    """Return the transform by which :func:`resize_to_input` resizes an image of that size."""
    if not letterbox:
        return InputTransform(width / image_width, height / image_height)
    scale = min(width / image_width, height / image_height)
    scale_x = max(scale, 1 / image_width)  # not less than a pixel
    scale_y = max(scale, 1 / image_height)
    left = (width - round(image_width * scale_x)) // 2
    top = (height - round(image_height * scale_y)) // 2
    return InputTransform(scale_x, scale_y, left, top)


def crop_square(image: RgbImage, left: float, top: float, side: float, size: int) -> RgbImage:
    """Crop a square of an image, uint8 [h, w, 3] of any channel order, to [size, size, 3].

    The square may extend beyond the image, where it is black.
    """
    small = downscale(image, WARP_LIMIT)
    scale_x, scale_y = small.shape[1] / image.shape[1], small.shape[0] / image.shape[0]
    step_x, step_y = scale_x * side / size, scale_y * side / size
    inverse = np.array(
        [
            [step_x, 0, scale_x * left + (step_x - 1) / 2],
            [0, step_y, scale_y * top + (step_y - 1) / 2],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(small, inverse, (size, size), flags=flags), np.uint8)


def preprocessing_of(
    spec: TensorSpec,
    metadata: ModelMetadata | None,
    name: str,
    given: Normalization | None = None,
) -> tuple[Preprocessing, tuple[str, ...]]:
    """Determine how images are preprocessed for the input ``spec``, with notes on assumptions.

    The normalization is the ``given`` one, else that of the metadata, else the input's
    quantization, else -1 to 1.

    Raises:
        ModelError: the input is not one RGB image of uint8, int8 or float32.
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
    if given is not None:
        return Preprocessing(width, height, given.mean, given.std), ()
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
        note = (
            f"{name} does not say how to normalize pixels: they are scaled to the range -1 to 1; "
            "choose another range with --mean and --std"
        )
        return Preprocessing(width, height, *ASSUMED), (note,)
    if spec.scale == 0:
        return Preprocessing(width, height, (0.0,), (1.0,)), ()
    # The scale of a quantized input that takes raw pixels is their normalization.
    zero = spec.zero_point - (-128 if dtype == "int8" else 0)
    return Preprocessing(width, height, (float(zero),), (1 / spec.scale,)), ()


def input_table(spec: TensorSpec, preprocessing: Preprocessing) -> Array | None:
    """Compute the input values of the pixel values 0–255: [256, 3] in the input's dtype.

    None: the input takes raw pixels. A quantized input whose codes equal the pixel values within
    one rounding step is fed exactly those, as every TFLite client does; so is one with mean 0 and
    std 1, which means the same.
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
    values = codes if raw else real / np.float32(spec.scale) + spec.zero_point
    if np.abs(np.clip(values, limits.min, limits.max) - codes).max() <= 1.01:
        return None if spec.dtype == "uint8" else codes.astype(np.int8)
    table: Array = np.clip(np.rint(values), limits.min, limits.max).astype(spec.dtype)
    return table


def apply_table(table: Array | None, pixels: RgbImage) -> Array:
    """Look up the input [1, height, width, 3] of resized pixels, uint8 [height, width, 3]."""
    if table is None:
        return np.ascontiguousarray(pixels)[None]
    looked_up: NDArray[np.generic] = cv2.LUT(np.ascontiguousarray(pixels), table[None])
    return looked_up[None]
