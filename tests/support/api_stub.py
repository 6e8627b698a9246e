"""The type stub of ``edge``, generated from its table of exports.

After a change of the table, ``make snapshot`` writes it.
"""

from pathlib import Path

import edge

STUB = Path(edge.__file__).with_suffix(".pyi")


def render() -> str:
    """Return the content of ``edge/__init__.pyi``."""
    lines = [
        "# Generated from the table in __init__.py by tests/support/api_stub.py.",
        "# ruff: noqa",
        "",
    ]
    lines += ["from edge.version import __version__ as __version__"]
    for module, names in edge._EXPORTS.items():
        lines += [f"from {module} import {name} as {name}" for name in names]
    names = [f'    "{name}",' for name in edge.__all__]
    return "\n".join([*lines, "", "__all__ = [", *names, "]", ""])


if __name__ == "__main__":
    STUB.write_text(render())
