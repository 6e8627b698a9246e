import numpy as np
import pytest

from converters.tasks.classify.quality import ACCURACY, accuracy_loss
from converters.verification.intervals import wilson_interval
from converters.verification.verdict import (
    Baseline,
    QualityEvidence,
    Verdict,
    judge_loss,
    no_loss,
    with_quality,
)

CLASSES = ("apple", "banana", "cherry")


def verdict(lost: int, gained: int, trials: int, max_drop: float = 2.0) -> Verdict:
    """The first ``lost`` images are right in float32 only, the last ``gained`` in int8 only."""
    before, after = np.ones(trials, bool), np.ones(trials, bool)
    after[:lost] = False
    before[trials - gained :] = gained == 0
    truth = np.sort(np.arange(trials) % 3)
    return judge_loss("int8", accuracy_loss(before, after, truth, CLASSES), max_drop)


def more_images(judged: Verdict) -> int | None:
    return judged.judgments[0].more_images


def test_a_loss_passes_only_where_its_upper_bound_is_within_the_limit() -> None:
    judged = verdict(0, 0, 300)
    assert judged.status == "pass"
    assert judged.drop == 0
    assert judged.interval[1] <= 2
    assert judged.classes == () and more_images(judged) is None
    assert "loses 0.0 points" in judged.reason and "2 allowed" in judged.reason


def test_no_loss_on_few_images_proves_nothing() -> None:
    """3 classes with 20 photos each leave nine test images: the loss is up to 29.9 points."""
    judged = verdict(0, 0, 9)
    assert judged.status == "not-proven"
    assert judged.interval == pytest.approx((-29.9, 29.9), abs=0.05)
    assert more_images(judged) == 180
    assert verdict(0, 0, 9 + 180).status == "pass"
    assert verdict(0, 0, 9 + 179).status == "not-proven"
    assert "9 test images do not prove that it stays within the 2 allowed" in judged.reason
    assert "about 180 more" in judged.reason


def test_a_gain_is_called_one() -> None:
    judged = verdict(0, 4, 72)
    assert judged.status == "pass"
    assert judged.drop == pytest.approx(-100 * 4 / 72)
    assert "gains 5.6 points" in judged.reason


def test_three_of_72_lost_may_be_chance() -> None:
    judged = verdict(3, 0, 72)
    assert judged.status == "not-proven"
    assert judged.drop == pytest.approx(4.1667, abs=1e-3)
    assert judged.interval[0] < 2
    assert "do not prove that it exceeds" in judged.reason
    more = more_images(judged)
    assert more is not None and 72 < more < 720


def test_the_same_share_of_many_images_is_no_chance() -> None:
    judged = verdict(30, 0, 720)
    assert judged.status == "fail"
    assert judged.interval[0] > 2
    assert "2 allowed" in judged.reason and "720" not in judged.reason
    assert more_images(judged) is None


def test_lost_and_gained_images_count_against_each_other() -> None:
    assert verdict(20, 0, 200).status == "fail"
    assert verdict(20, 18, 200).status == "not-proven"
    assert verdict(20, 18, 2000).status == "pass"


def test_a_drop_of_exactly_the_limit_is_never_decided() -> None:
    judged = verdict(2, 0, 100)
    assert judged.status == "not-proven"
    assert more_images(judged) is None and "more like these" not in judged.reason


def test_suffering_classes_are_named_worst_first() -> None:
    # 10 images a class; apple loses all, banana loses two and gains none, cherry none.
    assert verdict(12, 0, 30).classes == ("apple", "banana")


GUESS = Baseline(1 / 3, "always predicting the most common class")


def measure(
    accuracy: float, interval: tuple[float, float], images: int, cross_validated: bool = False
) -> QualityEvidence:
    def wilson(number: int) -> tuple[float, float]:
        return wilson_interval(accuracy * number, number)

    return QualityEvidence(
        ACCURACY, accuracy, interval, images, None if cross_validated else wilson
    )


def with_measured(
    accuracy: float,
    interval: tuple[float, float],
    minimum: float | None = None,
    cross_validated: bool = False,
) -> Verdict:
    """A third of the images are of the most common class."""
    return with_quality(
        no_loss("float32", 2.0), measure(accuracy, interval, 60, cross_validated), GUESS, minimum
    )


def test_a_model_that_may_be_no_better_than_naming_one_class_does_not_pass() -> None:
    assert with_measured(0.9, (0.8, 0.95)).status == "pass"
    guessing = with_measured(0.4, (0.29, 0.53))
    assert guessing.status == "not-proven"
    assert "most common class (33.3 %)" in guessing.reason
    assert guessing.judgments[-1].more_images is not None
    assert with_measured(0.1, (0.05, 0.2)).status == "fail"
    # The file itself has to be better, not only the head that was cross-validated.
    assert with_measured(0.3, (0.8, 0.95), cross_validated=True).status == "not-proven"


def test_the_accuracy_required_has_to_be_proven_too() -> None:
    assert with_measured(0.9, (0.8, 0.95), 0.75).status == "pass"
    missed = with_measured(0.9, (0.8, 0.95), 0.92)
    assert missed.status == "fail"
    assert "90.0 % accuracy" in missed.reason and "--min-accuracy 0.92" in missed.reason
    unclear = with_measured(0.9, (0.8, 0.95), 0.85)
    assert unclear.status == "not-proven"
    assert "from 60 test images" in unclear.reason
    unclear = with_measured(0.9, (0.8, 0.95), 0.85, cross_validated=True)
    assert "from 60 cross-validated images" in unclear.reason


def test_the_worst_judgment_decides() -> None:
    both = with_quality(verdict(0, 0, 9), measure(0.1, (0.05, 0.2), 300), GUESS, 0.9)
    assert [j.status for j in both.judgments] == ["not-proven", "fail", "fail"]
    assert both.status == "fail" and both.reason == both.judgments[1].reason
