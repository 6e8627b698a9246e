"""The type stubs of ``edge`` and ``converters``, generated from their tables of exports.

After a change of a table, ``make snapshot`` writes them.
"""

from pathlib import Path
from types import ModuleType

import converters
import edge

PACKAGES = (edge, converters)


def stub(package: ModuleType) -> Path:
    """Return the path of the ``__init__.pyi`` of a package."""
    return Path(str(package.__file__)).with_suffix(".pyi")


def render(package: ModuleType) -> str:
    """Return the content of the ``__init__.pyi`` of a package."""
    lines = [
        "# Generated from the table in __init__.py by tests/support/api_stub.py.",
        "# ruff: noqa",
        "",
    ]
    if package is edge:
        lines += ["from edge.version import __version__ as __version__"]
    for module, names in package._EXPORTS.items():
        lines += [f"from {module} import {name} as {name}" for name in names]
    names = [f'    "{name}",' for name in package.__all__]
    return "\n".join([*lines, "", "__all__ = [", *names, "]", ""])


if __name__ == "__main__":
    for package in PACKAGES:
        stub(package).write_text(render(package))
