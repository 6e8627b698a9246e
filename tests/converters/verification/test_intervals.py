import pytest

from converters.verification.intervals import (
    images_needed,
    paired_difference_interval,
    wilson_interval,
)


@pytest.mark.parametrize(
    ("successes", "trials", "interval"),
    [
        # Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
    ],
)
def test_wilson_interval_as_published(
    successes: int, trials: int, interval: tuple[float, float]
) -> None:
    assert wilson_interval(successes, trials) == pytest.approx(interval, abs=6e-5)


@pytest.mark.parametrize(
    ("lost", "gained", "trials", "interval"),
    [
        # Fagerland, Lydersen, Laake: Statistical Analysis of Contingency Tables (2017), chapter 8:
        # complete response (Cavo et al. 2012) and airway hyper-responsiveness (Bentur et al. 2009)
        (6, 16, 161, (-0.1240, -0.0054)),
        (1, 7, 21, (-0.517, -0.026)),
    ],
)
def test_paired_interval_as_published(
    lost: int, gained: int, trials: int, interval: tuple[float, float]
) -> None:
    assert paired_difference_interval(lost, gained, trials) == pytest.approx(interval, abs=6e-4)


def test_paired_interval_mirrors() -> None:
    low, high = paired_difference_interval(9, 2, 72)
    assert paired_difference_interval(2, 9, 72) == pytest.approx((-high, -low))


def test_no_change_on_few_images_says_little() -> None:
    low, high = paired_difference_interval(0, 0, 15)
    assert low < -0.15 and high > 0.15
    low, high = paired_difference_interval(0, 0, 1500)
    assert -0.003 < low < 0 < high < 0.003


@pytest.mark.parametrize("trials", [1, 5])
def test_all_lost(trials: int) -> None:
    low, high = paired_difference_interval(trials, 0, trials)
    assert high == 1.0
    assert -1 < low < 1


def test_the_fewest_images_that_prove_a_claim() -> None:
    """No difference on n images leaves a loss of at most z² / (n + z²)."""

    def proven(images: int) -> bool:
        return paired_difference_interval(0, 0, images)[1] <= 0.02

    more = images_needed(proven, 9)
    assert more == 180
    assert proven(9 + more) and not proven(9 + more - 1)
    assert images_needed(lambda images: False, 9) is None
