"""The workstation side of edge-toolkit: from a folder of images to a verified TFLite model.

The functions have the options of the commands of the same name:

>>> import converters
>>> converters.check_edgetpu("model.tflite").status
'full'
>>> report = converters.Report.load("earlier/")
>>> report.chosen, report.success
('int8', True)
>>> [entry.row.name for entry in converters.compare("earlier/").entries]
['float32', 'float16', 'int8']
"""

from importlib import import_module
from typing import Any

# Imported on first use: "import converters" needs neither TensorFlow nor numpy.
_EXPORTS = {
    "converters.api": (
        "bring_back", "check_edgetpu", "compare", "compile_edgetpu", "compress", "convert",
        "evaluate", "find_suspects",
    ),
    "converters.edgetpu.compiler": ("CompiledModel",),
    "converters.edgetpu.prediction": ("EdgeTpuPrediction",),
    "converters.evaluation.records": ("Evaluation",),
    "converters.progress": ("Progress", "SilentProgress", "StepStatus"),
    "converters.report.compare": ("Comparison",),
    "converters.report.model": ("Report",),
    "converters.terminal_progress": ("TerminalProgress",),
    "converters.training.analysis": ("Suspect",),
}  # fmt: skip
"""The public names by module, written down here only: __init__.pyi is generated from it."""

_MODULES = {name: module for module, names in _EXPORTS.items() for name in names}

__all__ = sorted(_MODULES)  # noqa: PLE0605 (derived)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'converters' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, *(name for name in globals() if name.startswith("__"))])
