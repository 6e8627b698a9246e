"""What to use in place of operations that the Edge TPU does not have."""

LEAVE_OUT = "Leave it out, or do it in the program behind the model"

_POINTWISE = "Use RELU, RELU6, TANH, LOGISTIC or PRELU in its place, and train again"
_INDEX = "Let the model end before it, and look for the maximum in the program"
_ATTENTION = "Use convolutions or dense layers with constant weights in its place"

INSTEAD = {
    "DEQUANTIZE": "Convert with integer output, then it falls away (on the CPU it costs little)",
    "LEAKY_RELU": "Use RELU in its place, or MAXIMUM of x and a multiple of x, and train again",
    "HARD_SWISH": "Use RELU6 in its place, as the minimalistic MobileNetV3 does, and train again",
    "ELU": _POINTWISE,
    "GELU": _POINTWISE,
    "EXP": _POINTWISE,
    "LOG_SOFTMAX": "Use SOFTMAX in its place",
    "ARG_MAX": _INDEX,
    "ARG_MIN": _INDEX,
    "TOPK_V2": _INDEX,
    "DIV": "Multiply by the reciprocal, where the divisor is constant",
    "BATCH_MATMUL": _ATTENTION,
    "GATHER": "Use SLICE or a 1 × 1 convolution, where the indices are constant",
    "GATHER_ND": "Let the model end before it, and pick the values in the program",
    "SPLIT_V": "Use SPLIT in equal parts, or several SLICE",
    "UNPACK": "Use SPLIT or SLICE in its place",
    "DEPTH_TO_SPACE": "Use TRANSPOSE_CONV or RESIZE_NEAREST_NEIGHBOR in its place",
    "MIRROR_PAD": "Use PAD, which fills with zeros",
    "PADV2": "Use PAD, which fills with zeros",
    "CAST": "Feed the type that the model computes in: int8 or uint8",
    "CONV_3D": "Use CONV_2D on single frames",
}
"""Operation → what to change, where there is more to say than to leave it out."""
