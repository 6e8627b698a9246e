"""Audit: open every picture once, say what is wrong with the data set, keep what can be used."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.image import Preprocessing


@dataclass(frozen=True, slots=True)
class Picture:
    """A usable picture: its name, class index, given split (or None) and content hash (sha256)."""

    name: str
    label: int
    split: str | None
    digest: str


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found, for people; every list holds names as the user knows them.

    ``counts``: usable pictures per class, in class order. ``broken``: (name, reason).
    ``duplicates``: groups of two or more pictures that show the same thing in one class.
    ``across_split``: groups of ``duplicates`` that the given split had on more than one side,
    ``conflicts``: groups of the same picture under several labels (all left out).
    ``converted``: kind ("rotated", "greyscale", "alpha", "16-bit") to the names it happened to.
    ``warnings``: sentences (small classes, imbalance, …).
    """

    counts: dict[str, int]
    broken: tuple[tuple[str, str], ...]
    duplicates: tuple[tuple[str, ...], ...]
    across_split: tuple[tuple[str, ...], ...]
    conflicts: tuple[tuple[str, ...], ...]
    converted: dict[str, tuple[str, ...]]
    ignored: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dataset:
    """The usable pictures, each already stretched to the model's input.

    ``pixels``: uint8 RGB [n, height, width, 3] (a memory map where it is large), ``labels``:
    int64 [n], ``groups``: int64 [n], equal for duplicates of each other (they stay together).
    All are aligned with ``pictures``.
    """

    name: str
    classes: tuple[str, ...]
    pictures: tuple[Picture, ...]
    preprocessing: Preprocessing
    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]
    audit: Audit
