"""Edge TPU rules, each on a graph that violates it and on a similar one that does not."""

from collections.abc import Callable

import numpy as np
import pytest
import tiny_models
from ai_edge_litert import schema_py_generated as schema
from edgetpu_graphs import Sketch, options
from errors import raises_code

from converters.edgetpu.prediction import EdgeTpuPrediction, check
from converters.edgetpu.rules import REPLACEMENTS, RULES, SUPPORTED, VERSIONS

Write = Callable[[Sketch], int]
"""Builds a graph and returns its output."""

IMAGE = [1, 8, 8, 4]
NONE, RELU = 0, 1


def convolution(
    sketch: Sketch, image: int, depth: int = 4, kernel: tuple[int, int] = (1, 1), **fields: int
) -> int:
    weights = sketch.constant(np.ones((depth, *kernel, 4)), "int8")
    bias = sketch.constant(np.zeros(depth), "int32")
    return sketch.op(
        "CONV_2D", [image, weights, bias], [1, 8, 8, depth], version=3,
        options=options("Conv2DOptions", strideW=1, strideH=1, **fields),
    )  # fmt: skip


def single_op(
    name: str, shape: list[int], output: list[int], *constants: object, **more: object
) -> Write:
    """A graph of one operation on an input of ``shape``."""

    def write(sketch: Sketch) -> int:
        image = sketch.input(shape)
        return sketch.op(name, [image, *map(sketch.constant, constants)], output, **more)

    return write


def joined(*shapes: list[int], **more: object) -> Write:
    return lambda sketch: sketch.op(
        "CONCATENATION", [sketch.input(shape) for shape in shapes], [1, 8, 8, 8], version=2, **more
    )


def joined_to(value: int, inputs: int = 1) -> Write:
    def write(sketch: Sketch) -> int:
        extra = sketch.constant(np.full(IMAGE, value), "int8")
        images = [sketch.input(IMAGE) for _ in range(inputs)]
        return sketch.op("CONCATENATION", [*images, extra], [1, 8, 8, 4 * inputs + 4])

    return write


def dense(vectors: int = 1, **fields: int) -> Write:
    def write(sketch: Sketch) -> int:
        weights = sketch.constant(np.ones((10, 4)), "int8")
        settings = options("FullyConnectedOptions", **fields)
        return sketch.op(
            "FULLY_CONNECTED",
            [sketch.input([vectors, 4]), weights],
            [vectors, 10],
            options=settings,
        )

    return write


def computed_dense(position: int) -> Write:
    """A dense layer whose weights (1) or biases (2) are an input."""

    def write(sketch: Sketch) -> int:
        operands = [sketch.input([2, 4]), sketch.constant(np.ones((10, 4)), "int8")]
        operands += [sketch.constant(np.zeros(10), "int32")]
        operands[position] = sketch.input([10, 4] if position == 1 else [10])
        return sketch.op("FULLY_CONNECTED", operands, [2, 10], version=4)

    return write


def dilated(kernel: tuple[int, int], y: int, x: int) -> Write:
    return lambda sketch: convolution(
        sketch, sketch.input(IMAGE), kernel=kernel, dilationHFactor=y, dilationWFactor=x
    )


def split(axis: int, shape: list[int], parts: int) -> Write:
    def write(sketch: Sketch) -> int:
        operands = [sketch.constant(axis), sketch.input(shape)]
        part = [*shape]
        part[axis] //= parts
        return sketch.op("SPLIT", operands, part, version=2, outputs=parts)

    return write


def upscaled(kernel: int, stride: int) -> Write:
    """A transposed convolution."""
    settings = options("TransposeConvOptions", strideH=stride, strideW=stride)

    def write(sketch: Sketch) -> int:
        weights = sketch.constant(np.ones((4, kernel, kernel, 4)), "int8")
        operands = [sketch.constant([1, 16, 16, 4]), weights, sketch.input(IMAGE)]
        return sketch.op("TRANSPOSE_CONV", operands, [1, 16, 16, 4], version=2, options=settings)

    return write


