"""Coral's models on real images, through the command."""

import json

import pytest
from errors import error_code

from edge.cli import run

pytestmark = pytest.mark.realdata

V2 = ("mobilenet_v2_1.0_224_quant", "tf2_mobilenet_v2_1.0_224_ptq")
CATS = {"tabby, tabby cat", "tiger cat", "Egyptian cat"}
# owl.jpg is a burrowing owl, which ImageNet has no class for: its models see another wild bird.
BIRDS = {"ruffed grouse, partridge, Bonasa umbellus", "partridge", "kite"}


@pytest.fixture
def best(test_data, capsys):
    """``best(model, image)``: the label that ``edge classify`` puts first."""

    def classify(model, image, *options):
        paths = test_data / "models" / f"{model}.tflite", test_data / "images" / image
        assert run(["classify", *map(str, paths), "--json", *map(str, options)]) == 0
        return json.loads(capsys.readouterr().out)[0]["classes"][0]["label"]

    return classify


@pytest.mark.parametrize("model", V2)
def test_imagenet_models(best, model):
    assert best(model, "cat_720p.jpg") in CATS
    assert best(model, "parrot.jpg") == "macaw"
    assert best(model, "hot_dog.jpg") == "hotdog, hot dog, red hot"
    assert best(model, "owl.jpg") in BIRDS


def test_the_smallest_imagenet_model(best):
    assert best("mobilenet_v1_0.25_128_quant", "cat_720p.jpg") in CATS
    assert best("mobilenet_v1_0.25_128_quant", "parrot.jpg") == "macaw"


def test_the_bird_model(best):
    model = "mobilenet_v2_1.0_224_inat_bird_quant"
    assert best(model, "owl.jpg") == "Athene cunicularia (Burrowing Owl)"
    assert best(model, "parrot.jpg") == "Ara macao (Scarlet Macaw)"
    assert best(model, "hot_dog.jpg") == "background"


def test_labels_from_a_file(best, test_data):
    labels = test_data / "models" / "imagenet_labels.txt"
    assert best(V2[0], "parrot.jpg", "--labels", labels) == "macaw"


@pytest.mark.parametrize(
    "model",
    [
        "coco_ssd_mobilenet_v1_1.0_quant",
        "deeplabv3_mnv2_dm05_pascal_quant",
        "movenet_single_pose_lightning_ptq",
        "yolo_fastest_1.1_int8",
    ],
)
def test_models_of_other_tasks_are_reported(test_data, capsys, model):
    paths = test_data / "models" / f"{model}.tflite", test_data / "images" / "cat_720p.jpg"
    assert run(["classify", *map(str, paths)]) == 2
    assert error_code(capsys.readouterr().err) == "model-wrong-task"


def test_the_cpu_version_replaces_a_missing_edge_tpu(test_data, capsys):
    name = "mobilenet_v1_0.25_128_quant_edgetpu.tflite"
    paths = test_data / "models" / name, test_data / "images" / "parrot.jpg"
    assert run(["classify", *map(str, paths), "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)[0]["classes"][0]["label"] == "macaw"
    assert "mobilenet_v1_0.25_128_quant.tflite" in printed.err
    assert run(["classify", *map(str, paths), "--delegate", "cpu"]) == 2
    stderr = capsys.readouterr().err
    assert error_code(stderr) == "edgetpu-required"
    assert "mobilenet_v1_0.25_128_quant.tflite" in stderr
