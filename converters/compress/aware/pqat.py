"""pqat: as qat, for a pruned network whose zeros shall stay zeros."""

from converters import tf
from converters.compress.aware.equalize import equalize_depthwise
from converters.compress.aware.learning import QatOptions, learn
from converters.compress.context import RecipeContext, RecipeState
from converters.compress.keras_models import pointwise
from edge.errors import ConversionError

__all__ = ["QatOptions", "run"]


def run(draft: RecipeState, options: QatOptions, material: RecipeContext) -> RecipeState:
    """The draft with its int8 file and the trained network behind it, zeros where they were.

    Raises:
        ConversionError: the model has no zeros, or the converter refused it.
    """
    if not any((layer.get_weights()[0] == 0).any() for layer in pointwise(draft.model)):
        raise ConversionError(
            "a pruned model",
            "no zeros in its 1x1 convolutions",
            'add a step before it: step = "prune", method = "magnitude"',
            code="model-not-pruned",
        )
    toolkit = tf.tfmot()
    annotated = toolkit.quantization.keras.quantize_annotate_model(equalize_depthwise(draft.model))
    scheme = toolkit.experimental.combine.Default8BitPrunePreserveQuantizeScheme()
    wrapped = toolkit.quantization.keras.quantize_apply(annotated, scheme)
    return learn(draft, wrapped, options, material)
