"""Finding the image that a file of labels names, in whichever way its tool writes paths."""

import posixpath
import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cached_property

from converters.dataset import given_splits
from converters.dataset.entries import ImageEntry

_DEPTH = 4
"""Trailing parts of a path that are compared; more do not tell images apart."""

_UPLOADED = re.compile(r"^[0-9a-f]{8}-(?=.)")
"""What Label Studio puts before the names of uploaded files."""


class ImageIndex:
    """Images of a data set, to be found by their whole name or the end of it."""

    def __init__(self, images: Iterable[ImageEntry], subsets: Mapping[str, str]) -> None:
        """Index images; ``subsets``: folders' names that are those of splits, and which."""
        self._names = {_plain(image.name): image for image in images}
        self._subsets = subsets

    @cached_property
    def _by_end(self) -> dict[tuple[str | None, str], ImageEntry | None]:
        """Images by split, or None for all, and the end of their name; None for several images.

        It is made for the first name that is not whole, since it is large.
        """
        by_end: dict[tuple[str | None, str], ImageEntry | None] = {}
        for name, image in self._names.items():
            parts = name.split("/")
            scopes = {None, given_splits.of_folders(name, self._subsets)}
            for end in _ends(parts):
                for key in ((scope, key) for key in (end, _loose(end)) for scope in scopes):
                    if by_end.setdefault(key, image) is not image:
                        by_end[key] = None
        return by_end

    def find(self, name: str, folder: str = "", subset: str | None = None) -> ImageEntry | None:
        """Return the image with this name; None where there is none, or more than one.

        Args:
            name: as the file of labels has it: a path below its folder or the data set, an absolute
                one of another computer, or a mere file name, whose suffix may have changed.
            folder: of the file of labels, relative to the data set.
            subset: of the split that the file of labels is for, if any.
        """
        plain = posixpath.normpath(_plain(name))
        for whole in (posixpath.normpath(f"{folder}/{plain}"), plain):
            if whole in self._names:
                return self._names[whole]
        parts = [part for part in plain.split("/") if part not in ("", "..")]
        ends = list(_ends(parts))
        if parts and _UPLOADED.match(parts[-1]):
            ends.append(_UPLOADED.sub("", parts[-1]))
        for keys in (ends, [_loose(end) for end in ends]):
            for key in keys:
                for scope in (subset, None):
                    image = self._by_end.get((scope, key))
                    if image is not None:
                        return image
        return None


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name.replace("\\", "/").strip())


def _ends(parts: list[str]) -> Iterable[str]:
    """Yield the ends of a path, the longest first."""
    last = parts[-_DEPTH:]
    return ("/".join(last[start:]) for start in range(len(last)))


def _loose(name: str) -> str:
    """Return a name without case and suffix, marked so that it differs from whole names."""
    return f"{posixpath.splitext(name)[0].casefold()}\0"
