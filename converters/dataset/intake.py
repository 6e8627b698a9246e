"""Intake: find the pictures and their classes in a folder, a zip or a CSV, without opening them."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Source:
    """A picture file as listed: where it is, what class it was filed under.

    ``name`` is how the user knows it (path relative to the data set, '/' between parts);
    ``split`` is "train", "validation" or "test" where the data set says so, else None.
    """

    path: Path
    name: str
    label: str
    split: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """All picture files of a data set, sorted by name; ``ignored`` names other files skipped."""

    name: str
    sources: tuple[Source, ...]
    classes: tuple[str, ...]
    ignored: tuple[str, ...] = ()