def padded_sum(paddings: list[list[int]], shape: list[int], twice: bool = False) -> Write:
    """A padded tensor added to another, or ``twice``."""

    def write(sketch: Sketch) -> int:
        padded = sketch.op("PAD", [sketch.input(shape), sketch.constant(paddings)], IMAGE)
        other = padded if twice else sketch.input(IMAGE)
        return sketch.op("ADD", [padded, other], IMAGE, version=2)

    return write


def slope(shape: list[int]) -> Write:
    def write(sketch: Sketch) -> int:
        alpha = sketch.constant(np.ones(shape), "int8")
        return sketch.op("PRELU", [sketch.input(IMAGE), alpha], IMAGE)

    return write


def sliced(strides: list[int], output: list[int], **fields: int) -> Write:
    settings = options("StridedSliceOptions", **fields)
    return single_op("STRIDED_SLICE", IMAGE, output, [0] * 4, IMAGE, strides, options=settings)


def packed(axis: int, shape: list[int], output: list[int]) -> Write:
    def write(sketch: Sketch) -> int:
        images = [sketch.input(shape) for _ in range(output[axis])]
        return sketch.op("PACK", images, output, options=options("PackOptions", axis=axis))

    return write


def resized(before: int, after: int, aligned: bool = False, depth: int = 4) -> Write:
    settings = options("ResizeBilinearOptions", alignCorners=aligned)
    return single_op(
        "RESIZE_BILINEAR", [1, before, before, depth], [1, after, after, depth], [after, after],
        options=settings,
    )  # fmt: skip


def pooled(activation: int) -> Write:
    settings = options("Pool2DOptions", fusedActivationFunction=activation)
    return single_op("MAX_POOL_2D", IMAGE, [1, 4, 4, 4], options=settings)


def typed(name: str, before: str, after: str) -> Write:
    return lambda sketch: sketch.op(name, [sketch.input(IMAGE, before)], IMAGE, after)


def predicted(write: Write) -> EdgeTpuPrediction:
    sketch = Sketch()
    return check(sketch.finish(write(sketch)), "sketch.tflite")


