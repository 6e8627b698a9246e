import threading

import pytest

from edge.teaching.page import learner as learners
from edge.teaching.page.learner import Assessed, Learned, Learner, Outcome
from edge.teaching.teacher import Teacher


def test_a_model_comes_before_its_assessment(teacher: Teacher) -> None:
    outcomes: list[Outcome] = []
    assessed = threading.Event()

    def deliver(outcome: Outcome) -> None:
        outcomes.append(outcome)
        if isinstance(outcome, Assessed):
            assessed.set()

    learner = Learner(teacher.extractor, deliver)
    examples = teacher.examples
    learner.start(examples, 1.0)
    assert assessed.wait(20)
    learner.close()
    first, *others, last = outcomes
    assert isinstance(first, Learned)
    assert isinstance(last, Assessed)
    assert all(each.examples is examples for each in (first, last))
    assert first.strength == 1.0
    assert [each.strength for each in others if isinstance(each, Learned)] == (
        [last.assessment.strength] if last.assessment.strength != 1.0 else []
    )


def test_newer_examples_do_not_wait_for_the_assessment_of_older_ones(
    teacher: Teacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes: list[Outcome] = []
    assessing, again, done = threading.Event(), threading.Event(), threading.Event()
    assess = learners.assess

    def slow(embeddings, targets, labels, check):  # type: ignore[no-untyped-def]
        if not assessing.is_set():
            assessing.set()
            again.wait(20)
        return assess(embeddings, targets, labels, check)

    def deliver(outcome: Outcome) -> None:
        outcomes.append(outcome)
        if isinstance(outcome, Assessed):
            done.set()

    monkeypatch.setattr(learners, "assess", slow)
    learner = Learner(teacher.extractor, deliver)
    older, newer = teacher.examples, teacher.examples
    learner.start(older, 0.03)
    assert assessing.wait(20)
    learner.start(newer, 0.03)
    again.set()
    assert done.wait(20)
    learner.close()
    assert [each.examples is newer for each in outcomes if isinstance(each, Assessed)] == [True]
    models = [each.examples for each in outcomes if isinstance(each, Learned)]
    assert models[0] is older
    assert all(each is newer for each in models[1:])


def test_what_fails_is_delivered(teacher: Teacher, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr(learners, "learn", fail)
    outcomes: list[Outcome] = []
    delivered = threading.Event()
    learner = Learner(
        teacher.extractor, lambda outcome: (outcomes.append(outcome), delivered.set())[1]
    )
    learner.start(teacher.examples, 1.0)
    assert delivered.wait(20)
    learner.close()
    assert isinstance(outcomes[0], ValueError)
