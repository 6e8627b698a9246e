"""Learner: turns examples into a model in a thread of its own, while the stream goes on."""

import threading
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

    examples: Examples
    lesson: Lesson
    classifier: Classifier
    strength: float


@dataclass(frozen=True, slots=True)
class Assessed:
    """The cross-validation of examples, and that nothing more comes of them."""

    examples: Examples
    assessment: Assessment


Outcome = Learned | Assessed | Exception
"""What comes of examples: a model, perhaps a better one, then how good it is; or an exception."""


class _SupersededError(Exception):
    """Newer examples are waiting."""


class Learner:
    """Learns from the newest examples; what is not finished when newer ones come is given up.

    Args:
        extractor: The backbone of the examples.
        deliver: Called in the learner's thread with each :data:`Outcome`.
    """

    def __init__(self, extractor: FeatureExtractor, deliver: Callable[[Outcome], None]) -> None:
        self._extractor, self._deliver = extractor, deliver
        self._worker = ThreadPoolExecutor(1, "learn")
        self._newest = threading.Event()  # set when newer examples are waiting

    def start(self, examples: Examples, strength: float) -> None:
        """Learn from examples of at least two classes."""
        self._newest.set()
        self._newest = threading.Event()
        self._worker.submit(self._work, examples, strength, self._newest)

    def close(self) -> None:
        """Wait for the model that is being learned, not for its assessment."""
        self._newest.set()
        self._worker.shutdown()

    def _work(self, examples: Examples, strength: float, newer: threading.Event) -> None:
        def check() -> None:
            if newer.is_set():
                raise _SupersededError

        try:
            check()
            self._learn(examples, strength)
            values = self._extractor.format.values(examples.codes)
            assessment = assess(values, examples.targets, examples.labels, check)
            if assessment.strength != strength:
                self._learn(examples, assessment.strength)
            self._deliver(Assessed(examples, assessment))
        except _SupersededError:
            pass
        except Exception as error:
            self._deliver(error)

    def _learn(self, examples: Examples, strength: float) -> None:
        lesson = learn(self._extractor, examples, strength)
        classifier = open_classifier(lesson, self._extractor)
        self._deliver(Learned(examples, lesson, classifier, strength))
