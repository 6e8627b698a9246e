"""The extractor that ``edge teach`` uses clips no image, whatever it was calibrated on."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from converters.writer.builtin_extractor import builtin_extractor
from edge.modelfile import tflite
from edge.teaching import features

SHIPPED = Path(features.__file__).with_name("builtin.tflite")


def spans(content: bytes) -> dict[str, float]:
    """Width of the range of each activation, by name."""
    graph = tflite.parse(content).main
    written = {index for operation in graph.operators for index in operation.outputs}
    tensors = [graph.tensors[index] for index in sorted(written)]
    return {tensor.name: 255 * tensor.scales[0] for tensor in tensors}


def test_dark_images_leave_room_for_bright_ones(tmp_path: Path) -> None:
    for number in range(2):
        dark = np.random.default_rng(number).integers(0, 20, (170, 160, 3), np.uint8)
        cv2.imwrite(str(tmp_path / f"{number}.png"), dark)
    written, shipped = spans(builtin_extractor(tmp_path, 2, 0)), spans(SHIPPED.read_bytes())
    assert written.keys() == shipped.keys()
    behind_relu6 = {name for name, span in shipped.items() if span == pytest.approx(6)}
    assert len(behind_relu6) == 35
    assert [written[name] for name in behind_relu6] == pytest.approx([6] * 35)
    assert written != shipped, "the others are measured"
