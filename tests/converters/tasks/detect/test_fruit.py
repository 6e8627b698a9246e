"""A head on the trunk of a detector learns fruit from a dozen photos, and int8 keeps it."""

from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from converters.dataset.intake import list_boxes, open_dataset
from converters.dataset.split import split
from converters.progress import SilentProgress
from converters.pyramid.ssd_trunk import read_trunk
from converters.pyramid.training import PyramidTraining, train
from converters.tasks.detect import dataset as boxes
from converters.tasks.detect import files, network, predictions, quality
from converters.tasks.detect.assignment import choose_strides
from converters.tasks.detect.augmentation import DetectionAugmentation
from converters.tasks.detect.dataset import BoxedImages
from converters.tasks.detect.objective import DetectionObjective
from edge.preprocessing import Preprocessing

SIZE, STEPS = 320, 300
TRUNK = "coco_ssd_mobilenet_v1_1.0_quant.tflite"


@pytest.mark.realdata
def test_fruit_is_detected_after_a_minute(test_data: Path, tmp_path: Path) -> None:
    listing = list_boxes(open_dataset(test_data / "datasets" / "det_fruit3", tmp_path))
    data = boxes.audit(listing, Preprocessing(SIZE, SIZE), tmp_path, SilentProgress())
    subsets = split(data, seed=0)
    trunk = read_trunk(test_data / "models" / TRUNK)
    frozen = replace(trunk, cuts=trunk.cuts[:1])
    strides = choose_strides(np.concatenate([truth.boxes for truth in data.annotations]))
    untrained = network.build(frozen, SIZE, strides, len(data.classes), seed=0)
    ticks = count()
    options = PyramidTraining(most_steps=STEPS, clock=lambda: 1e-6 * next(ticks))
    objective = DetectionObjective(
        untrained, BoxedImages(data, subsets.train), BoxedImages(data, subsets.validation),
        DetectionAugmentation(),
    )  # fmt: skip
    trained = train(untrained, objective, options, tmp_path / "state.npz", SilentProgress())
    calibration = np.asarray(data.pixels[subsets.train])
    held_out = np.concatenate([subsets.validation, subsets.test])
    reached = {}
    for name, content in (
        ("float32", files.to_float32(trained.network).raw),
        ("int8", files.to_int8(trained.network, calibration, data.preprocessing).raw),
    ):
        detected = predictions.detect(content, name, data, held_out, "", SilentProgress())
        true = predictions.true_boxes(data, held_out)
        reached[name] = quality.map50(true, detected, data.classes)
    assert reached["int8"] > 0.8
    assert reached["int8"] > reached["float32"] - 0.05
