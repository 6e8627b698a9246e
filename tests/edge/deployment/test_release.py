"""Models are extracted from bundles."""

import io
import zipfile

import pytest
from errors import raises_code

from edge.deployment import release


def bundle(compression: int) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as archive:
        archive.writestr("detector.tflite", bytes(range(256)) * 8)
        archive.writestr("metadata.json", "{}")
    return made.getvalue()


def test_models_of_a_bundle_are_extracted_by_name() -> None:
    found = release.extract_models("pose.task", bundle(zipfile.ZIP_STORED))
    assert found == {"detector.tflite": bytes(range(256)) * 8}
    assert release.extract_models("model.tflite", b"TFL3") == {"": b"TFL3"}


def test_a_bundle_without_a_model_is_rejected() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("metadata.json", "{}")
    with raises_code("bundle-without-model", found="pose.task"):
        release.extract_models("pose.task", made.getvalue())


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
