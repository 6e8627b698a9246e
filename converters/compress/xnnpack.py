"""xnnpack: pruning for the sparse float32 kernels of XNNPACK, which skip zeros on ARM.

The toolkit's latency policy decides what may be pruned: the 1×1 convolutions between a stem and an
average pooling that XNNPACK knows in sparse form.
"""

from dataclasses import dataclass, replace

from converters import tf
from converters.compress import magnitude
from converters.compress.after_training.sparse import LEAST
from converters.compress.context import RecipeContext, RecipeState
from converters.compress.symmetric import symmetric
from edge.errors import ConversionError, UsageError

__all__ = ["XnnpackOptions", "run"]


@dataclass(frozen=True, slots=True)
class XnnpackOptions(magnitude.MagnitudeOptions):
    """As :class:`converters.compress.magnitude.MagnitudeOptions`, with enough zeros for XNNPACK.

    Raises:
        UsageError: a value out of its range.
    """

    def __post_init__(self) -> None:
        magnitude.MagnitudeOptions.__post_init__(self)
        if self.sparsity < LEAST:
            raise UsageError(
                f"sparsity to be at least {LEAST:.2f}, where XNNPACK's sparse kernels start",
                f"{self.sparsity:g}",
                "use sparsity = 0.75",
                code="option-out-of-range",
            )


def run(draft: RecipeState, options: XnnpackOptions, material: RecipeContext) -> RecipeState:
    """The draft with a pruned model of symmetric padding.

    Raises:
        ConversionError: XNNPACK cannot run the model in sparse form.
    """
    model = symmetric(draft.model)
    policy = tf.tfmot().sparsity.keras.PruneForLatencyOnXNNPack()
    try:
        policy.ensure_model_supports_pruning(model)
    except ValueError as error:
        raise ConversionError(
            "a model that XNNPACK has sparse kernels for",
            f"an unsupported one ({error})",
            'use method = "magnitude" or "channels"',
            code="xnnpack-unsupported-model",
        ) from error
    pruned, details = magnitude.prune(model, options, material)
    note = (
        f"{details['zeros']:.1%} of the weights in 1x1 convolutions are zero. "
        "Padding is symmetric, as XNNPACK's sparse kernels require."
    )
    return replace(
        draft, model=pruned, notes=(*draft.notes, note), details=(*draft.details, details)
    )
