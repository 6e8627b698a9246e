"""Conversion of a trained model to TFLite files, in any number format that TFLite supports.

Conversions run one after another in this process. The converter holds Python's global lock, so
threads gain nothing, and a process for each would import TensorFlow again, which takes longer
(8 s) than all three conversions together. They are quick because the graph is frozen: the
converter's usual way, through a SavedModel on disk, takes ten times as long for the same result.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from converters.tf import mlir_quantize, tensorflow
from edge.errors import ConversionError, UsageError, did_you_mean
from edge.terminal import suppress_native_stderr

if TYPE_CHECKING:  # "edge compile" needs Variant, and no OpenCV
    from edge.preprocessing import Preprocessing

NAMES = ("float32", "float16", "int8")
"""The variants of every conversion, in their order."""

TYPES = ("uint8", "int8", "float32")
"""Input and output types of an int8 file."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A TFLite file in memory.

    ``name``: "float32", "float16", "int8", or the name of its recipe. For the latter, ``recipe`` is
    that name too, ``notes`` are sentences that describe the steps, ``details`` one entry of plain
    values per step, and ``model`` the flat tf_keras model that was converted, in float.
    ``companions``: files for other programs that compute the same, by name.
    """

    name: str
    content: bytes
    recipe: str = ""
    notes: tuple[str, ...] = ()
    details: tuple[dict[str, Any], ...] = ()
    model: Any = None
    companions: Mapping[str, bytes] = field(default_factory=dict)


def to_float32(model: Any) -> bytes:
    """Convert a tf_keras model without quantization, batch 1.

    Works for any model with one input, such as a backbone without a head.
    """
    return _convert(_converter(model))


def to_float16(model: Any) -> bytes:
    """Convert to float16 weights, with float32 input and output, batch 1."""
    converter = _converter(model)
    converter.optimizations = [tensorflow().lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tensorflow().float16]
    return _convert(converter)


def to_dynamic_range(model: Any) -> bytes:
    """Convert to 8-bit weights; activations are quantized at run time, batch 1.

    Input and output are float32. No calibration images are needed; the Edge TPU runs none of it.
    """
    converter = _converter(model)
    converter.optimizations = [tensorflow().lite.Optimize.DEFAULT]
    return _convert(converter)


def to_int8(
    model: Any,
    calibration: NDArray[np.uint8],
    preprocessing: "Preprocessing",
    *,
    input_type: str = "uint8",
    output_type: str = "uint8",
) -> bytes:
    """Convert to 8-bit weights and activations, batch 1.

    Post-training quantization after Jacob et al., "Quantization and Training of Neural Networks
    for Efficient Integer-Arithmetic-Only Inference" (CVPR 2018), per channel in convolutions.

    Args:
        model: tf_keras model, float32 [n, h, w, 3] to [n, classes].
        calibration: uint8 RGB [n, h, w, 3], n ≥ 1, at the model's size; not changed.
        preprocessing: maps pixel values to the model's input.
        input_type: one of :data:`TYPES`.
        output_type: one of :data:`TYPES`.

    Raises:
        ConversionError: no images, the converter rejected the model, or the input's scale is not
            one pixel value.
    """
    converter = _calibrated(model, calibration, preprocessing)
    converter.target_spec.supported_ops = [tensorflow().lite.OpsSet.TFLITE_BUILTINS_INT8]
    return _integer(converter, preprocessing, input_type, output_type)


def to_int16x8(model: Any, calibration: NDArray[np.uint8], preprocessing: "Preprocessing") -> bytes:
    """Convert to 8-bit weights and 16-bit activations, batch 1.

    Input and output are float32. See :func:`to_int8` for the arguments and errors.
    """
    converter = _calibrated(model, calibration, preprocessing)
    converter.target_spec.supported_ops = [
        tensorflow().lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
    ]
    return _convert(converter)


def to_sparse_float32(model: Any) -> bytes:
    """Convert to float32, storing only the nonzero values of sparse tensors, batch 1."""
    converter = _converter(model)
    # Alone: with DEFAULT and without calibration no runtime can run the file.
    converter.optimizations = [tensorflow().lite.Optimize.EXPERIMENTAL_SPARSITY]
    return _convert(converter)


def from_qat_model(
    model: Any,
    preprocessing: "Preprocessing",
    *,
    input_type: str = "uint8",
    output_type: str = "uint8",
) -> bytes:
    """Convert a model that holds its own ranges to int8, batch 1.

    ``model`` is the trained result of ``tfmot.quantization.keras.quantize_apply``; see
    :func:`to_int8` for the other arguments and errors.
    """
    converter = _converter(model)
    converter.optimizations = [tensorflow().lite.Optimize.DEFAULT]
    return _integer(converter, preprocessing, input_type, output_type)


def to_calibrated_float32(
    model: Any, calibration: NDArray[np.uint8], preprocessing: "Preprocessing"
) -> bytes:
    """Convert to float32 with the range of every activation, for :func:`to_mixed_int8`.

    See :func:`to_int8` for the arguments and errors.
    """
    converter = _calibrated(model, calibration, preprocessing)
    converter._experimental_calibrate_only = True  # as TensorFlow's quantization debugger does
    return _convert(converter)


def to_mixed_int8(calibrated: bytes, kept: Sequence[str], preprocessing: "Preprocessing") -> bytes:
    """Quantize to int8, with uint8 input and output and some operations left in float.

    Args:
        calibrated: the result of :func:`to_calibrated_float32`.
        kept: names of the output tensors of the operations left in float.
        preprocessing: maps pixel values to the model's input.

    Raises:
        ConversionError: the input's scale is not one pixel value.
    """
    uint8 = tensorflow().uint8
    with suppress_native_stderr():
        content = mlir_quantize()(
            calibrated,
            input_data_type=uint8,
            output_data_type=uint8,
            denylisted_nodes=list(kept),
            disable_per_channel_for_dense_layers=True,
        )
    check_input(content, preprocessing)
    return content


def representative_samples(
    calibration: NDArray[np.uint8], preprocessing: "Preprocessing"
) -> Iterator[NDArray[np.float32]]:
    """Yield the calibration images as model inputs, each float32 [1, h, w, 3].

    The input's range is taken from these. Dark or pale images would give a smaller range than a
    camera delivers: the scale would no longer be one pixel value, and bright pixels would be
    clipped. One black and one white corner pixel in the first image fix the range and barely
    change any other activation.
    """
    for index, image in enumerate(calibration):
        pixels = image
        if index == 0:
            pixels = image.copy()
            pixels[0, 0], pixels[-1, -1] = 0, 255
        yield preprocessing.normalize(pixels)[None]


def check_types(*given: str) -> None:
    """Refuse types that are not in :data:`TYPES`.

    Raises:
        UsageError: a type is unknown; the message suggests the nearest.
    """
    for name in given:
        if name not in TYPES:
            fix = did_you_mean(name, TYPES, f"use {TYPES[0]}")
            expected = f"one of the types {', '.join(TYPES)}"
            raise UsageError(expected, repr(name), fix, code="unknown-option-value")


def check_input(content: bytes, preprocessing: "Preprocessing") -> None:
    """Refuse an 8-bit input whose scale is not one pixel value, to half a step at both ends.

    Raises:
        ConversionError: the input covers another range.
    """
    from ai_edge_litert.interpreter import Interpreter

    details = Interpreter(model_content=content).get_input_details()[0]
    scale, zero_point = details["quantization"]
    limits = np.iinfo(details["dtype"])
    ends = preprocessing.normalize(np.array([[0, 0, 0], [255, 255, 255]], np.uint8))
    low, high = ends.min(), ends.max()
    covered = scale * (np.array([limits.min, limits.max]) - zero_point)
    if scale <= 0 or np.abs(covered - [low, high]).max() > 0.51 * (high - low) / 255:
        raise ConversionError(
            f"an 8-bit input that covers {low:g} to {high:g}",
            f"{covered[0]:g} to {covered[1]:g}",
            "calibrate with images that have the same preprocessing",
            code="input-range-mismatch",
        )


def _calibrated(model: Any, calibration: NDArray[np.uint8], preprocessing: "Preprocessing") -> Any:
    """Return a converter with calibration images."""
    if len(calibration) == 0:
        raise ConversionError(
            "at least one calibration image",
            "none",
            "add images to the training split",
            code="no-calibration-images",
        )
    converter = _converter(model)
    converter.optimizations = [tensorflow().lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: (
        [x] for x in representative_samples(calibration, preprocessing)
    )
    return converter


def _integer(
    converter: Any, preprocessing: "Preprocessing", input_type: str, output_type: str
) -> bytes:
    """Convert with these input and output types."""
    converter.inference_input_type = getattr(tensorflow(), input_type)
    converter.inference_output_type = getattr(tensorflow(), output_type)
    content = _convert(converter)
    if input_type != "float32":
        check_input(content, preprocessing)
    return content


def _converter(model: Any) -> Any:
    tf = tensorflow()
    shape = [1, *model.inputs[0].shape[1:]]  # batch 1: the Edge TPU requires static shapes
    signature = tf.TensorSpec(shape, tf.float32, name="image")
    function = tf.function(lambda image: model(image, training=False))
    concrete = function.get_concrete_function(signature)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], model)
    converter.experimental_lower_to_saved_model = False
    # Otherwise FULLY_CONNECTED becomes version 12, which tflite-runtime 2.14 does not support.
    converter._experimental_disable_per_channel_quantization_for_dense_layers = True
    return converter


def _convert(converter: Any) -> bytes:
    with suppress_native_stderr(), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # advice to the converter's developers
        try:
            return bytes(converter.convert())
        except Exception as error:  # the converter has errors of its own, and passes native ones on
            failure = error
    lines = [line for line in str(failure).splitlines() if line.strip()]
    reason = lines[0][:200] if lines else type(failure).__name__
    raise ConversionError(
        "a model that TensorFlow Lite supports",
        f"one that its converter rejects ({reason})",
        "use standard layers, one image input and one score vector as output",
        code="model-not-convertible",
    ) from failure
