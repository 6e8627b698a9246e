import numpy as np
import pytest
from errors import raises_code

from converters.verification.verdict import Verdict, check_finite, check_informative, judge

CLASSES = ("apple", "banana", "cherry")


def verdict(lost: int, gained: int, trials: int, max_drop: float = 2.0) -> Verdict:
    """The first ``lost`` images are right in float32 only, the last ``gained`` in int8 only."""
    before, after = np.ones(trials, bool), np.ones(trials, bool)
    after[:lost] = False
    before[trials - gained :] = gained == 0
    truth = np.sort(np.arange(trials) % 3)
    return judge("int8", before, after, truth, CLASSES, max_drop)


def test_no_loss_passes() -> None:
    judged = verdict(0, 0, 72)
    assert judged.status == "pass"
    assert judged.drop == 0
    assert judged.interval == pytest.approx((-5.07, 5.07), abs=0.01)
    assert judged.classes == ()
    assert "loses 0.0 points" in judged.reason and "2 allowed" in judged.reason


def test_a_gain_passes_and_is_called_one() -> None:
    judged = verdict(0, 4, 72)
    assert judged.status == "pass"
    assert judged.drop == pytest.approx(-100 * 4 / 72)
    assert "gains 5.6 points" in judged.reason


def test_three_of_72_lost_may_be_chance() -> None:
    judged = verdict(3, 0, 72)
    assert judged.status == "warn"
    assert judged.drop == pytest.approx(4.1667, abs=1e-3)
    assert judged.interval[0] < 2
    assert "72 test images" in judged.reason


def test_the_same_share_of_many_images_is_no_chance() -> None:
    judged = verdict(30, 0, 720)
    assert judged.status == "fail"
    assert judged.interval[0] > 2
    assert "2 allowed" in judged.reason and "720" not in judged.reason


def test_lost_and_gained_images_count_against_each_other() -> None:
    assert verdict(20, 0, 200).status == "fail"
    assert verdict(20, 18, 200).status == "pass"


def test_a_drop_of_exactly_the_limit_is_allowed() -> None:
    assert verdict(2, 0, 100).status == "pass"
    assert verdict(2, 0, 100, max_drop=1.9).status == "warn"


def test_suffering_classes_are_named_worst_first() -> None:
    # 10 images a class; apple loses all, banana loses two and gains none, cherry none.
    assert verdict(12, 0, 30).classes == ("apple", "banana")


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
    with raises_code("scores-constant", found="3 test images in int8", fix="recipe"):
        check_informative("int8", scores((0.2, 0.8), (0.2, 0.8), (0.2, 0.8)))


@pytest.mark.parametrize("stuck", [(1.0, 1.0, 0.0), (0.0, 0.0, 0.0)])
def test_saturated_scores(stuck: tuple[float, float, float]) -> None:
    with raises_code("scores-saturated", found="2 of 3 images in int8"):
        check_informative("int8", scores(stuck, stuck, (0.1, 0.2, 0.7)))
