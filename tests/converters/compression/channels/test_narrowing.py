"""Trunks get narrower inside of their blocks, and go on computing nearly the same."""

from collections.abc import Mapping
from dataclasses import replace

import micro_detector
import numpy as np
import pytest

from converters.compression.channels import narrowing
from converters.compression.channels.layer_times import SizedBlock
from converters.compression.channels.narrowing import inner_blocks, narrow
from converters.progress import SilentProgress
from converters.pyramid.part import NetworkPart
from converters.pyramid.trunk import Trunk, of_blocks
from converters.writer.graph import IMAGE, GraphNode

CHANNELS = [(8, 1, False), (12, 2, False), (12, 1, True), (24, 2, False), (32, 2, False)]
TAPS = {8: 3, 16: 4, 32: 5}


@pytest.fixture
def images() -> list[np.ndarray]:
    drawn = micro_detector.images(6)
    return [(image.pixels / np.float32(127.5) - 1).astype(np.float32) for image in drawn]


@pytest.fixture(autouse=True)
def costs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Costs that are the same on every machine."""

    def by_channels(blocks: Mapping[str, SizedBlock]) -> dict[str, dict[int, float]]:
        return {
            name: {8: block.multiply_adds * 8 / block.channels, block.channels: block.multiply_adds}
            for name, block in blocks.items()
        }

    monkeypatch.setattr(narrowing, "measure", by_channels)


def trunk(*, expands: bool) -> Trunk:
    return of_blocks(micro_detector.blocks(CHANNELS, expands=expands), TAPS)


def outputs(nodes: tuple[GraphNode, ...], names: tuple[str, ...], image: np.ndarray) -> list:
    part = NetworkPart(nodes, {IMAGE: image.shape}, names)
    return list(part(image[None]))


def padded(nodes: tuple[GraphNode, ...], names: tuple[str, ...]) -> tuple[GraphNode, ...]:
    """Give each block as many inner channels again, which change its output by nothing."""
    rng = np.random.default_rng(4)
    layers = {node.name: node.layer for node in nodes}
    for block in inner_blocks(nodes, names):
        for node, axis, weight in ((block.first, 0, 1.0), (block.depthwise, 3, 1.0)):
            layer = layers[node.name]
            more = weight * rng.standard_normal(layer.kernel.shape).astype(np.float32)
            layers[node.name] = replace(
                layer,
                kernel=np.concatenate([layer.kernel, more], axis=axis),
                bias=np.tile(layer.bias, 2),
            )
        last = layers[block.last.name]
        kernel = np.concatenate([last.kernel, 0 * last.kernel], axis=3)
        layers[block.last.name] = replace(last, kernel=kernel)
    return tuple(replace(node, layer=layers[node.name]) for node in nodes)


def test_channels_that_do_nothing_are_left_out_at_no_loss(images: list[np.ndarray]) -> None:
    whole = trunk(expands=True)
    names = tuple(whole.taps.values())
    narrower = narrow(padded(whole.nodes, names), names, images, 0.6, SilentProgress())
    given = {node.name: len(node.layer.bias) for node in whole.nodes if node.layer}
    assert sum(narrower.widths.values()) < 1.5 * sum(given[name] for name in narrower.widths)
    for before, after in zip(
        outputs(whole.nodes, names, images[0]),
        outputs(narrower.nodes, names, images[0]),
        strict=True,
    ):
        np.testing.assert_allclose(after, before, atol=0.1 * np.abs(before).max())


@pytest.mark.parametrize("expands", [True, False])
def test_what_is_left_is_fitted_to_the_whole(images: list[np.ndarray], expands: bool) -> None:
    whole = trunk(expands=expands)
    names = tuple(whole.taps.values())
    narrower = narrow(whole.nodes, names, images[:4], 0.7, SilentProgress())
    assert narrower.widths
    for name, before, after in zip(
        names,
        outputs(whole.nodes, names, images[5]),
        outputs(narrower.nodes, names, images[5]),
        strict=True,
    ):
        assert np.corrcoef(before.ravel(), after.ravel())[0, 1] > 0.6, name


def test_channels_that_others_read_stay(images: list[np.ndarray]) -> None:
    whole = trunk(expands=False)  # of a MobileNetV1: its taps are read by depthwise layers, too
    blocks = {block.first.name for block in inner_blocks(whole.nodes, tuple(whole.taps.values()))}
    assert blocks.isdisjoint(whole.taps.values())
    assert {"stem", "flat_1"} <= blocks
