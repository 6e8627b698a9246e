"""Files that people bring in place of a .tflite model: what they are, and what to do."""

import io
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

HEAD_BYTES = 4096
"""Bytes from the beginning of a file by which it is recognized."""

_CONVERT = "convert it to TensorFlow Lite with tf.lite.TFLiteConverter"


@dataclass(frozen=True, slots=True)
class ForeignFile:
    """A file or folder that is no .tflite model.

    Attributes:
        kind: What it is, as a noun phrase.
        fix: How to get a .tflite model, as an imperative sentence.
    """

    kind: str
    fix: str


_TORCH = ForeignFile(
    "a PyTorch model",
    "export it to TensorFlow Lite (YOLO: yolo export model=FILE.pt format=tflite)",
)
_KERAS = ForeignFile("a Keras model", f"{_CONVERT}.from_keras_model")
_SAVED_MODEL = ForeignFile("a TensorFlow SavedModel", f"{_CONVERT}.from_saved_model")
_ARCHIVE = ForeignFile("an archive", "unpack it, and use the .tflite file inside")
_IMAGE = ForeignFile("an image", "give the model first: edge classify MODEL IMAGES")
_ONNX = ForeignFile(
    "an ONNX model", "convert it to TensorFlow Lite, for example with onnx2tf -i FILE.onnx"
)

_AGAIN = "copy or download the file again"
_EXPORT = "export the model to TensorFlow Lite"
_BEGINNINGS = (
    (rb"\Z", ForeignFile("empty (0 bytes)", _AGAIN)),
    (rb"\0+\Z", ForeignFile("a file of zeros", _AGAIN)),
    (rb"version https://git-lfs", ForeignFile(
        "a pointer of Git LFS, not the file itself", "get the file with 'git lfs pull'")),
    (rb"/annex/objects/", ForeignFile(
        "a pointer of git-annex, not the file itself", "get the file with 'git annex get'")),
    (rb"\x89HDF", ForeignFile("a Keras .h5 file", f"{_CONVERT}.from_keras_model")),
    (rb"\x80\x02\x8a\x0al\xfc\x9c", _TORCH),
    (rb"\x80", ForeignFile("a Python pickle", _EXPORT)),
    (rb"\x1f\x8b", ForeignFile("a gzip archive", "unpack it with gunzip or tar -xzf")),
    (rb"BZh|\xfd7zXZ|7z\xbc\xaf|\x28\xb5\x2f\xfd|Rar!|.{257}ustar", _ARCHIVE),
    (rb"\xff\xd8\xff|\x89PNG|GIF8", _IMAGE),
    (rb"\x08[\x01-\x20]\x12[\x01-\x40][ -~]", _ONNX),  # version, then the producer's name
    (rb"7767517", ForeignFile("an ncnn model", _EXPORT)),
    (rb"(\xef\xbb\xbf)?\s*<(!doctype html|html|head|body|script|!--)", ForeignFile(
        "a web page (HTML), not the file itself",
        "download the file with the link that says 'raw' or 'download'")),
    (rb"(\xef\xbb\xbf)?\s*<", ForeignFile("an XML file", "download the .tflite file itself")),
    (rb"\s*\{.*\"(modeltopology|weightsmanifest)\"", ForeignFile("a TensorFlow.js model", _EXPORT)),
    (rb"\s*[\[{]\s*[\"\[{]", ForeignFile("a JSON file, such as a server's error", _AGAIN)),
    (rb"[\t\n\r -~\x80-\xff]+\Z", ForeignFile("a text file", "check the path")),
)  # fmt: skip
"""Patterns of the beginnings of files, in the order in which they are tried."""

_SUFFIXES = {
    ".onnx": _ONNX, ".pt": _TORCH, ".pth": _TORCH, ".h5": _KERAS, ".keras": _KERAS,
    ".pb": ForeignFile("a TensorFlow graph", f"{_CONVERT}.from_saved_model"),
    ".engine": ForeignFile("a TensorRT engine", "export the model to TensorFlow Lite"),
}  # fmt: skip


def identify(head: bytes, file: Path | bytes) -> ForeignFile:
    """Return what a file is that is no .tflite model.

    Args:
        head: Its first bytes, up to ``HEAD_BYTES``.
        file: The file, to list the content of a zip.
    """
    if head.startswith(b"PK"):
        return _zip(file)
    if isinstance(file, Path) and file.suffix.lower() in _SUFFIXES and b"\0" in head:
        return _SUFFIXES[file.suffix.lower()]
    for pattern, foreign in _BEGINNINGS:
        if re.match(pattern, head, re.IGNORECASE | re.DOTALL):
            return foreign
    return ForeignFile("another kind of file", "check the path")


def identify_folder(folder: Path) -> ForeignFile:
    """Return what a folder or device is that is given in place of a .tflite model."""
    if not folder.is_dir():
        return ForeignFile("a device", "check the path")
    if (folder / "saved_model.pb").is_file():
        return ForeignFile("a folder with a TensorFlow SavedModel", _SAVED_MODEL.fix)
    models = sorted(folder.glob("*.tflite"))
    if len(models) == 1 or (folder / "model.tflite").is_file():
        model = models[0] if len(models) == 1 else folder / "model.tflite"
        return ForeignFile("a folder", f"use {model}")
    if models:
        names = ", ".join(model.name for model in models[:3])
        return ForeignFile("a folder", f"use one of its models: {names}")
    return ForeignFile("a folder", "check the path")


def _zip(file: Path | bytes) -> ForeignFile:
    """Return what a zip is by the names of its files."""
    try:
        with zipfile.ZipFile(file if isinstance(file, Path) else io.BytesIO(file)) as archive:
            names = archive.namelist()
    except Exception:  # zipfile raises various errors on damage
        return ForeignFile("a damaged zip archive", _AGAIN)
    bases = {PurePosixPath(name).name for name in names}
    if {"config.json", "model.weights.h5"} <= bases:
        return ForeignFile("a Keras model (.keras)", _KERAS.fix)
    if "data.pkl" in bases:
        return _TORCH
    if "saved_model.pb" in bases:
        return ForeignFile("a zip archive with a TensorFlow SavedModel", _SAVED_MODEL.fix)
    models = [name for name in names if name.lower().endswith(".tflite")]
    if models:
        inside = ", ".join(models[:3])
        return ForeignFile(f"a zip archive with {inside}", "unpack it, and use the .tflite file")
    return ForeignFile("a zip archive", "unpack it, and use the .tflite file inside")
