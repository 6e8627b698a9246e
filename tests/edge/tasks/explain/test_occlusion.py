import numpy as np
import tiny_models
from errors import raises_code

import edge


def test_what_loses_most_when_covered_is_the_object() -> None:
    image = np.full((64, 64, 3), 127, np.uint8)
    image[40:56, 8:24] = 0, 0, 255
    color = edge.Classifier.from_bytes(tiny_models.color_classifier("float32"), name="color.tflite")
    calls: list[tuple[int, int | None]] = []
    explanation = edge.explain_by_occlusion(
        color, image, "red", tell=lambda done, total: calls.append((done, total))
    )
    assert explanation.method == "occlusion"
    assert explanation.peak is not None
    x, y = explanation.peak
    assert 0.1 < x < 0.4
    assert 0.6 < y < 0.9
    assert calls[-1][0] == calls[-1][1] == len(calls) - 1


def test_a_class_that_there_is_not_is_refused() -> None:
    color = edge.Classifier.from_bytes(tiny_models.color_classifier(), name="color.tflite")
    with raises_code("unknown-class"):
        edge.explain_by_occlusion(color, np.zeros((4, 4, 3), np.uint8), "purple")
