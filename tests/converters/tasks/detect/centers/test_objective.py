"""What training minimizes is least for the right map, and F1 at its best threshold decides."""

import blobs
import numpy as np
import pytest

from converters.backbone.mobilenet_v2 import Weights
from converters.pyramid.trunk import of_mobilenet_v2
from converters.tasks.detect.augmentation import DetectionAugmentation
from converters.tasks.detect.centers.network import CENTERS, OFFSETS, CentersNetwork, build
from converters.tasks.detect.centers.objective import CentersObjective
from converters.tasks.detect.centers.targets import IGNORED
from edge.interpreter import TensorSpec

SHAPE = (8, 8)


@pytest.fixture(scope="module")
def objective(network: CentersNetwork) -> CentersObjective:
    images = blobs.images(4)
    return CentersObjective(
        network, images, images, DetectionAugmentation(mosaic=0.0),
        {"object_sizes": [[blobs.SIDE / blobs.SIZE] * 2]},
    )  # fmt: skip


@pytest.fixture(scope="module")
def network() -> CentersNetwork:
    import micro_detector

    weights: Weights = micro_detector.weights()
    return build(of_mobilenet_v2(weights, blobs.SIZE), blobs.SIZE, 1, seed=0)


def test_only_what_the_head_reads_can_be_trained(network: CentersNetwork) -> None:
    nodes = {node.name for node in network.used_nodes()}
    assert set(network.trunk.cuts) <= nodes
    assert network.trunk.cuts[0] == network.trunk.taps[16]
    assert set(network.outputs) <= nodes


def views(objective: CentersObjective) -> tuple[np.ndarray, np.ndarray]:
    _, (heat, offsets) = objective.view(3, np.random.default_rng(0))
    return heat[None], offsets[None]


def loss(objective: CentersObjective, heat: np.ndarray, offsets: np.ndarray, *targets) -> float:
    return float(objective.loss({CENTERS: heat, OFFSETS: offsets}, targets))


def test_the_right_map_has_the_least_loss(objective: CentersObjective) -> None:
    heat, offsets = views(objective)
    right = np.where(heat == 1, 9, -9).astype(np.float32)
    places = offsets[..., :2]
    least = loss(objective, right, places, heat, offsets)
    assert least < 0.01
    assert loss(objective, -right, places, heat, offsets) > 100 * least
    assert loss(objective, np.roll(right, 2, axis=1), places, heat, offsets) > 100 * least
    assert loss(objective, right, places + 0.5, heat, offsets) == pytest.approx(least + 1, rel=0.01)


def test_cells_where_nothing_is_known_do_not_count(objective: CentersObjective) -> None:
    heat, offsets = views(objective)
    wrong = np.where(heat == 1, 9, -9).astype(np.float32)
    wrong[0, 0, 0] = 9
    ignored = heat.copy()
    ignored[0, 0, 0] = IGNORED
    places = offsets[..., :2]
    assert loss(objective, wrong, places, ignored, offsets) < 0.01
    assert loss(objective, wrong, places, heat, offsets) > 0.5


def test_the_best_threshold_is_judged(objective: CentersObjective) -> None:
    """Middles have a score of 0.88, and a wrong point in each image 0.5."""
    specs = [
        TensorSpec(name=CENTERS, shape=(1, *SHAPE, 1), dtype="float32", scale=0, zero_point=0),
        TensorSpec(name=OFFSETS, shape=(1, *SHAPE, 2), dtype="float32", scale=0, zero_point=0),
    ]
    outputs = []
    for image in blobs.images(4):
        heat = np.full((1, *SHAPE, 1), -9, np.float32)
        offsets = np.zeros((1, *SHAPE, 2), np.float32)
        for left, top, right, bottom in image.boxes.tolist():
            x, y = (left + right) / 16, (top + bottom) / 16
            heat[0, int(y), int(x)] = 2
            offsets[0, int(y), int(x)] = x % 1 - 0.5, y % 1 - 0.5
        heat[0, 7, 7] = np.maximum(heat[0, 7, 7], 0)
        outputs.append((heat, offsets))
    judged = objective.judge(specs, outputs)
    assert judged.score == judged.figures["f1"] == 1
    assert judged.figures["threshold"] == pytest.approx(0.88, abs=0.01)
    assert judged.figures["count_error"] == 0
