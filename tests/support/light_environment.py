"""Run ``edge`` as if only the packages of the light lock file were installed.

Run as a program: ``light_environment.py convert photos -o out``. Modules of all other
distributions are not found, as where they are absent.
"""

import re
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

LOCK = Path(__file__).resolve().parents[2] / "requirements-convert.lock"


def absent_modules() -> frozenset[str]:
    """Names of the installed top-level modules that the light lock file does not bring."""
    pinned = set(re.findall(r"^([a-z][a-z0-9-]*)==", LOCK.read_text(), re.MULTILINE))
    pinned |= {"edge-vision-toolkit", "pip"}
    return frozenset(
        module
        for module, distributions in metadata.packages_distributions().items()
        if not pinned & {re.sub(r"[-_.]+", "-", name).lower() for name in distributions}
    )


class HidingFinder:
    """A finder of ``sys.meta_path`` that does not find the modules ``absent``."""

    def __init__(self, finder: Any, absent: frozenset[str]) -> None:
        self._finder, self._absent = finder, absent

    def find_spec(self, name: str, *arguments: Any) -> Any:
        hidden = name.partition(".")[0] in self._absent
        return None if hidden else self._finder.find_spec(name, *arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._finder, name)


if __name__ == "__main__":
    absent = absent_modules()
    sys.meta_path = [HidingFinder(finder, absent) for finder in sys.meta_path]
    from edge.cli import main

    main()
