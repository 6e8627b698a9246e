"""Parts of a file that are run apart, and cached, give exactly what the file gives."""

import os
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.progress import SilentProgress
from converters.tasks.classify import embedding_cache
from converters.tasks.classify.embedding_cache import embed_by_file
from converters.tasks.classify.embedding_store import open_store
from converters.tasks.classify.predictions import predict, predict_in_parts
from converters.tflite import Variant
from edge.modelwriter.embedding import behead


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The images that an extractor was run on, by their sum."""
    images: list[int] = []
    run = embedding_cache.ExtractorRunner.__call__

    def noting(self: embedding_cache.ExtractorRunner, pixels: np.ndarray) -> np.ndarray:
        images.append(int(pixels.sum()))
        return run(self, pixels)

    monkeypatch.setattr(embedding_cache.ExtractorRunner, "__call__", noting)
    return images


@pytest.mark.parametrize("number", [0, 1, 2], ids=["float32", "float16", "int8"])
def test_in_parts_a_file_gives_exactly_the_same_scores(
    number: int,
    micro_variants: tuple[Variant, ...],
    shapes: Dataset,
    shapes_split: Split,
    tmp_path: Path,
    ran: list[int],
    listener: SilentProgress,
) -> None:
    variant = micro_variants[number]
    whole = predict(variant, shapes, shapes_split, SilentProgress())
    for runs in (60, 0):
        parts = predict_in_parts(variant, shapes, shapes_split, tmp_path, listener)
        np.testing.assert_array_equal(parts.validation, whole.validation)
        np.testing.assert_array_equal(parts.test, whole.test)
        assert len(ran) == runs
        ran.clear()
    assert listener.sentences == []  # type: ignore[attr-defined]


def test_a_cache_that_is_wrong_is_noticed(
    micro_variants: tuple[Variant, ...],
    shapes: Dataset,
    shapes_split: Split,
    tmp_path: Path,
    listener: SilentProgress,
) -> None:
    int8 = micro_variants[2]
    whole = predict_in_parts(int8, shapes, shapes_split, tmp_path, listener)
    with open_store(next(tmp_path.glob("*.sqlite"))) as store:
        keys = [f"{image.digest} image" for image in shapes.images]
        store.put({key: np.roll(vector, 7) for key, vector in store.get(keys).items()})
    again = predict_in_parts(int8, shapes, shapes_split, tmp_path, listener)
    np.testing.assert_array_equal(again.test, whole.test)
    (sentence,) = listener.sentences  # type: ignore[attr-defined]
    assert "int8" in sentence and "every image" in sentence


def test_images_files_and_preprocessing_decide_what_is_computed_again(
    micro_variants: tuple[Variant, ...], shapes: Dataset, tmp_path: Path, ran: list[int]
) -> None:
    indices = np.arange(5)
    float32, int8 = (behead(micro_variants[number].content).content for number in (0, 2))

    def computed(extractor: bytes, dataset: Dataset) -> int:
        before = len(ran)
        embed_by_file(extractor, dataset, indices, tmp_path, "", SilentProgress())
        return len(ran) - before

    assert computed(int8, shapes) == 5
    assert computed(int8, shapes) == 0
    other = replace(shapes.images[3], digest="another photo")
    changed = replace(shapes, images=(*shapes.images[:3], other, *shapes.images[4:]))
    assert computed(int8, changed) == 1
    assert computed(float32, shapes) == 5
    brighter = replace(shapes, preprocessing=replace(shapes.preprocessing, mean=(120.0,)))
    assert computed(int8, brighter) == 5
    (scale,) = behead(micro_variants[2].content).embedding.scales
    wider = int8.replace(struct.pack("<f", scale), struct.pack("<f", 1.1 * scale))
    assert computed(wider, shapes) == 5  # another range of an activation


def test_only_the_caches_used_last_are_kept(
    micro_variants: tuple[Variant, ...],
    shapes: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ran: list[int],
) -> None:
    monkeypatch.setattr(embedding_cache, "_KEPT", 2)
    files = [behead(variant.content).content for variant in micro_variants]
    for number, used in enumerate((0, 1, 0, 2, 0)):
        embed_by_file(files[used], shapes, np.arange(1), tmp_path, "", SilentProgress())
        for path in tmp_path.iterdir():  # time passes
            os.utime(path, (path.stat().st_mtime - 60,) * 2)
        assert len(list(tmp_path.iterdir())) <= 2, number
    assert len(ran) == 3
