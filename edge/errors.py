"""Exception hierarchy: each error says what was expected, what was found, and how to fix it.

    EdgeError
    ├── UsageError        a command-line argument or option that is not valid
    ├── ImageError        an image that cannot be read
    ├── DatasetError      a data set that cannot be used for training
    ├── ModelError        a file that is not a usable model
    ├── LabelsError       labels that do not match the model
    ├── DelegateError     a delegate or interpreter that cannot run
    ├── DownloadError     a model that cannot be downloaded
    ├── WeightsError      pretrained weights that cannot be loaded
    ├── ConversionError   a conversion whose result is not a usable model
    ├── CompilerError     an Edge TPU compiler that cannot run, or rejects a model
    ├── DetectionsError   a file of detections that cannot be read
    ├── OutputError       an output that cannot be written
    ├── ReleaseError      a release that differs from what was sent
    ├── BoardError        a board that cannot be reached or deployed to
    └── SourceError       a camera, stream or file that delivers no frames
        └── CorruptFrameError   a single frame that cannot be decoded

The command line prints ``str(error)`` and the error's code on one line, and exits with 2.
"""

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from edge.redaction import redact


class EdgeError(Exception):
    """Base class of all errors that this toolkit raises on purpose.

    All texts are redacted, so that no error shows the password of an address.

    Args:
        expected: What would have been valid, as a noun phrase.
        found: What was there instead, as a noun phrase.
        fix: The command or change that fixes it, as an imperative sentence.
        code: Stable identifier of this kind of error, in kebab case, such as
            ``"output-path-conflict"``. Scripts and tests match it; the wording may change.
        summary: The problem in one clause, where that reads better than
            "expected …, found …".
    """

    def __init__(
        self, expected: str, found: str, fix: str, *, code: str, summary: str | None = None
    ) -> None:
        self.expected = redact(expected)
        self.found = redact(found)
        self.fix = redact(fix)
        self.code = code
        self.summary = None if summary is None else redact(summary)
        super().__init__(self.expected, self.found, self.fix)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle without ``__init__``, whose keyword arguments are not in ``args``."""
        return _new, (type(self), *self.args), self.__dict__

    def __str__(self) -> str:
        problem = self.summary or f"expected {self.expected}, found {self.found}"
        return f"{problem}: {self.fix}"

    def to_dict(self) -> dict[str, str]:
        """Return the error as JSON values: kind, code, expected, found, fix and message."""
        return {
            "kind": type(self).__name__,
            "code": self.code,
            "expected": self.expected,
            "found": self.found,
            "fix": self.fix,
            "message": str(self),
        }


class UsageError(EdgeError):
    """An argument or option that is not valid."""


class ImageError(EdgeError):
    """An image that cannot be read."""


class DatasetError(EdgeError):
    """A data set that cannot be used for training."""


class ModelError(EdgeError):
    """A file that is not a usable model."""


class LabelsError(EdgeError):
    """Labels that do not match the model."""


class DelegateError(EdgeError):
    """A delegate or interpreter that cannot run."""


class DownloadError(EdgeError):
    """A model that cannot be downloaded."""


class WeightsError(EdgeError):
    """Pretrained weights that cannot be loaded."""


class ConversionError(EdgeError):
    """A conversion whose result is not a usable model."""


class CompilerError(EdgeError):
    """An Edge TPU compiler that cannot run, or rejects a model."""


class DetectionsError(EdgeError):
    """A file of detections that cannot be read."""


class OutputError(EdgeError):
    """An output that cannot be written."""


class ReleaseError(EdgeError):
    """A release that differs from what was sent."""


class BoardError(EdgeError):
    """A board that cannot be reached or deployed to."""


class SourceError(EdgeError):
    """A camera, stream or file that delivers no frames."""


class CorruptFrameError(SourceError):
    """A single frame that cannot be decoded; the next one may be."""


def _new(kind: type[EdgeError], *args: str) -> EdgeError:
    return kind.__new__(kind, *args)


_MIN_PART = 3
"""Letters that a word needs to be taken for a part of another one."""


def nearest(word: str, words: Iterable[str]) -> str | None:
    """Find the member of ``words`` closest in spelling to ``word``; None if none is close.

    The only one that contains ``word`` is closer than others with similar letters.

    >>> nearest("clasify", ["classify", "convert"]), nearest("tpu", ["cpu", "edgetpu"])
    ('classify', 'edgetpu')
    """
    words = list(words)
    containing = [other for other in words if len(word) >= _MIN_PART and word in other]
    if len(containing) == 1:
        return containing[0]
    matches = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    return matches[0] if matches else None


def did_you_mean(word: str, words: Iterable[str], otherwise: str) -> str:
    """Return the fix of a misspelled word: the nearest of ``words``, or ``otherwise``."""
    guess = nearest(word, words)
    return suggestion(guess) if guess else otherwise


def suggestion(guess: str) -> str:
    """Return the fix that suggests another spelling, the same in every error.

    >>> suggestion("classify")
    "did you mean 'classify'?"
    """
    return f"did you mean '{guess}'?"


def check_list(name: str, values: object) -> None:
    """Check that a list is no string: its characters would be taken for the values.

    Raises:
        UsageError: it is one.
    """
    if isinstance(values, str):
        raise UsageError(
            f"a list of {name}", f"the string '{values}'", f"use ['{values}']", code="not-a-list"
        )


def unwritable(path: Path, error: OSError) -> OutputError:
    """Return the error for a path that the operating system does not let us write."""
    reason = (error.strerror or str(error)).lower()
    fix = "make room on the disk" if "space" in reason else "choose another folder"
    return OutputError(f"a writable path {path}", reason, fix, code="output-not-writable")
