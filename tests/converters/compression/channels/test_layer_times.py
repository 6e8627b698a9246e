"""Times of blocks are measured once, and the same in every run."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from converters.compression.channels import layer_times
from converters.compression.channels.layer_times import FILE, SizedBlock, measure
from converters.writer.folding import FoldedLayer


def layer(kernel: tuple[int, ...], depthwise: bool = False, stride: int = 1) -> FoldedLayer:
    outputs = kernel[3] if depthwise else kernel[0]
    weights = np.ones(kernel, np.float32)
    return FoldedLayer("layer", depthwise, weights, np.zeros(outputs, np.float32), stride, True)


def block(channels: int, side: int = 32, stride: int = 1) -> SizedBlock:
    layers = (
        layer((channels, 1, 1, 8)),
        layer((1, 3, 3, channels), depthwise=True, stride=stride),
        layer((8, 1, 1, channels)),
    )
    return SizedBlock(layers, (side, side, 8))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("EDGE_CACHE", str(tmp_path))
    yield tmp_path / FILE


def test_a_wider_block_takes_longer() -> None:
    times = measure({"block": block(256)})["block"]
    assert list(times) == [32, 64, 128, 192, 256]
    assert times[256] > 2 * times[32] > 0


def test_times_are_kept_for_the_next_run(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = {"one": block(64), "other": block(64, stride=2)}
    first = measure(blocks)
    monkeypatch.setattr(layer_times, "_measure", dict)
    assert measure(blocks) == first
    assert measure({"alike": block(64)}) == {"alike": first["one"]}


@pytest.mark.parametrize("content", ["", "[1]", "{", '{"a": {"b": {"c": "d"}}}', "null"])
def test_a_damaged_file_is_replaced(cache: Path, content: str) -> None:
    cache.write_text(content)
    times = measure({"block": block(32, side=8)})
    (machine,) = json.loads(cache.read_text()).values()
    assert list(machine.values()) == [{str(width): ms for width, ms in times["block"].items()}]


def test_work_is_counted_at_the_size_of_each_layer() -> None:
    assert block(16, side=10).multiply_adds == 100 * (8 * 16 + 9 * 16 + 16 * 8)
    assert block(16, side=10, stride=2).multiply_adds == 100 * 8 * 16 + 25 * (9 * 16 + 16 * 8)
