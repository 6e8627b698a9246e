"""Post-training quantization: write the state's model as a TFLite file in one number format.

Plain MobileNetV2 classifiers, pruned or not, are written by :mod:`converters.writer`, which is
faster and measures the ranges better; all other networks, and 16-bit activations, by TensorFlow's
converter.
"""

from dataclasses import dataclass, replace

from converters import tflite
from converters.compression.context import RecipeContext, RecipeState
from converters.writer import float_files, int8_file
from converters.writer.classifier import ClassifierNetwork
from converters.writer.folding import FoldedNetwork
from converters.writer.plainness import is_plain_mobilenet_v2
from converters.writer.ranges import measure


@dataclass(frozen=True, slots=True)
class NoOptions:
    """No options."""


@dataclass(frozen=True, slots=True)
class Int8Options:
    """Options of int8.

    ``input_type`` and ``output_type``: of the file, in :data:`converters.tflite.TYPES`.

    Raises:
        UsageError: another type.
    """

    input_type: str = "uint8"
    output_type: str = "uint8"

    def __post_init__(self) -> None:
        tflite.check_types(self.input_type, self.output_type)


def run_float32(state: RecipeState, options: NoOptions, context: RecipeContext) -> RecipeState:
    """Convert without quantization: four bytes per weight.

    Raises:
        ConversionError: the converter rejected the model.
    """
    network = _folded(state)
    content = float_files.to_float32(network) if network else tflite.to_float32(state.model)
    return replace(state, content=content)


def run_float16(state: RecipeState, options: NoOptions, context: RecipeContext) -> RecipeState:
    """Convert with two bytes per weight; the CPU still computes in float32.

    Raises:
        ConversionError: the converter rejected the model.
    """
    network = _folded(state)
    content = float_files.to_float16(network) if network else tflite.to_float16(state.model)
    return replace(state, content=content)


def run_dynamic(state: RecipeState, options: NoOptions, context: RecipeContext) -> RecipeState:
    """Convert with 8-bit weights; activations are quantized at run time, without calibration.

    Raises:
        ConversionError: the converter rejected the model.
    """
    note = "Activations stay in float, so the Edge TPU cannot run any of this file."
    network = _folded(state)
    content = (
        float_files.to_dynamic_range(network) if network else tflite.to_dynamic_range(state.model)
    )
    return replace(state, content=content, notes=(*state.notes, note))


def run_int8(state: RecipeState, options: Int8Options, context: RecipeContext) -> RecipeState:
    """Convert with 8-bit weights and activations, for the CPU, the Edge TPU and other NPUs.

    Raises:
        ConversionError: the converter rejected the model, or there are no calibration images.
    """
    preprocessing = context.dataset.preprocessing
    types = {"input_type": options.input_type, "output_type": options.output_type}
    network = _folded(state)
    if network is None:
        content = tflite.to_int8(state.model, context.calibration, preprocessing, **types)
    else:
        with context.progress.working("measuring the ranges of activations"):
            ranges = measure(network, context.calibration, preprocessing)
        content = int8_file.to_int8(network, ranges, **types)
    return replace(state, content=content)


def run_int16x8(state: RecipeState, options: NoOptions, context: RecipeContext) -> RecipeState:
    """Convert with 8-bit weights and 16-bit activations, where int8 loses too much accuracy.

    Raises:
        ConversionError: the converter rejected the model, or there are no calibration images.
    """
    content = tflite.to_int16x8(state.model, context.calibration, context.dataset.preprocessing)
    note = "16-bit activations run slowly, as XNNPACK lacks them, and not on the Edge TPU."
    return replace(state, content=content, notes=(*state.notes, note))


def _folded(state: RecipeState) -> FoldedNetwork | None:
    """Return the state's model for our own writer; None where it needs TensorFlow's converter."""
    plain = is_plain_mobilenet_v2(state.model)
    return ClassifierNetwork.from_model(state.model).folded() if plain else None
