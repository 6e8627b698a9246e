import numpy as np
import pytest
from errors import raises_code

from converters.verification.sanity import check_finite, check_informative


def scores(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array(rows, np.float32)


def test_sensible_scores_are_accepted() -> None:
    check_informative("int8", scores((0.996, 0.0, 0.0), (0.0, 0.996, 0.0), (0.3, 0.3, 0.4)))
    check_informative("float32", scores((0.2, 0.8)))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_scores_that_are_no_numbers(bad: float) -> None:
    with raises_code("scores-not-finite", found="1 of 2 images in float32", kind="ConversionError"):
        check_finite("float32", scores((0.2, 0.8), (bad, 0.5)))


def test_constant_scores() -> None:
    with raises_code("scores-constant", found="3 images in int8", fix="recipe"):
        check_informative("int8", scores((0.2, 0.8), (0.2, 0.8), (0.2, 0.8)))


@pytest.mark.parametrize("stuck", [(1.0, 1.0, 0.0), (0.0, 0.0, 0.0)])
def test_saturated_scores(stuck: tuple[float, float, float]) -> None:
    with raises_code("scores-saturated", found="2 of 3 images in int8"):
        check_informative("int8", scores(stuck, stuck, (0.1, 0.2, 0.7)))
