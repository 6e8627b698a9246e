"""The model for people: MediaPipe's selfie segmentation."""

from importlib.util import find_spec
from pathlib import Path

NAME = "selfie_segmenter"
"""Its name in the registry."""

_PLACE = Path("modules/selfie_segmentation/selfie_segmentation.tflite")


def model() -> Path | str:
    """The installed file, else the name by which it is downloaded."""
    return installed() or NAME


def installed() -> Path | None:
    """The model within an installed mediapipe 0.10, which is not imported; later ones have none."""
    spec = find_spec("mediapipe")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / _PLACE
    return path if path.is_file() else None
