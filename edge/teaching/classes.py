"""Classes that are taught, in their order, with their examples."""

from collections import UserDict
from collections.abc import Mapping, Sequence
from typing import NoReturn

from edge.errors import UsageError, did_you_mean
from edge.teaching.examples import Example, Examples


class TaughtClasses(UserDict[str, dict[str, Example]]):
    """Name of a class → its examples by file name, the oldest first; the order is the model's.

    Another class than these raises UsageError, not KeyError.
    """

    def __missing__(self, label: str) -> NoReturn:
        fix = did_you_mean(label, self.data, "see the classes")
        raise UsageError("a class", f"'{label}'", fix, code="unknown-class")

    def values_of(self) -> Mapping[str, tuple[Example, ...]]:
        """Return the examples of each class: values that do not change any more."""
        return {label: tuple(examples.values()) for label, examples in self.data.items()}

    def examples(self) -> Examples:
        """Return what a head learns from: the classes that have examples."""
        return Examples.of(self.values_of())

    def rename(self, label: str, new: str) -> None:
        """Rename a class, which keeps its place."""
        self.data = {new if name == label else name: each for name, each in self.data.items()}

    def sort(self, order: Sequence[str]) -> None:
        """Sort the classes by ``order``; others come last."""
        known = [label for label in dict.fromkeys(order) if label in self.data]
        rest = [label for label in self.data if label not in known]
        self.data = {label: self.data[label] for label in (*known, *rest)}
