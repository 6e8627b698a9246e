"""Rules by which the Edge TPU compiler leaves an operation to the CPU.

The compiler is closed-source; its last version is 16.0.384591198, of 2021. ``DOCUMENTED`` rules
come from its documentation (https://coral.ai/docs/edgetpu/models-intro, "Supported operations"),
``REPORTED`` ones from its messages. ``OBSERVED`` ones were derived from what it left on the CPU of
public models, and name the repositories of these, so that predictions can be evaluated without the
rules derived from the evaluated models. Documented limits that could be looked up again only at
second hand are ``LIKELY``.
"""

from collections.abc import Callable
from dataclasses import dataclass

from converters.edgetpu import conditions
from converters.edgetpu.network import OpNode

DOCUMENTED, REPORTED, OBSERVED = "documented", "reported by the compiler", "observed"
SURE, LIKELY, GUESS = "sure", "likely", "guess"

SUPPORTED = (
    "ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "EXPAND_DIMS",
    "FULLY_CONNECTED", "L2_NORMALIZATION", "LOGISTIC", "MAXIMUM", "MAX_POOL_2D", "MEAN", "MINIMUM",
    "MUL", "PACK", "PAD", "PRELU", "QUANTIZE", "REDUCE_MAX", "REDUCE_MIN", "RELU", "RELU6",
    "RELU_N1_TO_1", "RESHAPE", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "RSQRT", "SLICE",
    "SOFTMAX", "SPACE_TO_DEPTH", "SPLIT", "SQUARED_DIFFERENCE", "SQUEEZE", "STRIDED_SLICE", "SUB",
    "SUM", "TANH", "TRANSPOSE", "TRANSPOSE_CONV", "UNIDIRECTIONAL_SEQUENCE_LSTM",
    "TILE",  # not in the documentation, but seen mapped
)  # fmt: skip

VERSIONS = {
    "ADD": 4, "AVERAGE_POOL_2D": 3, "CONCATENATION": 3, "CONV_2D": 5, "DEPTHWISE_CONV_2D": 6,
    "EXP": 1, "EXPAND_DIMS": 1, "FULLY_CONNECTED": 9, "L2_NORMALIZATION": 2, "LOGISTIC": 3,
    "MAXIMUM": 4, "MAX_POOL_2D": 3, "MEAN": 3, "MINIMUM": 4, "MUL": 5, "PACK": 3, "PAD": 4,
    "PRELU": 1, "QUANTIZE": 2, "REDUCE_MAX": 3, "REDUCE_MIN": 3, "RELU": 3, "RELU6": 3,
    "RELU_N1_TO_1": 1, "RESHAPE": 1, "RESIZE_BILINEAR": 4, "RESIZE_NEAREST_NEIGHBOR": 4, "RSQRT": 2,
    "SLICE": 5, "SOFTMAX": 3, "SPACE_TO_DEPTH": 2, "SPLIT": 4, "SQUARED_DIFFERENCE": 2,
    "SQUEEZE": 2, "STRIDED_SLICE": 6, "SUB": 5, "SUM": 2, "TANH": 3, "TILE": 3, "TRANSPOSE": 5,
    "TRANSPOSE_CONV": 3, "UNIDIRECTIONAL_SEQUENCE_LSTM": 3,
}  # fmt: skip
"""Newest version of each operation that the compiler's own TensorFlow Lite (2.5) can read.

CONV_2D, EXP, QUANTIZE and TRANSPOSE_CONV are known from its messages; the others are upper bounds.
"""

LEAVE_OUT = "Remove it, or do it in your program after the model"

_POINTWISE = "Use RELU, RELU6, TANH, LOGISTIC or PRELU instead, and retrain"
_INDEX = "End the model before it, and find the maximum in your program"
_ATTENTION = "Use convolutions or dense layers with constant weights instead"

