"""The model card: what the weights are, how they came to be, and under which terms."""

import json
from pathlib import Path
from typing import Any

LICENCE = (
    "The weights are under the project's licence. They were learned from ImageNet pictures, "
    "which are for research and education, and from a teacher trained on ImageNet; no picture "
    "is part of them. Check the terms of ImageNet before commercial use."
)

Card = dict[str, dict[str, Any]]
"""Tables of plain values by name."""


def write_card(card: Card, path: Path) -> None:
    """Write ``card`` as TOML, table by table, in the order given."""
    lines: list[str] = []
    for table, values in card.items():
        lines.append(f"[{table}]")
        # JSON's strings, numbers, booleans and flat lists are TOML's.
        lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
        lines.append("")
    path.write_text("\n".join(lines), encoding="utf-8")
