"""Embeddings are exact, and never computed twice."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from converters import tf
from converters.backbone.weights import Backbone
from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.progress import SilentProgress
from converters.tasks.classify.embeddings import Embeddings, embed
from converters.writer.folding import fold
from converters.writer.ranges import measure

T = TypeVar("T")


@pytest.fixture(scope="module")
def cache(
    backbone: Backbone,
    shapes: Dataset,
    shapes_split: Split,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A cache that knows the images of ``shapes``; use a copy to change it."""
    folder = tmp_path_factory.mktemp("embeddings")
    embed(backbone, shapes, shapes_split, folder, SilentProgress())
    return folder


@pytest.fixture
def own_cache(cache: Path, tmp_path: Path) -> Path:
    for path in cache.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


@pytest.fixture
def no_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise AssertionError("TensorFlow was asked for")

    monkeypatch.setattr(tf, "tensorflow", refuse)


def test_they_are_what_keras_computes(
    backbone: Backbone, shapes: Dataset, shapes_split: Split, cache: Path
) -> None:
    embedded = embed(backbone, shapes, shapes_split, cache, SilentProgress())
    chosen = shapes_split.train[:4]
    inputs = shapes.preprocessing.normalize(shapes.pixels[chosen])
    model = backbone.build()
    for view, images in enumerate((inputs, inputs[:, :, ::-1])):
        want = model(images, training=False).numpy().mean((1, 2))
        np.testing.assert_allclose(embedded.train[:4, view], want, atol=1e-4)
    np.testing.assert_array_equal(embedded.train_labels, shapes.labels[shapes_split.train])
    assert embedded.validation.shape == (len(shapes_split.validation), 1280)


@pytest.mark.usefixtures("no_tensorflow")
def test_a_warm_run_computes_nothing_and_needs_no_tensorflow(
    backbone: Backbone, shapes: Dataset, shapes_split: Split, cache: Path
) -> None:
    embedded = embed(backbone, shapes, shapes_split, cache, SilentProgress())
    assert (embedded.computed, embedded.cached) == (0, 60)


@pytest.mark.usefixtures("no_tensorflow")
def test_ten_added_images_cost_ten_embeddings(
    backbone: Backbone, shapes: Dataset, shapes_split: Split, own_cache: Path
) -> None:
    new = shapes_split.test[:10]
    wider = replace(shapes_split, train=np.concatenate([shapes_split.train, new]))
    embedded = embed(backbone, shapes, wider, own_cache, SilentProgress())
    assert (embedded.computed, embedded.cached) == (10, 60)
    assert embed(backbone, shapes, wider, own_cache, SilentProgress()).computed == 0


def test_another_input_size_has_a_cache_of_its_own(
    backbone: Backbone, shapes: Dataset, shapes_split: Split, own_cache: Path
) -> None:
    tiny = replace(shapes_split, train=shapes_split.train[:2], validation=shapes_split.train[2:3])
    other = replace(shapes, preprocessing=replace(shapes.preprocessing, mean=(120.0,)))
    assert embed(backbone, other, tiny, own_cache, SilentProgress()).computed == 3


@pytest.mark.parametrize("damage", [b"this is no database", None])
def test_a_damaged_cache_starts_anew_and_says_so(
    damage: bytes | None,
    backbone: Backbone,
    shapes: Dataset,
    shapes_split: Split,
    own_cache: Path,
    listener: "SilentProgress",
) -> None:
    path = next(own_cache.glob("*.sqlite"))
    # None: a database cut off in the middle, as a full disk leaves it.
    path.write_bytes(damage or path.read_bytes()[: path.stat().st_size // 2])
    embedded = embed(backbone, shapes, shapes_split, own_cache, listener)
    assert embedded.computed == 60
    assert "damaged" in listener.sentences[0]  # type: ignore[attr-defined]


class _Interrupting(SilentProgress):
    """Ctrl-C after some images."""

    def track(self, items: Iterable[T], total: int, what: str) -> Iterator[T]:
        for done, item in enumerate(items):
            if done == 30:
                raise KeyboardInterrupt
            yield item


def test_an_interrupted_run_goes_on_where_it_stopped(
    backbone: Backbone, shapes: Dataset, shapes_split: Split, own_cache: Path
) -> None:
    next(own_cache.glob("*.sqlite")).unlink()
    with pytest.raises(KeyboardInterrupt):
        embed(backbone, shapes, shapes_split, own_cache, _Interrupting())
    embedded: Embeddings = embed(backbone, shapes, shapes_split, own_cache, SilentProgress())
    assert 44 <= embedded.computed <= 46  # 30 of 120 views were kept: those of 15 images


def test_ranges_come_with_the_embeddings(
    backbone: Backbone, shapes: Dataset, shapes_split: Split, own_cache: Path
) -> None:
    calibration = shapes_split.train[[3, 1]]
    before = embed(backbone, shapes, shapes_split, own_cache, SilentProgress())
    embedded = embed(
        backbone, shapes, shapes_split, own_cache, SilentProgress(), calibration=calibration
    )
    assert (before.ranges, embedded.computed) == (None, 2)
    network = fold(backbone.arrays, backbone.size)
    ranges = embedded.ranges
    assert ranges is not None
    want = measure(network, np.asarray(shapes.pixels[calibration]), shapes.preprocessing)
    assert dict(ranges.activations) == dict(want)
    np.testing.assert_allclose(ranges.embeddings, before.train[[3, 1], 0], atol=1e-5)
    again = embed(
        backbone, shapes, shapes_split, own_cache, SilentProgress(), calibration=calibration
    )
    assert again.ranges is not None and again.computed == 0
    assert again.ranges.activations == ranges.activations
