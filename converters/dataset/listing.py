"""What intake hands on: image files with the class and side they were filed under."""

import os
import unicodedata
from dataclasses import dataclass
from pathlib import Path

SPLIT_WORDS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
"""What people call the sides of a split, in lower case, and what we call them."""


@dataclass(frozen=True, slots=True)
class LabeledFile:
    """An image file as listed: where it is, what class it was filed under.

    ``name`` is how the user knows it (path relative to the data set, '/' between parts);
    ``split`` is "train", "validation" or "test" where the data set says so, else None.
    """

    path: Path
    name: str
    label: str
    split: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """All image files of a data set, sorted by name; ``ignored`` names other files skipped."""

    name: str
    sources: tuple[LabeledFile, ...]
    classes: tuple[str, ...]
    ignored: tuple[str, ...] = ()


def file_name(name: str) -> str:
    """The name of a file as it can be shown and written down, which Linux lets be any bytes.

    Bytes that are no UTF-8 become escapes, so that names that differ stay different.

    >>> file_name("K\\udce4se")
    'K\\\\xe4se'
    """
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def class_name(text: str) -> str:
    """A class name as it goes into labels.txt: one line, composed Unicode (macOS decomposes).

    >>> class_name("  red\\napple ")
    'red apple'
    """
    return " ".join(unicodedata.normalize("NFC", text).split())
