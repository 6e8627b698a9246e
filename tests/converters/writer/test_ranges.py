"""Ranges are measured on images, and joined."""

import numpy as np
import pytest
from errors import raises_code
from written_networks import run

from converters.writer.float_files import to_float32
from converters.writer.folding import FoldedNetwork
from converters.writer.ranges import RangeProbe, Ranges, measure, union
from edge.preprocessing import Preprocessing


def test_ranges_cover_every_image(
    network: FoldedNetwork, ranges: Ranges, inputs: np.ndarray
) -> None:
    probe = RangeProbe(network)
    seen = [probe.run(x[None])[1] for x in inputs]
    for name, (low, high) in ranges.items():
        assert low == min(each[name][0] for each in seen) < high
        assert high == max(each[name][1] for each in seen)


def test_the_probe_returns_the_embedding(network: FoldedNetwork, inputs: np.ndarray) -> None:
    embedding, _ = RangeProbe(network).run(inputs[:1])
    assert network.head is not None
    logits = network.head.logits(embedding[None])
    scores = run(to_float32(network), inputs[:1])
    np.testing.assert_allclose(
        np.log(scores) - np.log(scores).mean(), logits - logits.mean(), atol=1e-4
    )


def test_no_images(network: FoldedNetwork, images: np.ndarray) -> None:
    with raises_code("no-calibration-images", kind="ConversionError"):
        measure(network, images[:0], Preprocessing(96, 96))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_activations_that_are_no_numbers(value: float) -> None:
    with raises_code("activations-not-finite", found="logits", kind="ConversionError"):
        union(
            [{"embedding": (0, 1), "logits": (-1, 2)}, {"embedding": (0, 1), "logits": (-1, value)}]
        )
