"""What files of boards have besides their fields: words of a list, and sources by their keys."""

from collections.abc import Iterable, Mapping
from typing import Any

from edge.errors import UsageError, did_you_mean


def chosen(word: Any, known: Iterable[str], place: str) -> str:
    """``word``, if it is one of ``known``.

    Raises:
        UsageError: it is not; the nearest is named.
    """
    words = tuple(known)
    if isinstance(word, str) and word in words:
        return word
    raise UsageError(
        f"one of {', '.join(words)} as {place}",
        repr(word),
        did_you_mean(str(word), words, "correct the file"),
    )


def cited(value: Any, sources: Mapping[str, str], place: str) -> Any:
    """``value`` with the address of each ``source`` in it, which the file names by a key.

    Raises:
        UsageError: a source is not listed in ``sources``; the nearest is named.
    """
    if isinstance(value, list):
        return [cited(item, sources, place) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: sources[chosen(item, sources, f"source of {place}")]
        if key == "source"
        else cited(item, sources, f"{key} of {place}")
        for key, item in value.items()
    }
