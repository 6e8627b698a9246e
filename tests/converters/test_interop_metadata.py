"""Other programs judge our metadata: MediaPipe, and each of the three interpreters."""

import warnings
from dataclasses import replace

import cv2
import numpy as np
import pytest
import tiny_models

from edge import interpreter
from edge.modelfile import metadata
from edge.modelfile.metadata import ModelMetadata
from edge.modelfile.metadata_writer import write_metadata
from edge.tasks.classify.classifier import Classifier

COLORS = ("red", "grün", "blue, dark")
ABOUT = ModelMetadata(
    name="Colors",
    description="Names the color.",
    labels=COLORS,
    mean=(127.5,),
    std=(127.5,),
    provenance={"seed": 1},
)


@pytest.fixture(scope="module")
def tiny_model():
    return tiny_models.color_model


@pytest.fixture
def red():
    return tiny_models.red_image()


@pytest.fixture(scope="module")
def tasks():
    """MediaPipe Tasks: ``(mediapipe, BaseOptions, vision)``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mediapipe = pytest.importorskip("mediapipe", reason="mediapipe: not installed")
        from mediapipe.tasks.python import BaseOptions, vision
    return mediapipe, BaseOptions, vision


def judged(tasks, content, image, top=3):
    """MediaPipe's ``[(label, index, score)]`` of an image, best first."""
    mediapipe, base_options, vision = tasks
    options = vision.ImageClassifierOptions(
        base_options=base_options(model_asset_buffer=content), max_results=top
    )
    with vision.ImageClassifier.create_from_options(options) as classifier:
        mp_image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=image)
        categories = classifier.classify(mp_image).classifications[0].categories
    return [(entry.category_name, entry.index, entry.score) for entry in categories]


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_mediapipe_reads_our_labels_and_normalization(tasks, tiny_model, red, dtype):
    content = write_metadata(tiny_model(dtype), ABOUT)
    for channel, label in enumerate(COLORS):
        image = np.ascontiguousarray(np.roll(red, channel, axis=2))
        ours = Classifier.from_bytes(content, name="colors").predict(image[..., ::-1]).best
        (theirs,) = judged(tasks, content, image, top=1)
        assert theirs[:2] == (label, channel) == (ours.label, ours.index)
        assert theirs[2] == pytest.approx(ours.score, abs=0.02)


def test_mediapipe_shows_our_texts(tasks, tiny_model):
    from mediapipe.tasks.python.metadata import metadata as judge

    shown = judge.MetadataDisplayer.with_model_buffer(write_metadata(tiny_model(), ABOUT))
    text = shown.get_metadata_json()
    for part in ('"Names the color."', '"TENSOR_AXIS_LABELS"', '"RGB"', '"1.0.0"', "127.5"):
        assert part in text
    assert set(shown.get_packed_associated_file_list()) == {"labels.txt", "provenance.json"}


def test_we_read_what_mediapipe_writes(tasks, tiny_model, red):
    from mediapipe.tasks.python.metadata.metadata_writers import image_classifier, metadata_writer

    labels = metadata_writer.Labels().add(["rot", "grün", "blau"], "de")
    labels.add(["red", "green", "blue"])
    writer = image_classifier.MetadataWriter.create(
        bytearray(tiny_model("float32")), [127.5, 127.4, 127.3], [127.5, 127.6, 127.7], labels
    )
    content, _ = writer.populate()
    content_metadata = metadata.read(bytes(content))
    assert content_metadata.labels == ("red", "green", "blue")
    assert content_metadata.mean == pytest.approx((127.5, 127.4, 127.3))
    assert content_metadata.std == pytest.approx((127.5, 127.6, 127.7))
    assert (
        Classifier.from_bytes(bytes(content), name="m").predict(red[..., ::-1]).best.label == "red"
    )
    # And what is theirs can be replaced by ours, for them to read again.
    ours = write_metadata(bytes(content), ABOUT)
    assert metadata.read(ours) == ABOUT
    assert judged(tasks, ours, red, top=1)[0][0] == "red"


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_mediapipe_honours_our_threshold(tasks, tiny_model, red, dtype):
    content = write_metadata(tiny_model(dtype), replace(ABOUT, threshold=0.625))
    gray = np.full_like(red, 128)
    assert Classifier.from_bytes(content, name="colors").predict(gray[..., ::-1]).unknown
    assert judged(tasks, content, gray) == []
    ((label, _, score),) = judged(tasks, content, red)
    assert label == "red"
    assert score > 0.625
    assert len(judged(tasks, write_metadata(content, ABOUT), gray)) == 3


def test_we_read_the_threshold_that_mediapipe_writes(tasks, tiny_model):
    from mediapipe.tasks.python.metadata.metadata_writers import metadata_writer

    writer = metadata_writer.MetadataWriter.create(bytearray(tiny_model("float32")))
    writer.add_image_input([127.5], [127.5])
    labels = metadata_writer.Labels().add(["red", "green", "blue"])
    thresholding = metadata_writer.ScoreThresholding(global_score_threshold=0.7)
    writer.add_classification_output(labels, score_thresholding=thresholding)
    content, _ = writer.populate()
    assert metadata.read(bytes(content)).threshold == pytest.approx(0.7)


@pytest.mark.parametrize("package", list(interpreter.INTERPRETERS))
@pytest.mark.parametrize("dtype", ["uint8", "int8", "float32"])
def test_every_interpreter_runs_a_model_with_metadata(tiny_model, red, package, dtype):
    if not interpreter.installed(package):
        pytest.skip(f"{package}: not installed")
    content = write_metadata(tiny_model(dtype), ABOUT)
    model = Classifier.from_bytes(content, name="colors")
    pixels = model.preprocessing.resize(red)
    runtime = interpreter.load(content, name="colors", interpreter=package)
    assert runtime.package.startswith(package)
    array = np.where(pixels > 0, 1, -1)
    spec = runtime.inputs[0]
    if spec.scale:
        limits = np.iinfo(spec.dtype)
        array = np.clip(np.rint(array / spec.scale) + spec.zero_point, limits.min, limits.max)
    (output,) = runtime.invoke(array[None].astype(spec.dtype))
    scores = runtime.outputs[0].dequantize(output).ravel()
    np.testing.assert_allclose(scores, model.scores(pixels), atol=0.01)


@pytest.mark.realdata
@pytest.mark.parametrize("name", ["mobilenet_v2_1.0_224_quant", "tf2_mobilenet_v2_1.0_224_ptq"])
def test_a_rewritten_real_model_keeps_its_answers(tasks, test_data, name):
    before = (test_data / "models" / f"{name}.tflite").read_bytes()
    labels = metadata.read(before).labels
    after = write_metadata(before, ModelMetadata(labels=labels, mean=(127.5,), std=(127.5,)))
    for image in ("cat_720p.jpg", "parrot.jpg", "hot_dog.jpg"):
        bgr = cv2.imread(str(test_data / "images" / image))
        pixels = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
        theirs = judged(tasks, after, pixels)
        assert theirs == judged(tasks, before, pixels)
        assert (
            Classifier.from_bytes(after, name=name).predict(pixels[..., ::-1]).best.label
            == theirs[0][0]
        )
