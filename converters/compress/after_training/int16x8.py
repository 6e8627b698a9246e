"""int16x8: 8-bit weights, 16-bit activations, where int8 loses too much."""

from dataclasses import dataclass, replace

from converters import tflite
from converters.compress.context import RecipeContext, RecipeState


@dataclass(frozen=True, slots=True)
class Options:
    """There are none."""


def run(draft: RecipeState, options: Options, material: RecipeContext) -> RecipeState:
    """The draft with its TFLite file.

    Raises:
        ConversionError: the converter refused the model, or there are no calibration images.
    """
    content = tflite.to_int16x8(draft.model, material.calibration, material.dataset.preprocessing)
    note = "16-bit activations run slowly, as XNNPACK lacks them, and not on the Edge TPU."
    return replace(draft, content=content, notes=(*draft.notes, note))
