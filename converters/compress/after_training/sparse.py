"""sparse: float32 that stores only the weights that are not zero, for XNNPACK's sparse kernels."""

from dataclasses import dataclass, replace

from converters import tflite
from converters.compress.context import RecipeContext, RecipeState
from converters.compress.keras_models import pointwise
from edge.errors import ConversionError

LEAST = 2 / 3
"""Share of zeros in the 1×1 convolutions from which XNNPACK takes its sparse kernels."""


@dataclass(frozen=True, slots=True)
class Options:
    """There are none."""


def run(draft: RecipeState, options: Options, material: RecipeContext) -> RecipeState:
    """The draft with its TFLite file.

    Raises:
        ConversionError: the converter refused the model, or it has too few zeros to be worth it.
    """
    kernels = [layer.get_weights()[0] for layer in pointwise(draft.model)]
    zeros = sum(int((kernel == 0).sum()) for kernel in kernels)
    share = zeros / max(1, sum(kernel.size for kernel in kernels))
    if share < LEAST:
        raise ConversionError(
            f"at least {LEAST:.0%} zeros in the 1x1 convolutions",
            f"{share:.0%}",
            'add a step before it: step = "prune", method = "xnnpack"',
            code="model-not-pruned",
        )
    note = (
        "XNNPACK skips the zeros on ARM (32 and 64 bit). On x86 with AVX its sparse kernels are "
        "off, and the Edge TPU runs no float models: there, only the download is smaller."
    )
    return replace(draft, content=tflite.to_sparse_float32(draft.model), notes=(*draft.notes, note))
