"""Releases: a folder with a model, the script that runs it, and checksums of all files.

=================  ==============================================================================
``release.json``   the manifest, see :class:`ReleaseManifest`
``run``            the script that a service starts
``SHA256SUMS``     a line for every other file, as sha256sum(1) writes and checks them; the first
                   characters of its own SHA-256 are the name of the release
=================  ==============================================================================

The model, its labels and its test vectors lie next to these. The environment that runs it is not
part of the release: ``env`` is a link to it, created on the board.
"""

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edge.errors import ModelError, ReleaseError
from edge.files import sha256

MANIFEST, SUMS, RUN, ENVIRONMENT = "release.json", "SHA256SUMS", "run", "env"
FORMAT = 1

_DIGITS = 12
"""Digits of the SHA-256 in the name of a release."""

_AGAIN = "deploy again"


@dataclass(frozen=True, slots=True)
class GoldenCheck:
    """A model to check: ``file``, its ``member`` if it is a bundle, and its golden outputs."""

    file: str
    member: str
    vectors: str


@dataclass(frozen=True, slots=True)
class ReleaseManifest:
    """Manifest of a release.

    Attributes:
        toolkit: Version of the toolkit.
        wheel: File name of the toolkit's wheel.
        run: Arguments of the command, redacted; files of the release as "$here/NAME".
        extras: Extras of the toolkit that the command needs.
        system_packages: Whether it needs Python packages of the system, such as picamera2.
        delegate: As for ``--delegate``.
        proofs: The models to check.
    """

    toolkit: str
    wheel: str
    run: tuple[str, ...]
    extras: tuple[str, ...]
    system_packages: bool
    delegate: str
    proofs: tuple[GoldenCheck, ...]

    def to_json(self) -> str:
        """Return the content of ``release.json``."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2) + "\n"


def checksum_lines(files: Mapping[str, bytes]) -> bytes:
    """Return the lines of ``SHA256SUMS``, sorted by name."""
    lines = (f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    return "".join(lines).encode()


def release_id(sums_file: bytes) -> str:
    """Return the name of a release, from its ``SHA256SUMS``."""
    return hashlib.sha256(sums_file).hexdigest()[:_DIGITS]


def read(folder: Path) -> ReleaseManifest:
    """Check a release and read its manifest.

    Raises:
        ReleaseError: the folder is not a release, or a file differs from what was sent.
    """
    check(folder)
    try:
        values = json.loads((folder / MANIFEST).read_bytes())
        if values.pop("format") != FORMAT:
            raise ValueError("unknown format version")
        return _manifest(values)
    except (ValueError, KeyError, TypeError) as error:
        raise ReleaseError(
            "a release of this version of edge-toolkit",
            f"{folder / MANIFEST} ({' '.join(str(error).split())})",
            _AGAIN,
            code="release-invalid",
        ) from None


def check(folder: Path) -> None:
    """Check that a folder contains the files of its checksums, and nothing else.

    Raises:
        ReleaseError: it does not; the error names the files.
    """
    folder = folder.resolve()
    try:
        content = (folder / SUMS).read_bytes()
        present = {path.name: path for path in folder.iterdir()}
    except OSError as error:
        raise ReleaseError(
            "a release folder",
            f"{error.filename} ({error.strerror})",
            _AGAIN,
            code="release-unreadable",
        ) from None
    if release_id(content) != folder.name:
        raise _tampered(folder, [SUMS])
    lines = (line.partition("  ") for line in content.decode().splitlines())
    digests = {name: digest for digest, _, name in lines}
    expected = {*digests, SUMS, ENVIRONMENT}
    wrong = [name for name in present if name not in expected]
    wrong += [name for name, digest in digests.items() if _digest(present.get(name)) != digest]
    if wrong:
        raise _tampered(folder, wrong)


def extract_models(name: str, content: bytes) -> dict[str, bytes]:
    """Return the TFLite models of a file: of a bundle (.task, a zip) by member, else by "".

    Raises:
        ModelError: the bundle is damaged, or not a bundle, or contains no model.
    """
    if not name.endswith(".task"):
        return {"": content}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as bundle:
            members = [member for member in bundle.namelist() if member.endswith(".tflite")]
            models = {member: bundle.read(member) for member in members}
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise ModelError(
            "a model bundle (.task)",
            f"{name}, which is damaged or not a .task file",
            "download it again",
            code="bundle-damaged",
        ) from None
    if not models:
        raise ModelError(
            "a model bundle (.task)",
            f"no .tflite in {name}",
            "download it again",
            code="bundle-without-model",
        )
    return models


def _manifest(values: dict[str, Any]) -> ReleaseManifest:
    proofs = tuple(GoldenCheck(**proof) for proof in values.pop("proofs"))
    run, extras = tuple(values.pop("run")), tuple(values.pop("extras"))
    return ReleaseManifest(**values, run=run, extras=extras, proofs=proofs)


def _digest(path: Path | None) -> str:
    if path is None or path.is_symlink() or not path.is_file():
        return ""
    return sha256(path)


def _tampered(folder: Path, names: Iterable[str]) -> ReleaseError:
    return ReleaseError(
        f"the release {folder.name} as it was sent",
        f"different content in {', '.join(names)}",
        _AGAIN,
        code="release-modified",
    )
