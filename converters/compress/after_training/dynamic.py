"""dynamic: 8-bit weights, activations quantized as they come; needs no calibration."""

from dataclasses import dataclass, replace

from converters import tflite
from converters.compress.context import RecipeContext, RecipeState


@dataclass(frozen=True, slots=True)
class Options:
    """There are none."""


def run(draft: RecipeState, options: Options, material: RecipeContext) -> RecipeState:
    """The draft with its TFLite file.

    Raises:
        ConversionError: the converter refused the model.
    """
    note = "Activations stay in float, so the Edge TPU cannot run any of this file."
    return replace(draft, content=tflite.to_dynamic_range(draft.model), notes=(*draft.notes, note))
