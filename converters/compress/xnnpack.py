"""xnnpack: pruning for the sparse float32 kernels of XNNPACK, which skip zeros on ARM.

The toolkit's latency policy decides what may be pruned: the 1×1 convolutions between a stem and an
average pooling that XNNPACK knows in sparse form.
"""

from dataclasses import dataclass, replace

from converters import tf
from converters.compress import magnitude
from converters.compress.after_training.sparse import LEAST
from converters.compress.draft import Draft, Material
from converters.compress.symmetric import symmetric
from edge.errors import ConversionError, UsageError

__all__ = ["Options", "run"]


@dataclass(frozen=True, slots=True)
class Options(magnitude.Options):
    """As :class:`converters.compress.magnitude.Options`, with enough zeros for XNNPACK.

    Raises:
        UsageError: a value out of its range.
    """

    def __post_init__(self) -> None:
        magnitude.Options.__post_init__(self)
        if self.sparsity < LEAST:
            raise UsageError(
                f"a sparsity from {LEAST:.2f} on, below which XNNPACK has no sparse kernels",
                f"{self.sparsity:g}",
                "use sparsity = 0.75",
            )


def run(draft: Draft, options: Options, material: Material) -> Draft:
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
            "a model that XNNPACK runs in sparse form",
            f"another ({error})",
            'use method = "magnitude" or "channels"',
        ) from error
    pruned, details = magnitude.prune(model, options, material)
    note = (
        f"{details['zeros']:.1%} of the weights of 1x1 convolutions are zero, "
        "in a network padded alike on all sides, as XNNPACK wants it."
    )
    return replace(
        draft, model=pruned, notes=(*draft.notes, note), details=(*draft.details, details)
    )
