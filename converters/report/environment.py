"""Computer and software that a result was made with."""

import os
import platform
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from converters.report.sections import EnvironmentReport

_PACKAGES = ("tensorflow", "tf-keras", "numpy", "opencv-python", "scikit-learn")


def describe(interpreters: Iterable[str]) -> EnvironmentReport:
    """Describe this computer and the packages with their versions.

    ``interpreters``: those that ran a file, as "name version"; they are among the packages.
    """
    packages = {name: _version(name) for name in _PACKAGES}
    for interpreter in interpreters:
        name, _, version = interpreter.partition(" ")
        packages[name] = version or packages.get(name) or _version(name)
    return EnvironmentReport(
        python=platform.python_version(),
        platform=platform.platform(),
        cpu=_cpu(),
        cores=os.cpu_count(),
        packages=packages,
    )


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _cpu() -> str:
    """Return the name of the processor, or the architecture if Linux does not know it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
