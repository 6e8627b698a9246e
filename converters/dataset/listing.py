"""Labeled image files of a data set."""

import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class ImageFile(Protocol):
    """An image file of a data set, with whatever labels its task has.

    ``name``: path relative to the data set, with '/' between parts; ``split``: "train",
    "validation" or "test" where the data set has a split, else None.
    """

    @property
    def path(self) -> Path: ...  # noqa: D102

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def split(self) -> str | None: ...  # noqa: D102


class ImageListing(Protocol):
    """Labeled images of a data set, sorted by name; ``ignored``: names of the other files."""

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def images(self) -> Sequence[ImageFile]: ...  # noqa: D102

    @property
    def classes(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def ignored(self) -> tuple[str, ...]: ...  # noqa: D102


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
    images: tuple[LabeledFile, ...]
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
