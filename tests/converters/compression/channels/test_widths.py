"""Widths: the least lost for what blocks may cost."""

import numpy as np
import pytest

from converters.compression.channels.widths import choose_widths, cost_of

EVEN = {"cheap": {16: 1.0, 96: 6.0}, "dear": {16: 10.0, 96: 60.0}}
"""A channel of one block costs ten times as much as one of the other."""


def rising(channels: int = 96) -> np.ndarray:
    """Each channel is worth more than the one before."""
    return np.linspace(0, 1, channels + 1) ** 2


@pytest.mark.parametrize("keep", [0.2, 0.37, 0.5, 0.9])
def test_blocks_cost_as_much_as_they_may_and_hardly_less(keep: float) -> None:
    losses = dict.fromkeys(EVEN, rising())
    widths = choose_widths(losses, EVEN, keep)
    whole = cost_of({"cheap": 96, "dear": 96}, EVEN)
    assert all(width % 8 == 0 for width in widths.values())
    assert keep - 5 / whole < cost_of(widths, EVEN) / whole <= keep


def test_a_block_that_costs_more_for_the_same_is_narrowed_more() -> None:
    widths = choose_widths(dict.fromkeys(EVEN, rising()), EVEN, 0.5)
    assert 2 * widths["dear"] < widths["cheap"]


def test_a_block_that_loses_more_is_narrowed_less() -> None:
    costs = dict.fromkeys(("first", "second"), EVEN["cheap"])
    widths = choose_widths({"first": rising(), "second": 9 * rising()}, costs, 0.6)
    assert widths["first"] < widths["second"]


def test_a_width_that_saves_nothing_is_not_chosen() -> None:
    stairs = {"block": {16: 2.0, 40: 2.0, 48: 6.0, 64: 6.0}}
    assert choose_widths({"block": rising(64)}, stairs, 0.4) == {"block": 40}


def test_times_that_fall_with_the_width_are_noise() -> None:
    noisy = {"block": {16: 2.0, 32: 5.0, 48: 4.9, 64: 8.0}}
    assert choose_widths({"block": rising(64)}, noisy, 0.63) == {"block": 48}


def test_all_is_kept_and_no_more_than_all_removed() -> None:
    losses = dict.fromkeys(EVEN, rising())
    assert choose_widths(losses, EVEN, 1.0) == {"cheap": 96, "dear": 96}
    assert choose_widths(losses, EVEN, 0.01) == {"cheap": 16, "dear": 16}


def test_a_block_of_one_width_keeps_it() -> None:
    losses = {"narrow": rising(12), "wide": rising()}
    widths = choose_widths(losses, {"narrow": {12: 5.0}, "wide": EVEN["cheap"]}, 0.6)
    assert widths["narrow"] == 12
    assert widths["wide"] < 96


def test_wide_blocks_have_multiples_of_16() -> None:
    costs = {"wide": {16: 1.0, 144: 9.0}, "narrow": {8: 1.0, 120: 15.0}}
    widths = choose_widths({"wide": rising(144), "narrow": rising(120)}, costs, 0.52)
    assert widths["wide"] % 16 == widths["narrow"] % 8 == 0
    assert 0 < widths["wide"] < 144
    assert 0 < widths["narrow"] < 120