REPLACEMENTS = {
    "DEQUANTIZE": "Convert with integer output to get rid of it (on the CPU it costs little)",
    "LEAKY_RELU": "Use RELU instead, or MAXIMUM of x and a multiple of x, and retrain",
    "HARD_SWISH": "Use RELU6 instead, as the minimalistic MobileNetV3 does, and retrain",
    "ELU": _POINTWISE,
    "GELU": _POINTWISE,
    "EXP": _POINTWISE,
    "LOG_SOFTMAX": "Use SOFTMAX instead",
    "ARG_MAX": _INDEX,
    "ARG_MIN": _INDEX,
    "TOPK_V2": _INDEX,
    "DIV": "Multiply by the reciprocal if the divisor is constant",
    "BATCH_MATMUL": _ATTENTION,
    "GATHER": "Use SLICE or a 1 × 1 convolution if the indices are constant",
    "GATHER_ND": "End the model before it, and gather the values in your program",
    "SPLIT_V": "Use SPLIT into equal parts, or several SLICE operations",
    "UNPACK": "Use SPLIT or SLICE instead",
    "DEPTH_TO_SPACE": "Use TRANSPOSE_CONV or RESIZE_NEAREST_NEIGHBOR instead",
    "MIRROR_PAD": "Use PAD, which pads with zeros",
    "PADV2": "Use PAD, which pads with zeros",
    "CAST": "Feed the model the type that it computes in: int8 or uint8",
    "CONV_3D": "Use CONV_2D on single frames",
}
"""Replacements of unsupported operations, where there is more to suggest than removing them."""

