"""What kernels take for granted is checked: each of these models crashes an interpreter."""

import hostile
import numpy as np
import pytest
from errors import raises_code
from mutations import convolutions, models

from edge import interpreter
from edge.modelfile import structure, tflite


def check(content):
    structure.check(tflite.parse(content), "model.tflite")


def operator(number, field, values):
    """Return an edit that sets the inputs or outputs of an operation."""

    def edit(model):
        setattr(model.subgraphs[0].operators[number], field, np.asarray(values, np.int32))

    return edit


def option(number, name, value):
    def edit(model):
        setattr(model.subgraphs[0].operators[number].builtinOptions, name, value)

    return edit


def without_options(model):
    chosen = model.subgraphs[0].operators[0]
    chosen.builtinOptions, chosen.builtinOptionsType = None, 0


def tensor(number, name, value):
    def edit(model):
        chosen = model.subgraphs[0].tensors[number]
        setattr(chosen.quantization if hasattr(chosen.quantization, name) else chosen, name, value)

    return edit


def shorter_buffer(model):
    weights = model.buffers[model.subgraphs[0].tensors[1].buffer]
    weights.data = weights.data[:-1]


def outputs_of_the_graph(*values):
    def edit(model):
        model.subgraphs[0].outputs = np.asarray(values, np.int32)

    return edit


def floats(*values):
    return np.asarray(values, np.float32)


# Operations of convolutions(): 0 CONV_2D, 1 DEPTHWISE_CONV_2D, 2 ADD, 3 PAD, 4 AVERAGE… pooling.
@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (operator(1, "inputs", [3, 4]), "operation 1 (code 4) has 2 inputs"),
        (operator(0, "inputs", [0, 1, -1]), "operation 0 (code 3) lacks an input"),
        (operator(2, "inputs", [3]), "operation 2 (code 0) has 1 input"),
        (operator(2, "inputs", [3, 10]), "reads tensor 10, which nothing has computed"),
        (operator(2, "inputs", [3, 7]), "reads tensor 7, which nothing has computed"),
        (operator(2, "outputs", []), "operation 2 (code 0) has no output"),
        (operator(2, "outputs", [1]), "overwrites tensor 1"),
        (operator(2, "outputs", [0]), "overwrites tensor 0"),
        (option(0, "strideW", 0), "a stride of 0"),
        (option(1, "dilationHFactor", -1), "a dilation of -1"),
        (option(4, "filterWidth", 0), "a window of 0"),
        (without_options, "a stride of 0"),
        (tensor(7, "scale", floats(1e-38)), "an impossible scale of 1e-38"),
        (tensor(7, "scale", floats(np.nan)), "no positive number"),
        (tensor(1, "scale", floats(-1)), "no positive number"),
        (tensor(7, "zeroPoint", np.asarray([300])), "a zero point that is no int8"),
        (tensor(1, "scale", floats(1, 1, 1)), "3 scales for [4, 3, 3, 3]"),
        (tensor(3, "shape", np.asarray([1, -8, 8, 4], np.int32)), "has the shape [1, -8, 8, 4]"),
        (tensor(3, "shape", np.asarray([1 << 20, 1 << 20], np.int32)), "needs 1,099,511,627,776"),
        (tensor(10, "type", 4), "operation 5 copies int64 into int8"),
        (shorter_buffer, "needs 108 bytes, and has 107"),
        (outputs_of_the_graph(11, 9), "output 9"),
    ],
)
def test_what_would_crash_is_refused(edit, words):
    content = hostile.edited(convolutions("int8"), edit)
    if words == "output 9":
        content = hostile.edited(content, operator(3, "outputs", [10]))
        words = "reads tensor 9"
    with raises_code("model-damaged", found=words):
        interpreter.load(content, name="model.tflite")


@pytest.mark.parametrize("name", models())
def test_whole_models_pass(name):
    check(models()[name])


def test_a_constant_without_values_passes(tiny_model):
    def empty(model):  # the shape of a scalar, for RESHAPE
        model.subgraphs[0].tensors[2].shape = np.asarray([0], np.int32)
        model.subgraphs[0].tensors[2].buffer = 0

    check(hostile.edited(tiny_model(), empty))


def test_a_variable_may_be_read_first_and_written(tiny_model):
    def state(model):
        model.subgraphs[0].tensors[1].isVariable = True
        model.subgraphs[0].operators = model.subgraphs[0].operators[1:]

    check(hostile.edited(tiny_model(), state))


@pytest.mark.parametrize("calls", [(1, 0), (1, 1), (7, 1)])
def test_subgraphs_that_call_each_other_are_refused(calls):
    with raises_code("model-damaged", found="subgraph"):
        check(hostile.calling(*calls))


def test_subgraphs_that_end_pass():
    check(hostile.calling(1, 2))


@pytest.mark.realdata
def test_every_real_model_passes(test_data):
    files = [file for file in test_data.rglob("*.tflite") if "invalid" not in file.parts]
    assert len(files) > 50
    for file in files:
        structure.check(tflite.parse(file.read_bytes(), file.name), file.name)
