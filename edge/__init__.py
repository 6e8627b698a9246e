"""The on-device side of edge-toolkit: numpy, OpenCV and one TFLite interpreter.

>>> import edge
>>> model = edge.open_model("model.tflite")            # doctest: +SKIP
>>> model.classify(edge.read_picture("cat.jpg")).best  # doctest: +SKIP
ClassScore(label='cat', index=0, score=0.98)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge.errors import EdgeError as EdgeError
    from edge.image import read_picture as read_picture
    from edge.model import Model as Model
    from edge.model import open_model as open_model
    from edge.results import Classification as Classification
    from edge.results import ClassScore as ClassScore

__version__ = "0.1.0"

# Loaded on first use, so that `edge --help` needs neither numpy nor OpenCV.
_PUBLIC = {
    "EdgeError": "edge.errors",
    "read_picture": "edge.image",
    "Model": "edge.model",
    "open_model": "edge.model",
    "Classification": "edge.results",
    "ClassScore": "edge.results",
}

__all__ = [
    "ClassScore",
    "Classification",
    "EdgeError",
    "Model",
    "open_model",
    "read_picture",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'edge' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)
