# Generated from the table in __init__.py by tests/support/api_stub.py.
# ruff: noqa

from converters.api import bring_back as bring_back
from converters.api import check_edgetpu as check_edgetpu
from converters.api import compare as compare
from converters.api import compile_edgetpu as compile_edgetpu
from converters.api import compress as compress
from converters.api import convert as convert
from converters.api import evaluate as evaluate
from converters.api import find_suspects as find_suspects
from converters.edgetpu.compiler import CompiledModel as CompiledModel
from converters.edgetpu.prediction import EdgeTpuPrediction as EdgeTpuPrediction
from converters.evaluation.records import Evaluation as Evaluation
from converters.progress import Progress as Progress
from converters.progress import SilentProgress as SilentProgress
from converters.progress import StepStatus as StepStatus
from converters.report.compare import Comparison as Comparison
from converters.report.model import Report as Report
from converters.terminal_progress import TerminalProgress as TerminalProgress
from converters.training.analysis import Suspect as Suspect

__all__ = [
    "Comparison",
    "CompiledModel",
    "EdgeTpuPrediction",
    "Evaluation",
    "Progress",
    "Report",
    "SilentProgress",
    "StepStatus",
    "Suspect",
    "TerminalProgress",
    "bring_back",
    "check_edgetpu",
    "compare",
    "compile_edgetpu",
    "compress",
    "convert",
    "evaluate",
    "find_suspects",
]
