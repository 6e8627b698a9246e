"""The model card: what the weights are, how they came to be, and under which terms."""

import json
from pathlib import Path
from typing import Any

from edge.files import write_atomic

LICENSE = (
    "The weights are under the project's license. They were trained on ImageNet images, which are "
    "for research and education, with a teacher trained on ImageNet; they contain no image. Check "
    "the terms of ImageNet before commercial use."
)

Card = dict[str, Any]
"""Plain values by name, and tables (dicts) of plain values."""


def write_card(card: Card, path: Path) -> None:
    """Write ``card`` as TOML: its plain values first, then table by table, in the order given.

    Raises:
        OutputError: it cannot be written.
    """
    lines = _assignments({k: v for k, v in card.items() if not isinstance(v, dict)})
    for name, table in card.items():
        if isinstance(table, dict):
            lines += ["", f"[{name}]", *_assignments(table)]
    write_atomic(path, "\n".join(lines) + "\n")


def _assignments(table: dict[str, Any]) -> list[str]:
    # JSON's strings, numbers, booleans and flat lists are TOML's.
    return [f"{key} = {json.dumps(value)}" for key, value in table.items()]
