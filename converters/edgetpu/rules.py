"""Rules by which the Edge TPU compiler leaves an operation to the CPU.

The compiler is closed-source; its last version is 16.0.384591198, of 2021. ``DOCUMENTED`` rules
come from its documentation (https://coral.ai/docs/edgetpu/models-intro, "Supported operations"),
``REPORTED`` ones from its messages, ``SCHEMA`` ones from fields that the file format has since
2023. ``OBSERVED`` ones were derived from what it left on the CPU of public models, and name the
repositories of these, so that predictions can be evaluated without the rules derived from the
evaluated models. Documented limits that could be looked up again only at second hand are
``LIKELY``; ``GUESS`` is what a single report or none supports.

Some documented limits do not hold, and are no rules here: a FULLY_CONNECTED may have computed
weights and several vectors (R-e-d-a-X/EdgeTPU-and-NCS, prbodmann/Coral-TPU), a SOFTMAX 16,384
values (ricardodeazambuja/LibrEdgeTPU), and a convolution whose kernel is 1 wide another dilation
in x than in y (fredriktegnell/edgetpu-tcn).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from converters.edgetpu import conditions
from converters.edgetpu.network import OpNode
from edge.modelfile.operations import op_names

DOCUMENTED, REPORTED, OBSERVED = "documented", "reported by the compiler", "observed"
SCHEMA = "TensorFlow Lite's schema"
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
    "ABS": 4, "ADD": 4, "ARG_MAX": 2, "ARG_MIN": 2, "AVERAGE_POOL_2D": 3, "BATCH_MATMUL": 4,
    "BATCH_TO_SPACE_ND": 3, "BIDIRECTIONAL_SEQUENCE_LSTM": 3, "BIDIRECTIONAL_SEQUENCE_RNN": 3,
    "BROADCAST_TO": 3, "CONCATENATION": 3, "CONV_2D": 5, "DEPTHWISE_CONV_2D": 6,
    "DEPTH_TO_SPACE": 2, "DEQUANTIZE": 4, "DIV": 2, "EMBEDDING_LOOKUP": 3, "EQUAL": 3,
    "FAKE_QUANT": 2, "FILL": 3, "FLOOR_DIV": 2, "FULLY_CONNECTED": 9, "GATHER": 5, "GATHER_ND": 3,
    "GREATER": 2, "GREATER_EQUAL": 2, "L2_NORMALIZATION": 2, "LEAKY_RELU": 2, "LESS": 2,
    "LESS_EQUAL": 2, "LOGISTIC": 3, "LOG_SOFTMAX": 2, "LSTM": 4, "MAXIMUM": 4, "MAX_POOL_2D": 3,
    "MEAN": 3, "MINIMUM": 4, "MIRROR_PAD": 2, "MUL": 5, "NOT_EQUAL": 3, "PACK": 3, "PAD": 4,
    "PADV2": 4, "QUANTIZE": 2, "REDUCE_MAX": 3, "REDUCE_MIN": 3, "REDUCE_PROD": 2, "RELU": 3,
    "RELU6": 3, "RESIZE_BILINEAR": 4, "RESIZE_NEAREST_NEIGHBOR": 4, "REVERSE_V2": 3, "RNN": 3,
    "RSQRT": 2, "SELECT": 2, "SLICE": 5, "SOFTMAX": 3, "SPACE_TO_BATCH_ND": 3, "SPACE_TO_DEPTH": 2,
    "SPARSE_TO_DENSE": 3, "SPLIT": 4, "SPLIT_V": 2, "SQUARED_DIFFERENCE": 2, "SQUEEZE": 2,
    "STRIDED_SLICE": 6, "SUB": 5, "SUM": 2, "SVDF": 4, "TANH": 3, "TILE": 2, "TOPK_V2": 2,
    "TRANSPOSE": 5, "TRANSPOSE_CONV": 3, "UNIDIRECTIONAL_SEQUENCE_LSTM": 3,
    "UNIDIRECTIONAL_SEQUENCE_RNN": 3, "UNPACK": 4,
}  # fmt: skip
"""Newest version of each operation that the compiler's own TensorFlow Lite can read; else 1.

