"""What to use in place of operations that the Edge TPU does not have."""

LEAVE_OUT = "Remove it, or do it in your program after the model"

_POINTWISE = "Use RELU, RELU6, TANH, LOGISTIC or PRELU instead, and retrain"
_INDEX = "End the model before it, and find the maximum in your program"
_ATTENTION = "Use convolutions or dense layers with constant weights instead"

INSTEAD = {
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
"""Operation → what to change, where there is more to say than to leave it out."""
