"""qat: int8 of a network that has learned with the rounding in it."""

from converters import tf
from converters.compress.aware.equalize import equalize_depthwise
from converters.compress.aware.learning import QatOptions, learn
from converters.compress.context import RecipeContext, RecipeState

__all__ = ["QatOptions", "run"]


def run(draft: RecipeState, options: QatOptions, material: RecipeContext) -> RecipeState:
    """The draft with its int8 file and the trained network behind it.

    Raises:
        ConversionError: the converter refused the model.
    """
    wrapped = tf.tfmot().quantization.keras.quantize_model(equalize_depthwise(draft.model))
    return learn(draft, wrapped, options, material)
