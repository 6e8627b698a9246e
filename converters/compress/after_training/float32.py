"""float32: the network as it was trained, four bytes a weight."""

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
    return replace(draft, content=tflite.to_float32(draft.model))
