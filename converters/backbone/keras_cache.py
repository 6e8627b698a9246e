"""Weights of Keras files, kept by their content: to read 260 arrays of HDF5 takes a while."""

import hashlib
import io
import json
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np

from converters.backbone import from_keras
from converters.backbone.from_keras import KerasFile
from edge.errors import OutputError
from edge.files import cache_folder, sha256, write_atomic
from edge.version import __version__


def read(path: Path) -> KerasFile:
    """Read the MobileNetV2 weights of a Keras file, or those that were read of the same content.

    Raises:
        WeightsError: see :func:`converters.backbone.from_keras.read`.
    """
    try:
        kept = cache_folder() / f"weights-{_key(path)}.npz"
    except (OSError, OutputError):  # the file is missing, or there is no cache
        return from_keras.read(path)
    with suppress(OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return _unpacked(kept.read_bytes())
    file = from_keras.read(path)
    with suppress(OutputError):  # it is read again next time
        write_atomic(kept, _packed(file))
    return file


def _key(path: Path) -> str:
    """Return a hash of the content and of what reads it."""
    return hashlib.sha256(f"{sha256(path)} {__version__}".encode()).hexdigest()[:20]


def _packed(file: KerasFile) -> bytes:
    shapes = {name: [array.shape for array in arrays] for name, arrays in file.weights.items()}
    layout = json.dumps({"size": file.size, "shapes": shapes}).encode()
    values = np.concatenate([array.ravel() for each in file.weights.values() for array in each])
    content = io.BytesIO()
    np.savez(content, layout=np.frombuffer(layout, np.uint8), values=values)
    return content.getvalue()


def _unpacked(content: bytes) -> KerasFile:
    with np.load(io.BytesIO(content)) as stored:
        layout, values = json.loads(stored["layout"].tobytes()), stored["values"]
    shapes = [shape for each in layout["shapes"].values() for shape in each]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    parts = iter(np.split(values, ends[:-1]))
    weights = {
        name: [next(parts).reshape(shape) for shape in each]
        for name, each in layout["shapes"].items()
    }
    return KerasFile(weights, layout["size"])
