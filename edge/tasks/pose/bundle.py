"""Bundles (.task) of MediaPipe's pose landmarker: a zip, not compressed, of its two models."""

import io
import zipfile
from importlib import util
from pathlib import Path

from edge import interpreter, known_models
from edge.errors import DelegateError, ModelError
from edge.files import cache_folder, write_atomic
from edge.installation import install_command
from edge.modelfile import foreign
from edge.modelfile.metadata import ModelMetadata
from edge.modelfile.metadata_writer import write_metadata
from edge.tasks.pose.landmarker import installed

DETECTOR, LANDMARKS = "pose_detector.tflite", "pose_landmarks_detector.tflite"
"""Names of the models in a bundle."""

_WHEEL = ("pose_detection/pose_detection.tflite", "pose_landmark/pose_landmark_full.tflite")
"""Paths of the models in a MediaPipe package that includes them, in its folder ``modules``."""

_PACKING = (
    "create one on a workstation (x86-64, MediaPipe 0.10): edge models export pose -o pose.task"
)
_REGISTRY_NAME = "pose_landmarker_full"
"""Name in the registry of a bundle with the same models."""

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date of a zip: equal input gives equal bytes


def pack_pose_bundle(detector: bytes, landmarks: bytes) -> bytes:
    """Return the bundle of two .tflite files.

    The landmark model gets metadata with its normalization, to 0 to 1, which MediaPipe's Tasks API
    requires and the file in its wheel lacks.

    Raises:
        ModelError: one of them is no complete TFLite model.
    """
    about = ModelMetadata(name="pose landmarks", mean=(0.0,), std=(255.0,))
    files = {DETECTOR: detector, LANDMARKS: write_metadata(landmarks, about)}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content)
    return buffer.getvalue()


def wheel_bundle() -> Path:
    """Return the bundle of the installed MediaPipe's models, which is kept in the cache folder.

    Raises:
        DelegateError: MediaPipe is not installed.
        ModelError: it includes no models, as from version 1 on.
        OutputError: the cache cannot be written.
    """
    version = installed()
    if version is None:
        raise DelegateError(
            "MediaPipe", "no MediaPipe", install_command("pose"), code="missing-package"
        )
    files = [_folder() / file for file in _WHEEL]
    if not all(file.is_file() for file in files):
        raise ModelError(
            "a MediaPipe package that includes its pose model",
            f"MediaPipe {version}, which includes no models",
            f"{_PACKING}, and use it with --model pose.task; or: edge models pull {_REGISTRY_NAME}",
            code="package-without-models",
        )
    path = cache_folder() / f"pose_landmarker_full-mediapipe-{version}.task"
    if not _is_intact(path):
        content = pack_pose_bundle(*(file.read_bytes() for file in files))
        write_atomic(path, content)
        known_models.trust_model(content)
    return path


def default_bundle() -> Path:
    """Return the bundle of the installed MediaPipe, else of the registry if pulled before.

    Raises:
        DelegateError, ModelError, OutputError: see :func:`wheel_bundle`.
    """
    try:
        return wheel_bundle()
    except ModelError:
        from edge.registry import catalog, store

        entry = catalog.find(_REGISTRY_NAME)
        if not store.cached(entry, (entry.model,)):
            raise
        return store.path(entry, entry.model)


def is_bundle(path: Path) -> bool:
    """Return True for a bundle, by the name or the beginning of a file.

    A .tflite file with packed labels is a zip as well, but at its end.
    """
    if path.suffix == ".task" or not path.is_file():
        return path.suffix == ".task"
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def read(path: Path) -> bytes:
    """Read the content of a pose landmarker's bundle; models that are not known are tried.

    Raises:
        ModelError: the file cannot be read, is damaged, or is another kind of bundle; one of its
            models fails.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _invalid_bundle(f"{path} ({error.strerror})") from None
    digest = known_models.digest(content)
    models = _models(content, path)
    if not known_models.is_known(digest, known_models.ANY):
        for name, model in models.items():
            interpreter.check_runs(model, f"{name} in {path}")
        known_models.remember(digest)
    return content


def _models(content: bytes, path: Path) -> dict[str, bytes]:
    """Return the two models of a bundle, which are stored in it as they are."""
    models = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            for name in {DETECTOR, LANDMARKS}.intersection(names):
                if archive.getinfo(name).file_size > len(content):
                    raise zipfile.BadZipFile
                models[name] = archive.read(name)
    except Exception:  # zipfile and its codecs raise various errors on damage
        kind = "damaged"
        if not content.startswith(b"PK"):
            kind = foreign.identify(content[: foreign.HEAD_BYTES], content).kind
        raise _invalid_bundle(f"{path}, which is {kind}") from None
    if len(models) < 2:
        content_names = ", ".join(names[:4]) or "nothing"
        raise _invalid_bundle(f"{path}, another kind of bundle (containing {content_names})")
    return models


def _is_intact(path: Path) -> bool:
    """Return True if a zip exists and its checksums are right."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (OSError, zipfile.BadZipFile):
        return False


def _folder() -> Path:
    spec = util.find_spec("mediapipe")
    assert spec is not None
    (folder,) = spec.submodule_search_locations or [""]
    return Path(folder) / "modules"


def _invalid_bundle(problem: str) -> ModelError:
    return ModelError(
        "a .task file of MediaPipe's pose landmarker", problem, _PACKING, code="invalid-pose-bundle"
    )
