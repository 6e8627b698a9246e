"""Post-training quantization: write the state's model as a TFLite file in one number format."""

from dataclasses import dataclass, replace

from converters import tflite
from converters.compression.context import RecipeContext, RecipeState


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
    return replace(state, content=tflite.to_float32(state.model))


def run_float16(state: RecipeState, options: NoOptions, context: RecipeContext) -> RecipeState:
    """Convert with two bytes per weight; the CPU still computes in float32.

    Raises:
        ConversionError: the converter rejected the model.
    """
    return replace(state, content=tflite.to_float16(state.model))


def run_dynamic(state: RecipeState, options: NoOptions, context: RecipeContext) -> RecipeState:
    """Convert with 8-bit weights; activations are quantized at run time, without calibration.

    Raises:
        ConversionError: the converter rejected the model.
    """
    note = "Activations stay in float, so the Edge TPU cannot run any of this file."
    return replace(state, content=tflite.to_dynamic_range(state.model), notes=(*state.notes, note))


def run_int8(state: RecipeState, options: Int8Options, context: RecipeContext) -> RecipeState:
    """Convert with 8-bit weights and activations, for the CPU, the Edge TPU and other NPUs.

    Raises:
        ConversionError: the converter rejected the model, or there are no calibration images.
    """
    content = tflite.to_int8(
        state.model,
        context.calibration,
        context.dataset.preprocessing,
        input_type=options.input_type,
        output_type=options.output_type,
    )
    return replace(state, content=content)


def run_int16x8(state: RecipeState, options: NoOptions, context: RecipeContext) -> RecipeState:
    """Convert with 8-bit weights and 16-bit activations, where int8 loses too much accuracy.

    Raises:
        ConversionError: the converter rejected the model, or there are no calibration images.
    """
    content = tflite.to_int16x8(state.model, context.calibration, context.dataset.preprocessing)
    note = "16-bit activations run slowly, as XNNPACK lacks them, and not on the Edge TPU."
    return replace(state, content=content, notes=(*state.notes, note))