REFUSED = {
    "unlisted op": (single_op("LEAKY_RELU", IMAGE, IMAGE), "unsupported op"),
    "own op": (single_op("CUSTOM:TFLite_Detection_PostProcess", IMAGE, IMAGE), "unsupported op"),
    "float": (typed("RELU", "float32", "float32"), "data type"),
    "float input": (typed("QUANTIZE", "float32", "int8"), "data type"),
    "float output": (typed("DEQUANTIZE", "int8", "float32"), "data type"),
    "int16": (typed("RELU", "int16", "int16"), "data type"),
    "int32": (typed("ADD", "int32", "int32"), "data type"),
    "no scale": (lambda s: s.op("RELU", [s.input(IMAGE, scale=0)], IMAGE, scale=0), "data type"),
    "batch": (single_op("RELU", [2, 8, 8, 4], [2, 8, 8, 4]), "rank"),
    "five dimensions": (single_op("RELU", [1, 2, 8, 8, 4], [1, 2, 8, 8, 4]), "rank"),
    "computed biases": (computed_dense(2), "parameters"),
    "shuffled": (dense(weightsFormat=1), "parameters"),
    "pool and activation": (pooled(RELU), "parameters"),
    "join and activation": (
        joined(IMAGE, IMAGE, options=options("ConcatenationOptions", fusedActivationFunction=RELU)),
        "parameters",
    ),
    "join with ones": (joined_to(1), "parameters"),
    "three with zeros": (joined_to(0, inputs=2), "parameters"),
    "dilation": (dilated((3, 3), 1, 2), "parameters"),
    "version of an addition": (single_op("ADD", IMAGE, IMAGE, version=4), "op version"),
    "version of a dense layer": (
        single_op("FULLY_CONNECTED", [1, 4], [1, 10], np.ones((10, 4)), version=9),
        "op version",
    ),
    "version": (single_op("MUL", IMAGE, IMAGE, version=5), "op version"),
    "separate kernels": (upscaled(kernel=2, stride=2), "parameters"),
    "split first": (split(0, [4, 8, 4], 4), "parameters"),
    "split first, from the end": (split(-2, [4, 8], 2), "parameters"),
    "pad batch": (
        single_op("PAD", [1, 1, 1, 4], IMAGE, [[1, 0], [0, 0], [0, 0], [0, 0]]),
        "parameters",
    ),
    "mean of batch": (single_op("MEAN", IMAGE, [8, 8, 4], [0]), "parameters"),
    "mean of 6 channels": (single_op("MEAN", [1, 8, 8, 6], [1, 8, 8], [3]), "parameters"),
    "alpha": (slope([8, 8, 4]), "parameters"),
    "steps": (sliced([1, 2, 2, 1], [1, 4, 4, 4]), "parameters"),
    "new axis": (sliced([1] * 4, IMAGE, newAxisMask=1), "parameters"),
    "pack two images": (packed(0, [8, 8, 4], [2, 8, 8, 4]), "rank"),
    "pack a batch": (packed(-4, [8, 8, 4], [1, 8, 8, 4]), "parameters"),
    "long softmax": (single_op("SOFTMAX", [1, 16_385], [1, 16_385]), "parameters"),
    "resize of a point": (resized(1, 33, aligned=True), "precision"),
    "resize by 1.5": (resized(8, 12), "precision"),
    "large resize": (resized(256, 512, depth=32), "too large"),
    "large nearest resize": (
        single_op(
            "RESIZE_NEAREST_NEIGHBOR", [1, 128, 128, 64], [1, 256, 256, 64], [256, 256], version=3
        ),
        "too large",
    ),
    "large mean": (single_op("MEAN", [1, 256, 128, 3], [1, 3], [1, 2]), "too large"),
    "large transpose": (
        single_op("TRANSPOSE", [1, 40, 40, 65], [1, 65, 40, 40], [0, 3, 1, 2]),
        "too large",
    ),
    "large reshape": (
        single_op("RESHAPE", [1, 80, 80, 255], [1, 6400, 3, 85], [1, 6400, 3, 85]),
        "too large",
    ),
    "long row": (single_op("LOGISTIC", [1, 80, 8400], [1, 80, 8400]), "too large"),
}

