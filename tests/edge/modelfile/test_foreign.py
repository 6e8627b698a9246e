"""What people bring in place of a model is named, with what to do."""

import io
import zipfile

import pytest
from errors import raises_code

from edge.modelfile import tflite


def zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, b"x" * 100)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "kind", "fix"),
    [
        ("m.tflite", b"<!DOCTYPE html>\n<html><title>m</title></html>", "web page", "raw"),
        ("m.tflite", b"\xef\xbb\xbf\n\n<HTML>", "web page", "raw"),
        ("m.tflite", b"<?xml version='1.0'?><Error/>", "XML", "download"),
        ("m.tflite", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS",
         "git lfs pull"),
        ("m.tflite", b"/annex/objects/SHA256E-s12--0.tflite\n", "git-annex", "annex get"),
        ("m.tflite", b'{"message": "Not Found"}', "JSON", "download"),
        ("model.json", b'{"format": "layers-model",\n"modelTopology": {}}', "TensorFlow.js",
         "export"),
        ("m.tflite", zipped("tf/model.tflite", "tf/labels.txt"), "tf/model.tflite", "unpack"),
        ("m.keras", zipped("metadata.json", "config.json", "model.weights.h5"), ".keras",
         "from_keras_model"),
        ("m.pt", zipped("m/data.pkl", "m/data/0"), "PyTorch", "export"),
        ("m.zip", zipped("m/saved_model.pb"), "SavedModel", "from_saved_model"),
        ("m.zip", zipped("photos/a.jpg"), "a zip archive", "unpack"),
        ("m.zip", zipped("a")[:-30], "damaged zip", "again"),
        ("m.h5", b"\x89HDF\r\n\x1a\n" + bytes(100), ".h5", "from_keras_model"),
        ("m.pt", b"\x80\x02\x8a\x0al\xfc\x9cF\xf9", "PyTorch", "export"),
        ("m.pkl", b"\x80\x04\x95", "pickle", "export"),
        ("m.onnx", b"\x08\x08\x12\x07pytorch\x1a\x051.0", "ONNX", "onnx2tf"),
        ("m.pb", b"\x0a\x20\x0a\x05input\0\xfe", "TensorFlow graph", "from_saved_model"),
        ("m.tflite.gz", b"\x1f\x8b\x08" + bytes(20), "gzip", "unpack"),
        ("m.tar", b"m.tflite".ljust(257, b"\0") + b"ustar\0", "archive", "unpack"),
        ("m.jpg", b"\xff\xd8\xff\xe0" + bytes(30), "an image", "model first"),
        ("labels.txt", b"cat\ndog\n", "a text file", "path"),
        ("m.tflite", b"", "empty", "again"),
        ("m.tflite", bytes(5000), "zeros", "again"),
        ("m.bin", b"\x01\xfe" * 50, "another kind", "path"),
    ],
)  # fmt: skip
def test_another_file_in_place_of_a_model_is_named(tmp_path, name, content, kind, fix):
    path = tmp_path / name
    path.write_bytes(content)
    with raises_code("model-not-tflite", found=kind, fix=fix):
        tflite.read_file(path)
    if path.suffix not in (".pb",):  # only its name tells that one
        with raises_code("model-not-tflite", found=kind, fix=fix):
            tflite.parse(content)


def test_folders_are_named_and_their_models_proposed(tmp_path):
    with raises_code("model-unreadable", found="a folder"):
        tflite.read_file(tmp_path)
    (tmp_path / "birds.tflite").touch()
    with raises_code("model-unreadable", fix="birds.tflite"):
        tflite.read_file(tmp_path)
    (tmp_path / "model.tflite").touch()
    with raises_code("model-unreadable", fix="model.tflite"):
        tflite.read_file(tmp_path)
    (tmp_path / "saved_model.pb").touch()
    with raises_code("model-unreadable", found="SavedModel", fix="from_saved_model"):
        tflite.read_file(tmp_path)
