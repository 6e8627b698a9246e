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
        code="unknown-value",
    )


def cited(value: Any, sources: Mapping[str, str], place: str) -> Any:
    """``value`` with the addresses of its sources, which the file names by keys.

    They stand under ``source`` (one) and under ``…_sources`` (a list).

    Raises:
        UsageError: a source is not listed in ``sources``; the nearest is named.
    """
    if isinstance(value, list):
        return [cited(item, sources, place) for item in value]
    if not isinstance(value, dict):
        return value

    def address(item: Any) -> str:
        return sources[chosen(item, sources, f"source of {place}")]

    made: dict[str, Any] = {}
    for key, item in value.items():
        if key == "source":
            made[key] = address(item)
        elif key.endswith("_sources") and isinstance(item, list):
            made[key] = [address(one) for one in item]
        else:
            made[key] = cited(item, sources, f"{key} of {place}")
    return made