That TensorFlow Lite is 2.6: the compiler reads ADD version 4 (of 2.6), not QUANTIZE version 3 (of
2.7). Versions by release: ``tensorflow/lite/tools/versioning/runtime_version.cc``.
"""

NEWEST_OPERATION = "BROADCAST_ARGS"
"""Last operation of the schema in TensorFlow Lite 2.6; it numbers them in order of appearance."""

MAPPED_VERSIONS = {
    "ADD": 2, "AVERAGE_POOL_2D": 2, "CONCATENATION": 2, "CONV_2D": 3, "DEPTHWISE_CONV_2D": 3,
    "FULLY_CONNECTED": 4, "L2_NORMALIZATION": 2, "LOGISTIC": 2, "MAXIMUM": 2, "MAX_POOL_2D": 2,
    "MEAN": 2, "MINIMUM": 2, "MUL": 2, "PACK": 2, "PAD": 2, "QUANTIZE": 2, "REDUCE_MAX": 2,
    "REDUCE_MIN": 2, "RELU": 2, "RELU6": 2, "RESIZE_BILINEAR": 3, "RESIZE_NEAREST_NEIGHBOR": 3,
    "RSQRT": 2, "SLICE": 2, "SOFTMAX": 2, "SPACE_TO_DEPTH": 2, "SPLIT": 2,
    "SQUARED_DIFFERENCE": 2, "STRIDED_SLICE": 2, "SUB": 2, "SUM": 2, "TANH": 2, "TRANSPOSE": 2,
    "TRANSPOSE_CONV": 3, "UNIDIRECTIONAL_SEQUENCE_LSTM": 1,
}  # fmt: skip
"""Version of each operation that 8-bit values need, the newest that was seen mapped.

A converter writes one version for all operations of a kind: a single ADD of int64 raises that of
all others to 4.
"""

LEAVE_OUT = "Remove it, or do it in your program after the model"

_POINTWISE = "Use RELU, RELU6, TANH, LOGISTIC or PRELU instead, and retrain"
_INDEX = "End the model before it, and find the maximum in your program"
_ATTENTION = "Use convolutions or dense layers instead, whose weights may be computed"

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

_CUSTOM = "CUSTOM:"

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
    if node.name.startswith(_CUSTOM):
        return None
    known = _known_operations()
    if known and node.name not in known:
        return "an operation that the compiler of 2021 does not know"
    newest = VERSIONS.get(node.name, 1)
    if node.version <= newest:
        return None
    return f"version {node.version}; the compiler of 2021 reads up to {newest}"


@cache
def _known_operations() -> frozenset[str]:
    """Return the operations that the compiler can read; empty without the schema's names."""
    numbers = {name: number for number, name in op_names().items()}
    return frozenset(name for name in numbers if numbers[name] <= numbers[NEWEST_OPERATION])


def _unmapped_version(node: OpNode) -> str | None:
    newest = MAPPED_VERSIONS.get(node.name, node.version)
    if node.version <= newest:
        return None
    return f"version {node.version}; up to {newest} runs on the Edge TPU"


def _unsupported(node: OpNode) -> str | None:
    return "not a supported operation"


def _unlisted(node: OpNode) -> str | None:
    return None if node.name in SUPPORTED else "not a supported operation"


def _custom(node: OpNode) -> str | None:
    return "a custom operation" if node.name.startswith(_CUSTOM) else None


_README = "a README with YOLOv5s at 224 pixels"
_ISSUES = "reports to google-coral/edgetpu"
_OLDER = "Convert with an older TensorFlow (about 2.5)"
_TOO_LARGE = "Use a smaller input, or do this in your program after the model"
_QUANTIZE = "Quantize the whole model to int8, as edge convert does (variants/int8.tflite)"

