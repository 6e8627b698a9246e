"""float16: two bytes a weight; the CPU computes in float32 all the same."""

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
    return replace(draft, content=tflite.to_float16(draft.model))
