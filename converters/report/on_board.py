"""What the page and the terminal say of the board that a result was made for."""

from collections.abc import Mapping
from typing import Any

from converters.report.formatting import number

_CALLED = {"cpu": "the CPU", "edgetpu": "the Edge TPU"}

_ALONE = " A single time gives no range, so the range is the spread seen on other boards."


def sentences(record: Mapping[str, Any]) -> tuple[str, ...]:
    """How it was made for the board, and what the chosen file would take there."""
    board = record["board"]
    threads = number(board["threads"], "thread") if board["threads"] else "one thread per core"
    made = (
        f"Made for this board: target {board['target']}, input {board['size']} × {board['size']} "
        f"pixels, to run with {threads} on its CPU."
    )
    return made, estimated(record)


def estimated(record: Mapping[str, Any]) -> str:
    """What the chosen file would take on the board, in a sentence."""
    board, name = record["board"], record["chosen"]
    found = board["estimates"][name]
    if found is None:
        return (
            f"The latency of {name} on the {board['title']} is not estimated, as no comparable "
            "latency is published. Measure it there with “edge bench”."
        )
    alone = len(found["published"]) == 1
    return (
        f"Estimated latency of {name} on the {board['title']}: about {_rough(found['ms'])} ms per "
        f"image ({_range(found)}) on {_CALLED[found['runs_on']]}. Based on "
        f"{number(len(found['published']), 'published time')} and the multiply-adds, not measured "
        f"on this board.{_ALONE if alone else ''}"
    )


def rows(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The table of all variants that there is an estimate of."""
    return [
        {
            "name": name,
            "runs_on": _CALLED[found["runs_on"]],
            "ms": f"{_rough(found['ms'])} ms",
            "range": _range(found),
            "published": len(found["published"]),
        }
        for name, found in record["board"]["estimates"].items()
        if found is not None
    ]


def published(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What was published, each once."""
    seen: list[Mapping[str, Any]] = []
    for found in record["board"]["estimates"].values():
        seen += [one for one in (found or {"published": []})["published"] if one not in seen]
    return seen


def _range(found: Mapping[str, Any]) -> str:
    return f"{_rough(found['low_ms'])} to {_rough(found['high_ms'])} ms"


def _rough(value: float) -> str:
    """With two digits, as more would mean nothing.

    >>> _rough(147.39), _rough(17.0), _rough(0.1234)
    ('150', '17', '0.12')
    """
    return f"{float(f'{value:.2g}'):g}"
