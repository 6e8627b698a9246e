"""View: what all visitors see of a session, as values for JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from edge.quantities import counted
from edge.teaching.assessment import Assessment
from edge.teaching.teacher import Teacher

NONE_OF_THESE = "none of these"
"""Name of the class that is suggested for everything else."""

_BACKGROUND_WORDS = frozenset(
    {"none", "nothing", "background", "other", "others", "else", "empty", "unknown", "rest"}
)
"""Words of names of classes that are for everything else."""

_NEWEST = 30
"""Images of a class that its card shows at once."""


@dataclass(frozen=True, slots=True)
class TeachingView:
    """What visitors see: a card per class, and the rest, which is small."""

    cards: tuple[Mapping[str, Any], ...]
    rest: Mapping[str, Any]


def cards_of(teacher: Teacher, assessment: Assessment | None) -> tuple[Mapping[str, Any], ...]:
    """Return the cards of all classes in order, with their newest images."""
    assessed = {each.label: each for each in assessment.classes} if assessment else {}
    cards = []
    for label in teacher.labels:
        known = assessed.get(label)
        names = teacher.names(label)
        cards.append(
            {
                "label": label,
                "count": len(names),
                "images": images_of(names, _NEWEST),
                "tested": known.tested if known else 0,
                "correct": known.correct if known else 0,
                "hint": known.hint if known else "",
            }
        )
    return tuple(cards)


def images_of(names: dict[str, str], most: int | None = None) -> list[tuple[str, str]]:
    """Return name and version of the images that are there, the newest first, at most ``most``."""
    there = ((name, sha[:12]) for name, sha in reversed(names.items()) if name != sha)
    return list(islice(there, most))


def waiting_for(counts: Mapping[str, int]) -> str:
    """Return what is missing before anything can be learned; "" where nothing is."""
    taught = [label for label, count in counts.items() if count]
    empty = [label for label, count in counts.items() if not count]
    if len(taught) >= 2:
        return ""
    if not counts:
        return "Name the first thing, then hold its button while you show it to the camera."
    if not taught:
        return f"Hold the button of {empty[0]} while you show it to the camera."
    if empty:
        return f"Only {taught[0]} has images: show {empty[0]}, too, to tell them apart."
    return (
        f"Only {taught[0]} so far ({counted(counts[taught[0]], 'image')}): add a second class, "
        "so that there is something to tell apart."
    )


def suggestion_for(labels: Sequence[str]) -> str | None:
    """Suggest a class for everything else, where there are two classes and none like it."""
    words = {word for label in labels for word in label.lower().replace("_", " ").split()}
    return NONE_OF_THESE if len(labels) >= 2 and words.isdisjoint(_BACKGROUND_WORDS) else None
