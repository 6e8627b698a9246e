"""Pruning and files for XNNPACK's sparse float32 kernels, which skip zeros on ARM.

tfmot's latency policy decides what may be pruned: the 1×1 convolutions between a stem and an
average pooling that XNNPACK knows in sparse form. It also wants symmetric padding: at stride 2
Keras pads one row at the bottom and one column on the right, while XNNPACK's sparse inference
supports only a padding by one on every side, and an average pooling that keeps its dimensions
(Elsen et al., "Fast Sparse ConvNets", CVPR 2020, and XNNPACK's subgraph rewriting).
"""

from dataclasses import dataclass, replace
from typing import Any

from converters import tf, tflite
from converters.compression import magnitude
from converters.compression.context import RecipeContext, RecipeState
from converters.compression.keras_models import pointwise
from converters.compression.post_training import NoOptions
from edge.errors import ConversionError, UsageError

PADDING = ((1, 1), (1, 1))

MIN_SPARSITY = 2 / 3
"""Share of zeros in the 1×1 convolutions from which XNNPACK takes its sparse kernels."""


@dataclass(frozen=True, slots=True)
class XnnpackOptions(magnitude.MagnitudeOptions):
    """As :class:`converters.compression.magnitude.MagnitudeOptions`, with enough zeros for XNNPACK.

    Raises:
        UsageError: a value out of its range.
    """

    def __post_init__(self) -> None:
        magnitude.MagnitudeOptions.__post_init__(self)
        if self.sparsity < MIN_SPARSITY:
            raise UsageError(
                f"sparsity to be at least {MIN_SPARSITY:.2f}, where XNNPACK's sparse kernels start",
                f"{self.sparsity:g}",
                "use sparsity = 0.75",
                code="option-out-of-range",
            )


def run_prune(state: RecipeState, options: XnnpackOptions, context: RecipeContext) -> RecipeState:
    """Return the state with a pruned model of symmetric padding.

    Raises:
        ConversionError: XNNPACK cannot run the model in sparse form.
    """
    model = to_symmetric_padding(state.model)
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
    pruned, details = magnitude.prune(model, options, context)
    note = (
        f"{details['zeros']:.1%} of the weights in 1x1 convolutions are zero. "
        "Padding is symmetric, as XNNPACK's sparse kernels require."
    )
    return replace(
        state, model=pruned, notes=(*state.notes, note), details=(*state.details, details)
    )


def run_sparse(state: RecipeState, options: NoOptions, context: RecipeContext) -> RecipeState:
    """Convert to float32, storing only the weights that are not zero.

    Raises:
        ConversionError: the converter rejected the model, or it has too few zeros.
    """
    kernels = [layer.get_weights()[0] for layer in pointwise(state.model)]
    zeros = sum(int((kernel == 0).sum()) for kernel in kernels)
    share = zeros / max(1, sum(kernel.size for kernel in kernels))
    if share < MIN_SPARSITY:
        raise ConversionError(
            f"at least {MIN_SPARSITY:.0%} zeros in the 1x1 convolutions",
            f"{share:.0%}",
            'add a step before it: step = "prune", method = "xnnpack"',
            code="model-not-pruned",
        )
    note = (
        "XNNPACK skips the zeros on ARM (32 and 64 bit). On x86 with AVX its sparse kernels are "
        "off, and the Edge TPU runs no float models: there, only the download is smaller."
    )
    return replace(state, content=tflite.to_sparse_float32(state.model), notes=(*state.notes, note))


def to_symmetric_padding(model: Any) -> Any:
    """Copy a flat tf_keras model with the same padding on all sides and the same weights.

    Input, output and the names of layers with weights stay. Scores change slightly, as every
    stride-2 layer reads half a pixel further up and to the left.

    Raises:
        ConversionError: no layer has stride 2.
    """
    keras = tf.keras()
    nest = tf.tensorflow().nest
    image = keras.Input(model.input.shape[1:], name=model.layers[0].name)
    tensors = {id(model.input): image}
    changed = 0
    for layer in model.layers[1:]:
        parts = _replacements(layer)
        changed += any(getattr(part, "padding", None) == PADDING for part in parts)
        flow = [tensors[id(source)] for source in nest.flatten(layer.input)]
        output = flow[0] if len(flow) == 1 else flow
        for part in parts:
            output = part(output)
        tensors[id(layer.output)] = output
    if not changed:
        raise ConversionError(
            "a model with stride-2 convolutions",
            "none",
            "remove the xnnpack step",
            code="xnnpack-unsupported-model",
        )
    copy = keras.Model(image, tensors[id(model.output)], name=model.name)
    for layer in model.layers:
        if layer.weights:
            copy.get_layer(layer.name).set_weights(layer.get_weights())
    return copy


def _replacements(layer: Any) -> list[Any]:
    """Return the layers that replace ``layer``, in order."""
    layers = tf.keras().layers
    config = layer.get_config()
    if isinstance(layer, layers.ZeroPadding2D):
        return [layers.ZeroPadding2D(PADDING, name=layer.name)]
    if isinstance(layer, layers.GlobalAveragePooling2D) and not layer.keepdims:
        pooled = type(layer).from_config({**config, "keepdims": True})
        return [pooled, layers.Flatten(name=f"{layer.name}_flat")]
    convolution = isinstance(layer, (layers.Conv2D, layers.DepthwiseConv2D))
    if convolution and layer.strides == (2, 2) and layer.padding == "same":
        padding = layers.ZeroPadding2D(PADDING, name=f"{layer.name}_pad")
        return [padding, type(layer).from_config({**config, "padding": "valid"})]
    return [type(layer).from_config(config)]