TAKEN = {
    "relu": single_op("RELU", IMAGE, IMAGE),
    "uint8 to int8": typed("QUANTIZE", "uint8", "int8"),
    "four dimensions": single_op("RELU", [1, 1, 8, 8, 4], [1, 1, 8, 8, 4]),
    "vector": dense(),
    "several vectors": dense(vectors=3),
    "computed weights": computed_dense(1),
    "pool": pooled(NONE),
    "join": joined(IMAGE, IMAGE),
    "join with zeros": joined_to(0),
    "same dilation": dilated((3, 3), 2, 2),
    "overlapping kernels": upscaled(kernel=3, stride=2),
    "dilation in time": dilated((2, 1), 2, 1),
    "split": split(2, [4, 8, 4], 4),
    "split into one": split(0, [1, 8, 4], 1),
    "add padded rows to themselves": padded_sum(
        [[0, 0], [1, 1], [0, 0], [0, 0]], [1, 6, 8, 4], twice=True
    ),
    "add padded channels": padded_sum([[0, 0], [0, 0], [0, 0], [0, 2]], [1, 8, 8, 2]),
    "pad": single_op("PAD", [1, 6, 6, 4], IMAGE, [[0, 0], [1, 1], [1, 1], [0, 0]]),
    "mean of y and x": single_op("MEAN", [1, 8, 8, 6], [1, 6], [1, 2]),
    "mean of 4 channels": single_op("MEAN", IMAGE, [1, 8, 8], [-1]),
    "mean of y, without a batch": single_op("MEAN", [8, 8, 4], [8, 4], [0]),
    "one alpha for a channel": slope([1, 1, 4]),
    "slice": sliced([1] * 4, [1, 4, 4, 4]),
    "pack": packed(0, [8, 4], [2, 8, 4]),
    "softmax": single_op("SOFTMAX", [1, 16_384], [1, 16_384]),
    "resize by 2": resized(8, 16),
    "resize by 4, aligned": resized(9, 33, aligned=True),
    "small transpose": single_op("TRANSPOSE", [1, 24, 24, 144], [1, 144, 24, 24], [0, 3, 1, 2]),
    "nearest resize": single_op(
        "RESIZE_NEAREST_NEIGHBOR", [1, 64, 64, 128], [1, 128, 128, 128], [128, 128], version=3
    ),
    "reshape": single_op("RESHAPE", [1, 40, 40, 255], [1, 1600, 3, 85], [1, 1600, 3, 85]),
    "row": single_op("LOGISTIC", [1, 80, 2100], [1, 80, 2100]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_violating_a_rule_is_refused_with_its_reason(case):
    write, reason = REFUSED[case]
    prediction = predicted(write)
    assert (prediction.status, prediction.mapped) == ("none", 0)
    assert prediction.first_refused is not None
    assert prediction.first_refused.rule.reason == reason
    assert prediction.first_refused.obstacle and prediction.first_refused.rule.change
    assert prediction.cpu == {prediction.operations[0]: 1}


@pytest.mark.parametrize("case", TAKEN)
def test_supported_operations_are_mapped(case):
    prediction = predicted(TAKEN[case])
    assert (prediction.status, prediction.cpu, prediction.refusals) == ("full", {}, ())


def test_computed_weights_are_refused():
    sketch = Sketch()
    image, weights = sketch.input(IMAGE), sketch.input([4, 1, 1, 4])
    output = sketch.op("CONV_2D", [image, weights], IMAGE, options=options("Conv2DOptions"))
    prediction = check(sketch.finish(output), "sketch.tflite")
    assert prediction.first_refused.rule.reason == "parameters"


def test_operations_after_a_refused_one_are_lost_but_not_those_beside_it():
    sketch = Sketch()
    image = sketch.input(IMAGE)
    trunk = convolution(sketch, image)
    leaky = sketch.op("LEAKY_RELU", [trunk], IMAGE)
    after = convolution(sketch, leaky)
    beside = convolution(sketch, trunk)
    both = sketch.op("ADD", [after, beside], IMAGE, version=2)
    prediction = check(sketch.finish(both), "sketch.tflite")
    assert prediction.status == "partly"
    assert (prediction.mapped, prediction.cpu) == (2, {"ADD": 1, "CONV_2D": 1, "LEAKY_RELU": 1})
    (refusal,) = prediction.refusals
    assert (refusal.index, refusal.op, refusal.cause) == (1, "LEAKY_RELU", 1)
    assert refusal.lost_after == {"ADD": 1, "CONV_2D": 1}


def test_only_the_first_refused_operation_cuts():
    sketch = Sketch()
    output = convolution(sketch, sketch.input(IMAGE))
    for name in ("LEAKY_RELU", "RELU", "ELU", "RELU"):
        output = sketch.op(name, [output], IMAGE)
    prediction = check(sketch.finish(output), "sketch.tflite")
    first, second = prediction.refusals
    assert (first.cause, second.cause) == (1, 1)
    assert (first.lost_after, second.lost_after) == ({"RELU": 2}, {})


def test_operations_on_the_cpu_before_the_mapped_part_cause_no_loss():
    sketch = Sketch()
    image = sketch.op("QUANTIZE", [sketch.input(IMAGE, "float32")], IMAGE)
    output = sketch.op("DEQUANTIZE", [convolution(sketch, image)], IMAGE, "float32")
    prediction = check(sketch.finish(output), "sketch.tflite")
    assert prediction.cpu == {"DEQUANTIZE": 1, "QUANTIZE": 1}
    assert [refusal.cause for refusal in prediction.refusals] == [None, 2]


def test_an_unknown_size_in_the_signature_alone_is_not_dynamic():
    def write(sketch: Sketch) -> int:
        image = sketch.input(IMAGE, signature=[-1, 8, 8, 4])
        return sketch.op("RELU", [image], IMAGE, signature=[-1, 8, 8, 4])

    assert predicted(write).status == "full"


@pytest.mark.parametrize("shape", [[-1, 8, 8, 4], [1, -1, -1, 4], [0, 8, 8, 4]])
def test_an_unknown_size_rejects_the_model(shape):
    sketch = Sketch()
    output = sketch.op("RELU", [convolution(sketch, sketch.input(shape))], IMAGE)
    prediction = check(sketch.finish(output), "sketch.tflite")
    assert (prediction.status, prediction.rejects_model) == ("none", True)
    assert prediction.cpu == {"CONV_2D": 1, "RELU": 1}
    assert prediction.first_refused.rule.reason == "dynamic tensor"


def test_a_computed_shape_rejects_the_model():
    sketch = Sketch()
    image = sketch.input(IMAGE)
    shape = sketch.op("SHAPE", [image], [4], "int32")
    output = sketch.op("RESHAPE", [convolution(sketch, image), shape], [1, 256])
    prediction = check(sketch.finish(output), "sketch.tflite")
    assert prediction.rejects_model and sum(prediction.cpu.values()) == 3
    dynamic = [
        refusal for refusal in prediction.refusals if refusal.rule.reason == "dynamic tensor"
    ]
    assert [refusal.op for refusal in dynamic] == ["RESHAPE"]


def test_a_reshape_to_a_single_value_has_a_known_shape():
    assert predicted(single_op("RESHAPE", [1, 1], [], [])).status == "full"


@pytest.mark.parametrize("paddings", [[0, 1], [1, 0]])
def test_adding_rows_that_were_just_padded_makes_the_compiler_fail(paddings):
    prediction = predicted(padded_sum([[0, 0], paddings, [0, 0], [0, 0]], [1, 7, 8, 4]))
    assert prediction.rejects_model and prediction.cpu == {"ADD": 1, "PAD": 1}
    (refusal,) = prediction.refusals
    assert (refusal.op, refusal.rule.confidence) == ("ADD", "guess")


def test_weights_behind_the_flatbuffer_reject_the_model():
    sketch = Sketch()
    image = sketch.op("QUANTIZE", [sketch.input(IMAGE, "float32")], IMAGE)
    content = sketch.finish(convolution(sketch, image), detached=True)
    prediction = check(content, "large.tflite")
    assert prediction.rejects_model and prediction.status == "none"
    assert prediction.first_refused.op == "CONV_2D"  # not the QUANTIZE before it
    assert prediction.first_refused.rule.reason == "detached weights"


@pytest.mark.parametrize(
    ("op", "version"),
    [("QUANTIZE", 3), ("RELU", 9), ("EXP", 2), ("DEQUANTIZE", 6), ("GELU", 1), ("ATAN2", 1)],
)
def test_a_newer_op_version_rejects_the_model(op, version):
    sketch = Sketch()
    output = sketch.op(op, [convolution(sketch, sketch.input(IMAGE))], IMAGE, version=version)
    prediction = check(sketch.finish(output), "sketch.tflite")
    assert prediction.rejects_model and prediction.cpu == {"CONV_2D": 1, op: 1}
    assert prediction.refusals[-1].rule.reason == "op version"


def test_float16_weights_count_as_a_float_model_to_quantize():
    sketch = Sketch()
    weights = sketch.op("DEQUANTIZE", [sketch.constant(np.ones(4), "float16")], [4], "float32")
    image = sketch.input(IMAGE, "float32")
    output = sketch.op("MUL", [image, weights], IMAGE, "float32")
    prediction = check(sketch.finish(output), "float16.tflite")
    assert prediction.cpu == {"DEQUANTIZE": 1, "MUL": 1}
    assert {refusal.rule.reason for refusal in prediction.refusals} == {"data type"}
    assert all("variants/int8.tflite" in refusal.rule.change for refusal in prediction.refusals)


def test_a_float_model_has_every_operation_on_the_cpu():
    prediction = check(tiny_models.color_model("float32"), "float.tflite")
    assert prediction.status == "none"
    assert prediction.cpu == {"FULLY_CONNECTED": 1, "RESHAPE": 1, "SOFTMAX": 1}


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_an_integer_model_is_fully_mapped(dtype):
    assert check(tiny_models.color_model(dtype), "model.tflite").status == "full"


def test_operations_of_a_compiled_model_are_counted():
    whole = check(tiny_models.edgetpu_model(), "a_edgetpu.tflite")
    assert (whole.status, whole.mapped, whole.cpu, whole.compiled) == ("full", 1, {}, True)
    partly = check(tiny_models.partly_edgetpu_model(), "b_edgetpu.tflite")
    assert (partly.status, partly.mapped, partly.cpu) == ("partly", 1, {"SOFTMAX": 1})
    assert partly.parameters is None


def test_parameters_above_the_memory_of_the_chip_are_streamed():
    sketch = Sketch()
    image = sketch.input([1, 4096])
    weights = sketch.constant(np.ones((2560, 4096)), "int8")  # 10 MiB
    first = sketch.op("FULLY_CONNECTED", [image, weights], [1, 2560])
    again = sketch.op("FULLY_CONNECTED", [image, weights], [1, 2560])
    sizes = check(sketch.finish(first, again), "sketch.tflite").parameters
    assert sizes.on_chip + sizes.off_chip == 10 * 2**20  # used twice, there once
    assert 6 * 2**20 < sizes.on_chip < 8 * 2**20


def test_parameters_of_operations_on_the_cpu_do_not_count():
    sketch = Sketch()
    leaky = sketch.op("LEAKY_RELU", [convolution(sketch, sketch.input(IMAGE))], IMAGE)
    sizes = check(sketch.finish(convolution(sketch, leaky)), "sketch.tflite").parameters
    assert (sizes.on_chip, sizes.off_chip) == (4 * 4 + 4 * 4, 0)


def test_an_operation_without_an_output_is_a_damaged_file():
    sketch = Sketch()
    sketch.op("PAD", [sketch.input(IMAGE)], IMAGE)
    sketch._graph.operators[0].outputs = np.asarray([], np.int32)
    with raises_code("model-damaged", found="sketch.tflite", kind="ModelError"):
        check(sketch.finish(), "sketch.tflite")


def test_an_operation_that_reads_a_later_output_is_a_damaged_file():
    sketch = Sketch()
    output = sketch.op("RELU", [sketch.input(IMAGE)], IMAGE)
    last = sketch.op("RELU", [output], IMAGE)
    sketch._graph.operators.reverse()
    with raises_code("model-damaged", found="operation 0", kind="ModelError"):
        check(sketch.finish(last), "sketch.tflite")


def test_the_tables_name_operations_of_the_schema():
    known = vars(schema.BuiltinOperator)
    for op in (*SUPPORTED, *VERSIONS, *REPLACEMENTS, *(op for rule in RULES for op in rule.ops)):
        assert op in known, op
    assert not set(SUPPORTED) & set(REPLACEMENTS)


def test_every_observed_rule_names_its_repositories():
    for rule in RULES:
        assert bool(rule.seen) == (rule.source == "observed"), rule
