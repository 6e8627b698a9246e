"""Recipes as a user writes them, with so little training that a test can wait for it."""

from pathlib import Path

HALF = """\
description = "Half of the expansion channels, one epoch of recovery."

[[steps]]
step = "prune"
method = "channels"
keep = 0.5
epochs = 1

[[steps]]
step = "quantize"
method = "int8"
"""

PACKED = """\
description = "Half of the weights are zero, one epoch of recovery."

[[steps]]
step = "prune"
method = "magnitude"
sparsity = 0.5
rounds = 1
epochs = 1

[[steps]]
step = "quantize"
method = "int8"
"""


def write(folder: Path, name: str, text: str) -> Path:
    """The recipe ``text`` as ``folder/NAME.toml``."""
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path
