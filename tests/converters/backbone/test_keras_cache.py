"""What was read of a Keras file is kept by its content, and read again where that is of no use."""

from pathlib import Path

import numpy as np
import pytest

from converters.backbone import from_keras, keras_cache
from converters.backbone.from_keras import KerasFile


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Contents that were read as Keras files; a file of n bytes has weights of n."""
    contents: list[bytes] = []

    def read(path: Path) -> KerasFile:
        contents.append(path.read_bytes())
        number = np.float32(len(contents[-1]))
        arrays = [np.full((3, 3, 1, 2), number), np.full(2, -number), np.full((), number)]
        return KerasFile({"Conv1": arrays, "bn_Conv1": [number * np.ones(4, np.float32)]}, 96)

    monkeypatch.setattr(from_keras, "read", read)
    return contents


def check(file: KerasFile, number: float) -> None:
    assert file.size == 96 and list(file.weights) == ["Conv1", "bn_Conv1"]
    kernel, bias, scalar = file.weights["Conv1"]
    assert (kernel.shape, bias.shape, scalar.shape) == ((3, 3, 1, 2), (2,), ())
    assert (kernel == number).all() and (bias == -number).all() and scalar == number
    assert (file.weights["bn_Conv1"][0] == number).all() and kernel.dtype == np.float32


def test_the_same_content_is_read_once(folder: Path, reads: list[bytes], tmp_path: Path) -> None:
    first, copy = tmp_path / "first.h5", tmp_path / "copy.weights.h5"
    first.write_bytes(b"abc")
    copy.write_bytes(b"abc")
    for path in (first, copy, first):
        check(keras_cache.read(path), 3)
    first.write_bytes(b"other")
    check(keras_cache.read(first), 5)
    assert reads == [b"abc", b"other"]


@pytest.mark.parametrize("damage", [b"", b"no zip", None])
def test_a_damaged_cache_is_made_again(
    damage: bytes | None, folder: Path, reads: list[bytes], tmp_path: Path
) -> None:
    path = tmp_path / "weights.h5"
    path.write_bytes(b"abc")
    keras_cache.read(path)
    (kept,) = folder.iterdir()
    kept.write_bytes(kept.read_bytes()[:200] if damage is None else damage)
    for _ in range(2):
        check(keras_cache.read(path), 3)
    assert len(reads) == 2


def test_without_a_cache_the_file_is_read(folder: Path, reads: list[bytes], tmp_path: Path) -> None:
    folder.write_text("a file in its place")
    path = tmp_path / "weights.h5"
    path.write_bytes(b"abc")
    check(keras_cache.read(path), 3)