MODEL_RULES = (
    Rule("op version", (), _newer_version,
         f"{_OLDER}, or without per-channel dense layers", REPORTED, SURE),
    Rule("dynamic tensor", (), conditions.unknown_size,
         "Convert with a fixed input shape (batch 1) and constant shapes inside",
         REPORTED, SURE),
    Rule("detached weights", (), conditions.detached_weights,
         "Convert without buffer offsets (_experimental_use_buffer_offset = False), below 2 GB",
         SCHEMA, LIKELY),
    Rule("padding", ("ADD",), conditions.padded_addend,
         "Choose sizes that need no padding there, or compile with -d -a, which leaves the ADD out",
         OBSERVED, GUESS, ("mathieugalle/edgetpu-compiler-pad-fail",)),
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
    Rule("parameters", ("FULLY_CONNECTED",), conditions.packed_weights,
         "Convert with the default weight format", DOCUMENTED, SURE),
    Rule("parameters", ("AVERAGE_POOL_2D", "MAX_POOL_2D", "CONCATENATION"),
         conditions.fused_activation, "Put the activation before this operation", DOCUMENTED, SURE),
    Rule("parameters", ("CONV_2D", "DEPTHWISE_CONV_2D"), conditions.uneven_dilation,
         "Use the same dilation for x and y", DOCUMENTED, LIKELY),
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
    Rule("parameters", ("TRANSPOSE_CONV",), conditions.separate_kernels,
         "Use a kernel of 3 or 4 with stride 2, or RESIZE_NEAREST_NEIGHBOR and a convolution",
         OBSERVED, GUESS, (_ISSUES,)),
    Rule("parameters", ("STRIDED_SLICE",), conditions.steps_and_new_axes,
         "Slice with strides of 1; skip pixels with a strided convolution or pooling",
         DOCUMENTED, LIKELY),
    Rule("parameters", ("SOFTMAX",), conditions.long_softmax,
         "Apply the softmax in your program: logits rank the same", DOCUMENTED, GUESS),
    Rule("parameters", ("SPLIT",), conditions.split_first_axis,
         "Split along another axis, or use SLICE", OBSERVED, LIKELY,
         ("prbodmann/Coral-TPU", "R-e-d-a-X/EdgeTPU-and-NCS")),
    Rule("op version", ("ADD", "FULLY_CONNECTED"), _unmapped_version,
         f"{_OLDER}, or change what raises the version of all: an ADD of int64, a dense layer that "
         "keeps its dimensions", OBSERVED, LIKELY,
         ("edward62740/EdgeTPU-MOT", "a field log of a weather forecast")),
    Rule("op version", (), _unmapped_version, _OLDER, REPORTED, GUESS),
    Rule("precision", ("RESIZE_BILINEAR",), conditions.imprecise_resize,
         "Upscale by 2 or 4, repeatedly, or use RESIZE_NEAREST_NEIGHBOR or TRANSPOSE_CONV",
         OBSERVED, LIKELY, ("google-coral/edgetpu", "google-coral/test_data")),
    Rule("too large", ("RESIZE_BILINEAR",), conditions.large_resize, _TOO_LARGE, OBSERVED, GUESS,
         (_ISSUES,)),
    Rule("too large", ("RESIZE_NEAREST_NEIGHBOR",), conditions.large_resize, _TOO_LARGE,
         OBSERVED, LIKELY, ("mistake0316/Google-Coral-Style-Transfer",)),
    Rule("too large", ("MEAN",), conditions.large_mean,
         "Use AVERAGE_POOL_2D, or average the means of parts", OBSERVED, GUESS,
         (_ISSUES,)),
    Rule("too large", ("TRANSPOSE",), conditions.large_transpose, _TOO_LARGE, OBSERVED, LIKELY,
         ("MRezqalla/GoalBuddy", "jveitchmichaelis/edgetpu-yolo", "G-aad-a/ddu-eksamen",
          "chienthan2vn/smart_parking_system", "Spenc3rB/Stereo2Depth", "edward62740/EdgeTPU-MOT",
          _README)),
    Rule("too large", ("RESHAPE",), conditions.large_reshape, _TOO_LARGE, OBSERVED, LIKELY,
         ("Sandhya1708/modelnew", "pine-book/MyYolov5")),
    Rule("too large", ("RESHAPE", "CONCATENATION", "STRIDED_SLICE", "LOGISTIC", "QUANTIZE"),
         conditions.large_row, _TOO_LARGE, OBSERVED, LIKELY,
         ("MRezqalla/GoalBuddy", "Sandhya1708/modelnew", "pine-book/MyYolov5", _README)),
)  # fmt: skip
"""Rules by which the compiler rejects an operation; the first that applies is the reason."""

RULES = (*MODEL_RULES, *OPERATION_RULES)
