"""Inputs with open sizes are resized where that is certain, and refused where it is not."""

import hostile
import numpy as np
import pytest
from errors import raises_code
from mask_models import scores_model

from edge import interpreter
from edge.tasks.classify.classifier import Classifier


def with_input(content, shape, signature=()):
    """The model with another shape of its input, as a converter writes open sizes."""

    def edit(model):
        image = model.subgraphs[0].tensors[0]
        image.shape = np.asarray(shape, np.int32)
        image.shapeSignature = np.asarray(signature, np.int32) if signature else None

    return hostile.edited(content, edit)


@pytest.mark.parametrize(
    ("shape", "signature"),
    [
        ((1, 1, 1, 3), (-1, -1, -1, 3)),  # Keras: Input((None, None, 3))
        ((1, 1, 1, 3), (1, -1, -1, 3)),
        ((1, -1, -1, 3), ()),
        ((-1, 4, 4, 3), ()),  # interpreters refuse that even where it would be resized
        ((1, 4, 1, 3), (1, 4, -1, 3)),
        ((1, 3, 1, 1), (-1, 3, -1, -1)),  # channels first
        ((1, 0, 0, 3), (1, -1, -1, 3)),
    ],
)
def test_an_open_height_or_width_is_refused(tiny_model, shape, signature):
    content = with_input(tiny_model(), shape, signature)
    with raises_code("model-input-open", found="-1", fix="[1, 224, 224, 3]"):
        interpreter.load(content, name="model.tflite")


@pytest.mark.parametrize("trusted", [False, True])
@pytest.mark.parametrize(
    ("shape", "signature"),
    [
        ((1, 4, 4, 3), (-1, 4, 4, 3)),
        ((8, 4, 4, 3), (-1, 4, 4, 3)),
        ((1, 4, 4, 3), (-1, -1, -1, 3)),  # it was exported with this size
    ],
)
def test_an_open_batch_becomes_1(none_known, tiny_model, red, shape, signature, trusted):
    content = with_input(tiny_model(), shape, signature)
    classifier = Classifier.from_bytes(content, name="model.tflite", trusted=trusted)
    assert classifier.runtime.inputs[0].shape == (1, 4, 4, 3)
    assert classifier.predict(red[..., ::-1]).best.index == 0


def test_a_fixed_batch_stays():
    content = with_input(scores_model(), (8, 8, 8, 3))
    assert interpreter.load(content, name="model.tflite").inputs[0].shape == (8, 8, 8, 3)


def test_the_commands_give_the_advice_in_a_line(tiny_model, tmp_path, run_here):
    model = tmp_path / "model.tflite"
    model.write_bytes(with_input(tiny_model(), (1, 1, 1, 3), (-1, -1, -1, 3)))
    for command in (("bench", model), ("classify", model, "absent.png")):
        done = run_here(*command)
        assert (done.returncode, "[model-input-open]" in done.stderr) == (2, True)
    assert "[-1, -1, -1, 3]" in run_here("inspect", model).stdout
