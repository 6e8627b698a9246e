"""One family of errors, for people who want to go on working.

Every error says what was expected, what was found, and what mends it:

    EdgeError
    ├── UsageError        a wrong word or option on the command line
    ├── PictureError      a picture that cannot be read
    ├── DatasetError      a data set that cannot be learned from
    ├── ModelError        a file that is no usable model
    ├── LabelsError       labels that do not fit the model
    ├── DelegateError     a delegate or interpreter that cannot run
    ├── DownloadError     a model that cannot be downloaded
    ├── WeightsError      learned weights that cannot be had
    ├── ConversionError   a conversion whose result is not a usable model
    ├── CompilerError     an Edge TPU compiler that cannot run, or refuses a model
    ├── DetectionsError   a file of detections that cannot be read
    ├── OutputError       a result that cannot be written
    ├── ReleaseError      a release that is not what was sent
    ├── BoardError        a board that cannot be reached, or deployed to
    └── SourceError       a camera, stream or file that gives no frames
        └── CorruptFrameError   one frame of it that cannot be decoded

The command line prints the one line of ``str(error)`` and exits with 2.
"""

import difflib
from collections.abc import Iterable
from pathlib import Path


class EdgeError(Exception):
    """Base of all errors that this toolkit raises on purpose.

    Args:
        expected: what would have been right, as a noun phrase.
        found: what was there instead.
        fix: the command or change that mends it, as a sentence in the imperative.
    """

    def __init__(self, expected: str, found: str, fix: str) -> None:
        super().__init__(expected, found, fix)
        self.expected = expected
        self.found = found
        self.fix = fix

    def __str__(self) -> str:
        return f"expected {self.expected}, found {self.found}: {self.fix}"

    def to_dict(self) -> dict[str, str]:
        """The error for scripts: ``{"kind", "expected", "found", "fix"}``."""
        return {
            "kind": type(self).__name__,
            "expected": self.expected,
            "found": self.found,
            "fix": self.fix,
        }


class UsageError(EdgeError):
    """A wrong word or option on the command line."""


class PictureError(EdgeError):
    """A picture that cannot be read."""


class DatasetError(EdgeError):
    """A data set that cannot be learned from."""


class ModelError(EdgeError):
    """A file that is no usable model."""


class LabelsError(EdgeError):
    """Labels that do not fit the model."""


class DelegateError(EdgeError):
    """A delegate or interpreter that cannot run."""


class DownloadError(EdgeError):
    """A model that cannot be downloaded."""


class WeightsError(EdgeError):
    """Learned weights that cannot be had."""


class ConversionError(EdgeError):
    """A conversion whose result is not a usable model."""


class CompilerError(EdgeError):
    """An Edge TPU compiler that cannot run, or refuses a model."""


class DetectionsError(EdgeError):
    """A file of detections that cannot be read."""


class OutputError(EdgeError):
    """A result that cannot be written."""


class ReleaseError(EdgeError):
    """A release that is not what was sent."""


class BoardError(EdgeError):
    """A board that cannot be reached, or deployed to."""


class SourceError(EdgeError):
    """A camera, stream or file that gives no frames."""


class CorruptFrameError(SourceError):
    """One frame that cannot be decoded; the next one may."""


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The member of ``words`` closest in spelling to ``word``, or None.

    >>> nearest("clasify", ["classify", "convert"])
    'classify'
    """
    found = difflib.get_close_matches(word, list(words), n=1, cutoff=0.6)
    return found[0] if found else None


def did_you_mean(word: str, words: Iterable[str], otherwise: str) -> str:
    """The fix of a misspelt word: the nearest of ``words``; ``otherwise`` where none is near."""
    guess = nearest(word, words)
    return f"did you mean '{guess}'?" if guess else otherwise


def unwritable(path: Path, error: OSError) -> OutputError:
    """The error for a place that the operating system does not let us write."""
    reason = (error.strerror or str(error)).lower()
    fix = "make room on the disk" if "space" in reason else "choose another folder"
    return OutputError(f"a place to write {path}", reason, fix)
