"""Quantize: one trained model to TFLite files, in any of the number formats that TFLite has.

Conversions run one after another in this process. The converter holds Python's global lock, so
threads gain nothing, and a process for each would import TensorFlow again, which takes longer
(8 s) than all three conversions together. That they are quick comes from freezing the graph: the
converter's usual way, through a SavedModel on disk, takes ten times as long for the same result.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.progress import Progress
from converters.tf import mlir_quantize, tensorflow
from edge.errors import ConversionError, UsageError, did_you_mean
from edge.preprocessing import Preprocessing
from edge.terminal.native_stderr import suppress_native_stderr

NAMES = ("float32", "float16", "int8")
"""The variants, in the order of :func:`variants`."""

TYPES = ("uint8", "int8", "float32")
"""What an int8 file may take and give."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A TFLite file in memory.

    ``name``: "float32", "float16", "int8", or that of the recipe that made it; then ``recipe``
    names it too, ``notes`` are sentences on what was done, ``details`` one entry of plain values
    per step, and ``model`` is the flat tf_keras model behind the file, in float.
    """

    name: str
    content: bytes
    recipe: str = ""
    notes: tuple[str, ...] = ()
    details: tuple[dict[str, Any], ...] = ()
    model: Any = None


def variants(
    model: Any, calibration: NDArray[np.uint8], preprocessing: Preprocessing, progress: Progress
) -> tuple[Variant, ...]:
    """Convert ``model`` to float32, float16 and full int8, in this order.

    Args:
        model: tf_keras model, float32 [n, h, w, 3] to [n, classes].
        calibration: uint8 RGB [n, h, w, 3], images at the model's size.
        preprocessing: what a pixel means to the model.
        progress: shows how far it is.

    Raises:
        ConversionError: the converter refused the model, or the input is not quantized so that
            a pixel can be fed as it is.
    """
    recipes: dict[str, Callable[[], bytes]] = {
        "float32": lambda: to_float32(model),
        "float16": lambda: to_float16(model),
        "int8": lambda: to_int8(model, calibration, preprocessing),
    }
    steps = progress.track(NAMES, len(NAMES), "converting")
    return tuple(Variant(name, recipes[name]()) for name in steps)


def to_float32(model: Any) -> bytes:
    """The TFLite file of a tf_keras model, unquantized, batch 1.

    Works for any model with one input, such as a backbone without a head.
    """
    return _convert(_converter(model))


def to_float16(model: Any) -> bytes:
    """The TFLite file with float16 weights and float32 input and output, batch 1."""
    converter = _converter(model)
    converter.optimizations = [tensorflow().lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tensorflow().float16]
    return _convert(converter)


def to_dynamic_range(model: Any) -> bytes:
    """The TFLite file with 8-bit weights; activations are quantized as they come, batch 1.

    Input and output are float32. It needs no calibration images; the Edge TPU takes none of it.
    """
    converter = _converter(model)
    converter.optimizations = [tensorflow().lite.Optimize.DEFAULT]
    return _convert(converter)


def to_int8(
    model: Any,
    calibration: NDArray[np.uint8],
    preprocessing: Preprocessing,
    *,
    input_type: str = "uint8",
    output_type: str = "uint8",
) -> bytes:
    """The TFLite file with all weights and activations in 8 bits, batch 1.

    Post-training quantization after Jacob et al., "Quantization and Training of Neural Networks
    for Efficient Integer-Arithmetic-Only Inference" (CVPR 2018), per channel in convolutions.

    Args:
        model: tf_keras model, float32 [n, h, w, 3] to [n, classes].
        calibration: uint8 RGB [n, h, w, 3], n ≥ 1, at the model's size; not changed.
        preprocessing: what a pixel means to the model.
        input_type: one of :data:`TYPES`.
        output_type: one of :data:`TYPES`.

    Raises:
        ConversionError: no images, the converter refused the model, or the scale of the input
            is not that of a pixel.
    """
    converter = _calibrated(model, calibration, preprocessing)
    converter.target_spec.supported_ops = [tensorflow().lite.OpsSet.TFLITE_BUILTINS_INT8]
    return _integer(converter, preprocessing, input_type, output_type)


def to_int16x8(model: Any, calibration: NDArray[np.uint8], preprocessing: Preprocessing) -> bytes:
    """The TFLite file with 8-bit weights and 16-bit activations, batch 1.

    Input and output are float32. See :func:`to_int8` for the arguments and errors.
    """
    converter = _calibrated(model, calibration, preprocessing)
    converter.target_spec.supported_ops = [
        tensorflow().lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
    ]
    return _convert(converter)


def to_sparse_float32(model: Any) -> bytes:
    """The float32 TFLite file whose tensors of many zeros hold the other values only, batch 1."""
    converter = _converter(model)
    # Alone: with DEFAULT and without calibration no runtime can run the file.
    converter.optimizations = [tensorflow().lite.Optimize.EXPERIMENTAL_SPARSITY]
    return _convert(converter)


def from_qat_model(
    model: Any,
    preprocessing: Preprocessing,
    *,
    input_type: str = "uint8",
    output_type: str = "uint8",
) -> bytes:
    """The int8 TFLite file of a model that holds its own ranges, batch 1.

    ``model`` is what ``tfmot.quantization.keras.quantize_apply`` made, trained; see :func:`to_int8`
    for the other arguments and errors.
    """
    converter = _converter(model)
    converter.optimizations = [tensorflow().lite.Optimize.DEFAULT]
    return _integer(converter, preprocessing, input_type, output_type)


def to_calibrated_float32(
    model: Any, calibration: NDArray[np.uint8], preprocessing: Preprocessing
) -> bytes:
    """A float32 TFLite file that holds the range of every activation, for :func:`to_mixed_int8`.

    See :func:`to_int8` for the arguments and errors.
    """
    converter = _calibrated(model, calibration, preprocessing)
    converter._experimental_calibrate_only = True  # as TensorFlow's quantization debugger does
    return _convert(converter)


def to_mixed_int8(calibrated: bytes, kept: Sequence[str], preprocessing: Preprocessing) -> bytes:
    """The int8 TFLite file, uint8 at both ends, with some operations left in float.

    Args:
        calibrated: what :func:`to_calibrated_float32` made.
        kept: names of the tensors that these operations give.
        preprocessing: what a pixel means to the model.

    Raises:
        ConversionError: the scale of the input is not that of a pixel.
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
    calibration: NDArray[np.uint8], preprocessing: Preprocessing
) -> Iterator[NDArray[np.float32]]:
    """The calibration images as the model gets them, each float32 [1, h, w, 3].

    The input's range is taken from what is seen here. Dark or pale images would give a smaller
    range than a camera delivers: the scale would no longer be that of a pixel, and bright pixels
    would be cut off. One black and one white corner pixel in the first image fix the range and
    leave every other activation as good as it was.
    """
    for index, image in enumerate(calibration):
        pixels = image
        if index == 0:
            pixels = image.copy()
            pixels[0, 0], pixels[-1, -1] = 0, 255
        yield preprocessing.normalize(pixels)[None]