Condition = Callable[[OpNode], str | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """A reason to leave an operation to the CPU.

    ``ops``: names of the operations that it applies to, all where empty. ``condition`` returns the
    obstacle or None. ``reason``: its kind in few words; ``change``: how to fix it. ``seen``: for an
    observed rule, the repositories whose models show it.
    """

    reason: str
    ops: tuple[str, ...]
    condition: Condition
    change: str
    source: str
    confidence: str
    seen: tuple[str, ...] = ()

    def apply(self, node: OpNode) -> str | None:
        """Return the obstacle in ``node``, or None where the rule does not refuse it.

        Raises:
            FlatbufferError: the operation's options point outside the file.
        """
        if self.ops and node.name not in self.ops:
            return None
        return self.condition(node)


def _newer_version(node: OpNode) -> str | None:
    newest = VERSIONS.get(node.name)
    if newest is None or node.version <= newest:
        return None
    return f"version {node.version}; the compiler supports up to {newest}"


def _unsupported(node: OpNode) -> str | None:
    return "not a supported operation"


def _unlisted(node: OpNode) -> str | None:
    return None if node.name in SUPPORTED else "not a supported operation"


_CUSTOM = "CUSTOM:"


def _custom(node: OpNode) -> str | None:
    return "a custom operation" if node.name.startswith(_CUSTOM) else None


_README = "a README with YOLOv5s at 224 pixels"
_TOO_LARGE = "Use a smaller input, or do this in your program after the model"
_QUANTIZE = "Quantize the whole model to int8, as edge convert does (variants/int8.tflite)"

MODEL_RULES = (
    Rule("op version", (), _newer_version,
         "Convert with an older TensorFlow (about 2.5), or without per-channel dense layers",
         REPORTED, SURE),
    Rule("dynamic tensor", (), conditions.unknown_size,
         "Convert with a fixed input shape (batch 1) and constant shapes inside",
         REPORTED, SURE),
)  # fmt: skip
"""Rules by which the compiler rejects the whole model."""

OPERATION_RULES = (
    Rule("unsupported op", (), _custom, f"{LEAVE_OUT}; at the end it can stay on the CPU",
         DOCUMENTED, SURE),
    Rule("data type", ("QUANTIZE", "DEQUANTIZE"), conditions.float_border,
         "Convert with integer input and output to get rid of it (one on the CPU costs little)",
         DOCUMENTED, SURE),
    Rule("data type", (), conditions.float_values, _QUANTIZE, DOCUMENTED, SURE),
    Rule("data type", (), conditions.int16_values,
         "Quantize activations to int8 instead of int16 (recipe int8)", DOCUMENTED, SURE),
    *(Rule("unsupported op", (op,), _unsupported, change, DOCUMENTED, SURE)
      for op, change in REPLACEMENTS.items()),
    Rule("unsupported op", (), _unlisted, LEAVE_OUT, DOCUMENTED, SURE),
    Rule("data type", (), conditions.other_values, f"Compute in int8; {LEAVE_OUT.lower()}",
         DOCUMENTED, SURE),
    Rule("data type", (), conditions.no_scale, _QUANTIZE, DOCUMENTED, LIKELY),
    Rule("parameters", (), conditions.computed_parameters,
         "Make weights and biases constants", DOCUMENTED, SURE),
    Rule("rank", (), conditions.many_dimensions,
         "Use batch 1 and at most three dimensions: reshape first, or do this in your program",
         DOCUMENTED, SURE),
    Rule("parameters", ("FULLY_CONNECTED",), conditions.several_vectors,
         "Use a 1 × 1 convolution instead of a dense layer on several vectors", DOCUMENTED, LIKELY),
    Rule("parameters", ("FULLY_CONNECTED",), conditions.packed_weights,
         "Convert with the default weight format", DOCUMENTED, SURE),
    Rule("parameters", ("AVERAGE_POOL_2D", "MAX_POOL_2D", "CONCATENATION"),
         conditions.fused_activation, "Put the activation before this operation", DOCUMENTED, SURE),
    Rule("parameters", ("CONV_2D", "DEPTHWISE_CONV_2D"), conditions.uneven_dilation,
         "Use the same dilation for x and y", DOCUMENTED, SURE),
    Rule("parameters", ("CONCATENATION",), conditions.constant_part,
         "Concatenate only zeros, using PAD", DOCUMENTED, SURE),
    Rule("parameters", ("PAD",), conditions.padded_batch, "Pad only x, y or z", DOCUMENTED, LIKELY),
    Rule("parameters", ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"), conditions.reduced_batch,
         "Reduce only x, y or z, with batch 1", DOCUMENTED, LIKELY),
    Rule("parameters", ("PACK",), conditions.packed_batch, "Use CONCATENATION along x, y or z",
         DOCUMENTED, LIKELY),
    Rule("parameters", ("MEAN",), conditions.odd_depth, "Use a multiple of 4 channels",
         DOCUMENTED, LIKELY),
    Rule("parameters", ("PRELU",), conditions.wide_alpha,
         "Share alpha across x and y (Keras: shared_axes=[1, 2])", DOCUMENTED, LIKELY),
    Rule("parameters", ("STRIDED_SLICE",), conditions.steps_and_new_axes,
         "Slice with strides of 1; skip pixels with a strided convolution or pooling",
         DOCUMENTED, LIKELY),
    Rule("parameters", ("SOFTMAX",), conditions.long_softmax,
         "Apply the softmax in your program: logits rank the same", DOCUMENTED, LIKELY),
    Rule("precision", ("RESIZE_BILINEAR",), conditions.imprecise_resize,
         "Upscale by 2 or 4, repeatedly, or use RESIZE_NEAREST_NEIGHBOR or TRANSPOSE_CONV",
         OBSERVED, LIKELY, ("google-coral/edgetpu", "google-coral/test_data")),
    Rule("too large", ("RESIZE_BILINEAR",), conditions.large_resize, _TOO_LARGE, OBSERVED, GUESS,
         ("reports to google-coral/edgetpu",)),
    Rule("too large", ("MEAN",), conditions.large_mean,
         "Use AVERAGE_POOL_2D, or average the means of parts", OBSERVED, GUESS,
         ("reports to google-coral/edgetpu",)),
    Rule("too large", ("TRANSPOSE",), conditions.large_transpose, _TOO_LARGE, OBSERVED, LIKELY,
         ("MRezqalla/GoalBuddy", "jveitchmichaelis/edgetpu-yolo", _README)),
    Rule("too large", ("RESHAPE",), conditions.large_reshape, _TOO_LARGE, OBSERVED, LIKELY,
         ("Sandhya1708/modelnew",)),
    Rule("too large", ("RESHAPE", "CONCATENATION", "STRIDED_SLICE", "LOGISTIC", "QUANTIZE"),
         conditions.large_row, _TOO_LARGE, OBSERVED, LIKELY,
         ("MRezqalla/GoalBuddy", "Sandhya1708/modelnew", _README)),
)  # fmt: skip
"""Rules by which the compiler rejects an operation; the first that applies is the reason."""

RULES = (*MODEL_RULES, *OPERATION_RULES)
