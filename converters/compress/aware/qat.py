"""qat: int8 of a network that has learned with the rounding in it."""

from converters import tf
from converters.compress.aware.equalise import equalised
from converters.compress.aware.learning import Options, learn
from converters.compress.draft import Draft, Material

__all__ = ["Options", "run"]


def run(draft: Draft, options: Options, material: Material) -> Draft:
    """The draft with its int8 file and the trained network behind it.

    Raises:
        ConversionError: the converter refused the model.
    """
    wrapped = tf.tfmot().quantization.keras.quantize_model(equalised(draft.model))
    return learn(draft, wrapped, options, material)
