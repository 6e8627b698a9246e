"""Maps of Coral's int8 MobileNet V2: on the animal, and what the interpreter itself has inside."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

import edge
from edge.modelfile import tflite
from edge.modelwriter.receptive_field import CellCenters, cell_centers

pytestmark = pytest.mark.realdata

BOXES = {"cat_720p.jpg": (140, 75, 905, 720), "parrot.jpg": (130, 95, 475, 760)}
"""Left, top, right and bottom of the animal, drawn by eye."""


@pytest.fixture(scope="module")
def classifier(test_data: Path) -> edge.Classifier:
    models = test_data / "models"
    return edge.Classifier.open(
        models / "mobilenet_v2_1.0_224_quant.tflite",
        labels=models / "imagenet_labels.txt",
        threads=1,
    )


def energy_inside(explanation: edge.Explanation, path: Path) -> float:
    """The share of the map inside the box of an image."""
    height, width = edge.read_image(path).shape[:2]
    left, top, right, bottom = BOXES[path.name]
    large = cv2.resize(explanation.heatmap, (width, height))
    return float(large[top:bottom, left:right].sum() / large.sum())


@pytest.mark.parametrize("name", BOXES)
def test_the_maps_of_both_methods_are_on_the_animal(
    classifier: edge.Classifier, test_data: Path, name: str
) -> None:
    path = test_data / "images" / name
    assert energy_inside(edge.Explainer.of(classifier).predict(path), path) >= 0.6
    assert energy_inside(edge.explain_by_occlusion(classifier, path), path) >= 0.6


@pytest.mark.parametrize("name", ["mobilenet_v1_0.25_128_quant", "mobilenet_v2_1.0_224_quant"])
def test_the_map_is_the_inner_tensor_of_the_file_times_its_weights(
    test_data: Path, name: str
) -> None:
    path = test_data / "models" / f"{name}.tflite"
    explainer = edge.Explainer.of(edge.Classifier.open(path, threads=1))
    image = edge.read_image(test_data / "images" / "cat_720p.jpg")
    (pixels,) = explainer.preprocess(edge.Frame(0, 0.0, image, "cat"))
    scores, features = explainer.runtime.invoke(pixels)
    preserving = Interpreter(str(path), num_threads=1, experimental_preserve_all_tensors=True)
    preserving.allocate_tensors()
    preserving.set_tensor(preserving.get_input_details()[0]["index"], pixels)
    preserving.invoke()
    inner = [
        detail
        for detail in preserving.get_tensor_details()
        if detail["name"] == explainer.runtime.outputs[1].name
    ]
    assert np.abs(preserving.get_tensor(inner[0]["index"]).astype(int) - features).max() <= 1
    output = preserving.get_tensor(preserving.get_output_details()[0]["index"])
    assert np.abs(output.astype(int) - scores).max() <= 1


def test_cells_of_a_mobilenet_look_half_a_cell_further_than_an_even_grid(test_data: Path) -> None:
    file = tflite.parse((test_data / "models" / "mobilenet_v2_1.0_224_quant.tflite").read_bytes())
    features = next(
        index
        for operation in file.main.operators
        if operation.code == 1  # AVERAGE_POOL_2D
        for index in operation.inputs[:1]
    )
    assert cell_centers(file, features) == 2 * (CellCenters(32, 31.5, 224),)
