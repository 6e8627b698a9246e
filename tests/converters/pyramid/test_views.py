"""Views are the same for the same number, different as often as asked for, in little memory."""

from collections.abc import Sequence
from typing import Any

import micro_detector
import numpy as np
import pytest

from converters.pyramid import views
from converters.pyramid.objective import Objective
from converters.pyramid.part import FrozenLayers


class Numbers(Objective):
    """Images of one color, and their number as what is learned."""

    images = 5
    validation = ()

    def __init__(self) -> None:
        self.made = 0

    def view(self, number: int, rng: np.random.Generator) -> tuple[np.ndarray, tuple[Any, ...]]:
        self.made += 1
        pixels = np.full((64, 64, 3), rng.integers(256), np.uint8)
        return pixels, (np.array([number, rng.integers(1 << 30)]),)

    def loss(self, outputs: Any, targets: Sequence[Any]) -> Any:
        raise NotImplementedError

    def judge(self, specs: Any, outputs: Any) -> Any:
        raise NotImplementedError


@pytest.fixture(scope="module")
def extract() -> FrozenLayers:
    trunk = micro_detector.trunk()
    frozen, _ = trunk.split(trunk.taps[4])
    return FrozenLayers(frozen, (trunk.taps[4],), 64)


def test_every_epoch_shows_all_images_in_another_way(extract: FrozenLayers) -> None:
    made = views.Views(Numbers(), extract, seed=1, different=1 << 20, calm_from=1 << 20)
    targets = np.array([made.view(number).targets[0] for number in range(15)])
    for epoch in targets.reshape(3, 5, 2):
        assert sorted(epoch[:, 0]) == [0, 1, 2, 3, 4]
    assert len({tuple(row) for row in targets.tolist()}) == 15
    again = views.Views(Numbers(), extract, seed=1, different=1 << 20, calm_from=1 << 20)
    assert np.array_equal(again.view(11).targets[0], targets[11])


def test_views_repeat_after_as_many_as_differ(extract: FrozenLayers) -> None:
    objective = Numbers()
    made = views.Views(objective, extract, seed=1, different=7, calm_from=1 << 20)
    for batch in made.batches(batch_size=7, first=0, steps=3, workers=2):
        assert batch.features[0].shape[0] == 7
    assert objective.made <= 8  # the first one twice, as it is measured


def test_beyond_the_memory_views_are_made_anew_and_still_differ(
    extract: FrozenLayers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "_MEMORY", 1)
    made = views.Views(Numbers(), extract, seed=1, different=1 << 20, calm_from=1 << 20)
    targets = [tuple(made.view(number).targets[0].tolist()) for number in range(10)]
    assert len(set(targets)) == 10
    assert targets[3] == tuple(made.view(3).targets[0].tolist())
