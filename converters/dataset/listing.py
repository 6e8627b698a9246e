"""Labeled image files of a data set."""

import os
import unicodedata
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class LabeledFile:
    """A labeled image file.

    ``name``: path relative to the data set, with '/' between parts; ``split``: "train",
    "validation" or "test" where the data set has a split, else None.
    """

    path: Path
    name: str
    label: str
    split: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """Image files of a data set, sorted by name; ``ignored``: names of the other files."""

    name: str
    sources: tuple[LabeledFile, ...]
    classes: tuple[str, ...]
    ignored: tuple[str, ...] = ()


def file_name(name: str) -> str:
    r"""Make a file name printable, which on Linux can be any bytes.

    Bytes that are not UTF-8 become escapes, so that different names stay different.

    >>> file_name("K\udce4se")
    'K\\xe4se'
    """
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def class_name(text: str) -> str:
    r"""Normalize a class name for labels.txt: one line, composed Unicode (macOS decomposes).

    >>> class_name("  red\napple ")
    'red apple'
    """
    return " ".join(unicodedata.normalize("NFC", text).split())
