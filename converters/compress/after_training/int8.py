"""int8: one byte a weight and an activation; what the CPU, the Edge TPU and others are quick at."""

from dataclasses import dataclass, replace

from converters import tflite
from converters.compress.context import RecipeContext, RecipeState


@dataclass(frozen=True, slots=True)
class Options:
    """``input_type`` and ``output_type``: what the file takes and gives, of ``quantize.TYPES``.

    Raises:
        UsageError: another type.
    """

    input_type: str = "uint8"
    output_type: str = "uint8"

    def __post_init__(self) -> None:
        tflite.check_types(self.input_type, self.output_type)


def run(draft: RecipeState, options: Options, material: RecipeContext) -> RecipeState:
    """The draft with its TFLite file.

    Raises:
        ConversionError: the converter refused the model, or there are no calibration images.
    """
    content = tflite.to_int8(
        draft.model,
        material.calibration,
        material.dataset.preprocessing,
        input_type=options.input_type,
        output_type=options.output_type,
    )
    return replace(draft, content=content)