def check_types(*given: str) -> None:
    """Refuse what is none of :data:`TYPES`.

    Raises:
        UsageError: naming the nearest.
    """
    for one in given:
        if one not in TYPES:
            fix = did_you_mean(one, TYPES, f"use {TYPES[0]}")
            expected = f"one of the types {', '.join(TYPES)}"
            raise UsageError(expected, repr(one), fix, code="unknown-option-value")


def check_input(content: bytes, preprocessing: Preprocessing) -> None:
    """Refuse an 8-bit input where a step is not one pixel value, to half a step at both ends.

    Raises:
        ConversionError: it is another range.
    """
    from ai_edge_litert.interpreter import Interpreter

    details = Interpreter(model_content=content).get_input_details()[0]
    scale, zero_point = details["quantization"]
    limits = np.iinfo(details["dtype"])
    ends = preprocessing.normalize(np.array([[0, 0, 0], [255, 255, 255]], np.uint8))
    wanted = np.array([ends.min(), ends.max()])
    covered = scale * (np.array([limits.min, limits.max]) - zero_point)
    if scale <= 0 or np.abs(covered - wanted).max() > 0.51 * (wanted[1] - wanted[0]) / 255:
        raise ConversionError(
            f"an 8-bit input that covers {wanted[0]:g} to {wanted[1]:g}",
            f"{covered[0]:g} to {covered[1]:g}",
            "calibrate with images that have the same preprocessing",
            code="input-range-mismatch",
        )


def _calibrated(model: Any, calibration: NDArray[np.uint8], preprocessing: Preprocessing) -> Any:
    """A converter that knows what the model will see."""
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
    converter: Any, preprocessing: Preprocessing, input_type: str, output_type: str
) -> bytes:
    """The file with these types at its ends."""
    converter.inference_input_type = getattr(tensorflow(), input_type)
    converter.inference_output_type = getattr(tensorflow(), output_type)
    content = _convert(converter)
    if input_type != "float32":
        check_input(content, preprocessing)
    return content


def _converter(model: Any) -> Any:
    tf = tensorflow()
    shape = [1, *model.inputs[0].shape[1:]]  # batch 1: the Edge TPU wants static shapes
    signature = tf.TensorSpec(shape, tf.float32, name="image")
    function = tf.function(lambda image: model(image, training=False))
    concrete = function.get_concrete_function(signature)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], model)
    converter.experimental_lower_to_saved_model = False
    # Else FULLY_CONNECTED becomes version 12, which tflite-runtime 2.14 does not know.
    converter._experimental_disable_per_channel_quantization_for_dense_layers = True
    return converter


def _convert(converter: Any) -> bytes:
    with suppress_native_stderr(), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the converter's advice to its developers
        try:
            return bytes(converter.convert())
        except Exception as error:  # it has its own family, and lets native errors through
            failure = error
    lines = [line for line in str(failure).splitlines() if line.strip()]
    reason = lines[0][:200] if lines else type(failure).__name__
    raise ConversionError(
        "a model that TensorFlow Lite supports",
        f"one that its converter rejects ({reason})",
        "use standard layers, one image input and one score vector as output",
        code="model-not-convertible",
    ) from failure
