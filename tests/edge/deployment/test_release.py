"""Models are extracted from bundles."""

import io
import zipfile

import pytest
from errors import raises_code

from edge.deployment import release


def bundle(compression: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr("detector.tflite", bytes(range(256)) * 8)
        archive.writestr("metadata.json", "{}")
    return buffer.getvalue()


def test_models_of_a_bundle_are_extracted_by_name() -> None:
    models = release.extract_models("pose.task", bundle(zipfile.ZIP_STORED))
    assert models == {"detector.tflite": bytes(range(256)) * 8}
    assert release.extract_models("model.tflite", b"TFL3") == {"": b"TFL3"}


def test_a_bundle_without_a_model_is_rejected() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("metadata.json", "{}")
    with raises_code("bundle-without-model", found="pose.task"):
        release.extract_models("pose.task", buffer.getvalue())


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize(
    "damaged",
    [
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:60] + b"\xff" * 8 + whole[68:],
        lambda whole: b"<html>not found</html>",
        lambda whole: b"",
    ],
)
def test_a_damaged_bundle_is_rejected(compression: int, damaged) -> None:  # type: ignore[no-untyped-def]
    with raises_code("bundle-damaged", found="pose.task"):
        release.extract_models("pose.task", damaged(bundle(compression)))
