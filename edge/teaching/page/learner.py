"""Learner: turns examples into a model in a thread of its own, while the stream goes on."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from edge.tasks.classify.classifier import Classifier
from edge.teaching.assessment import Assessment, assess
from edge.teaching.examples import Examples
from edge.teaching.features import FeatureExtractor
from edge.teaching.lesson import Lesson, learn, open_classifier


@dataclass(frozen=True, slots=True)
class Learned:
    """A lesson with what runs its model; ``strength``: the C that it was learned with."""

    lesson: Lesson
    classifier: Classifier
    strength: float


Outcome = Learned | Assessment | Exception | None
"""What comes of examples: a model, then its assessment, a better model if there is one; None ends.

An exception ends it, too.
"""


class Learner:
    """Learns from examples, those of one request after the other.

    Args:
        extractor: The backbone of the examples.
        deliver: Called in the learner's thread with each :data:`Outcome`.
    """

    def __init__(self, extractor: FeatureExtractor, deliver: Callable[[Outcome], None]) -> None:
        self._extractor, self._deliver = extractor, deliver
        self._worker = ThreadPoolExecutor(1, "learn")

    def start(self, examples: Examples, strength: float) -> None:
        """Learn from examples of at least two classes."""
        self._worker.submit(self._work, examples, strength)

    def close(self) -> None:
        """Wait for what was started."""
        self._worker.shutdown()

    def _work(self, examples: Examples, strength: float) -> None:
        try:
            self._learn(examples, strength)
            values = self._extractor.format.values(examples.codes)
            assessment = assess(values, examples.targets, examples.labels)
            self._deliver(assessment)
            if assessment.strength != strength:
                self._learn(examples, assessment.strength)
            self._deliver(None)
        except Exception as error:
            self._deliver(error)

    def _learn(self, examples: Examples, strength: float) -> None:
        lesson = learn(self._extractor, examples, strength)
        self._deliver(Learned(lesson, open_classifier(lesson, self._extractor), strength))
