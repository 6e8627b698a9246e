"""Training finds squares, decides on validation, and goes on where it was killed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import micro_detector
import numpy as np
import pytest

from converters.progress import SilentProgress
from converters.pyramid import checkpoint, plan
from converters.pyramid.training import PyramidTraining, TrainedPyramid, train
from converters.pyramid.trunk import of_blocks
from converters.tasks.detect.augmentation import DetectionAugmentation
from converters.tasks.detect.network import DetectorNetwork, build
from converters.tasks.detect.objective import DetectionObjective

Result = TrainedPyramid[DetectorNetwork]
CHANNELS = [(8, 1, False), (12, 2, False), (16, 2, False), (24, 2, False), (32, 2, False)]


def network() -> DetectorNetwork:
    """A trunk of six blocks with random weights."""
    blocks = micro_detector.blocks(CHANNELS, expands=False)
    trunk = of_blocks(blocks, {8: 3, 16: 4, 32: 5})
    trunk = replace(trunk, cuts=(trunk.cuts[0], "flat_1"))
    return build(trunk, micro_detector.SIZE, (16, 32), 2, seed=1)


def trained_into(path: Path, progress: SilentProgress) -> Result:
    """Train with a clock that stands almost still: the number of steps decides."""
    ticks = count()
    options = PyramidTraining(most_steps=60, seed=3, workers=1, clock=lambda: 1e-6 * next(ticks))
    objective = DetectionObjective(
        network(), IMAGES, VALIDATION, DetectionAugmentation(mosaic=0.2)
    )  # fmt: skip
    return train(network(), objective, options, path, progress)


@dataclass
class Killed(SilentProgress):
    """Progress that ends the process at a sentence."""

    at: int
    sentences: list[str] = field(default_factory=list)

    def say(self, sentence: str) -> None:
        self.sentences.append(sentence)
        if len(self.sentences) == self.at:
            raise KeyboardInterrupt

    def track(self, items: Iterable, total: int, what: str) -> Iterator:
        yield from items


IMAGES, VALIDATION = micro_detector.images(40), micro_detector.images(12, seed=1)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Result:
    path = tmp_path_factory.mktemp("training") / "state.npz"
    result = trained_into(path, SilentProgress())
    assert not path.exists()
    return result


def test_it_finds_squares_of_both_colors(trained: Result) -> None:
    assert trained.figures["map50"] > 0.25  # untrained: below 0.01
    head = next(phase for phase in trained.phases if phase.kind == plan.HEADS)
    assert trained.score > head.scores[0]


def test_the_result_is_the_best_of_all_evaluations(
    trained: Result,
) -> None:
    scores = [score for phase in trained.phases for score in phase.scores]
    assert trained.score == max(scores)
    assert max(trained.best.scores) == max(scores)
    kinds = [phase.kind for phase in trained.phases]
    assert kinds == [plan.HEADS, plan.PILOT, plan.MAIN]


def test_frozen_nodes_keep_their_weights(trained: Result) -> None:
    before = {node.name: node.layer for node in network().trunk.nodes}
    after = {node.name: node.layer for node in trained.network.trunk.nodes}
    same = {name for name in before if np.array_equal(before[name].kernel, after[name].kernel)}
    assert {"stem", "deep_1", "flat_1"} <= same
    assert len(same) < len(before) or trained.best.kind == plan.HEADS


def test_a_killed_training_goes_on_and_ends_alike(trained: Result, tmp_path: Path) -> None:
    path = tmp_path / "state.npz"
    with pytest.raises(KeyboardInterrupt):
        trained_into(path, Killed(at=11))
    done = checkpoint.load(path)
    assert done.phases and done.phases[-1].kind == plan.MAIN
    resumed = trained_into(path, SilentProgress())
    assert [p.kind for p in resumed.phases] == [p.kind for p in trained.phases]
    assert resumed.phases[0].figures == trained.phases[0].figures
    assert resumed.phases[-1].done > done.phases[-1].done
    assert resumed.score >= max(done.phases[-1].scores)


def test_a_damaged_state_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "state.npz"
    path.write_bytes(b"PK\x03\x04 no archive")
    assert checkpoint.load(path) == checkpoint.Checkpoint()
