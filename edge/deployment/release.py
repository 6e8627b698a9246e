"""A release: a folder with a model, what runs it, and checksums of all of it.

=================  ==============================================================================
``release.json``   what it is, see :class:`ReleaseManifest`
``run``            the script that a service starts
``SHA256SUMS``     a line for every other file, as sha256sum(1) writes and checks them; the first
                   characters of its own SHA-256 are the name of the release
=================  ==============================================================================

The model, its labels and its test vectors lie beside these. The environment that runs it is no
part of the release: ``env`` points to it, and is made on the board.
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
"""Of the SHA-256 in the name of a release."""

_AGAIN = "deploy again"


@dataclass(frozen=True, slots=True)
class GoldenCheck:
    """A model to be tested: ``file``, in it ``member`` where it is a bundle, and its vectors."""

    file: str
    member: str
    vectors: str


@dataclass(frozen=True, slots=True)
class ReleaseManifest:
    """What a release says of itself.

    ``toolkit``: version; ``run``: words of the command, files of the release as "$here/NAME";
    ``extras``: of the toolkit that it needs; ``system_packages``: it needs Python packages of the
    system, as picamera2 is one; ``delegate``: as for ``--delegate``.
    """

    toolkit: str
    wheel: str
    run: tuple[str, ...]
    extras: tuple[str, ...]
    system_packages: bool
    delegate: str
    proofs: tuple[GoldenCheck, ...]

    def to_json(self) -> str:
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2) + "\n"


def checksum_lines(files: Mapping[str, bytes]) -> bytes:
    """The lines of ``SHA256SUMS``, by name."""
    lines = (f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    return "".join(lines).encode()


def release_id(sums_file: bytes) -> str:
    """The name of a release, by its ``SHA256SUMS``."""
    return hashlib.sha256(sums_file).hexdigest()[:_DIGITS]


def read(folder: Path) -> ReleaseManifest:
    """What a release says of itself, after it was checked.

    Raises:
        ReleaseError: it is none, or a file of it is not the one that was sent.
    """
    check(folder)
    try:
        said = json.loads((folder / MANIFEST).read_bytes())
        if said.pop("format") != FORMAT:
            raise ValueError("unknown format version")
        return _manifest(said)
    except (ValueError, KeyError, TypeError) as error:
        found = f"{folder / MANIFEST} ({' '.join(str(error).split())})"
        raise ReleaseError(
            "a release of this version of edge-toolkit", found, _AGAIN, code="release-invalid"
        ) from None


def check(folder: Path) -> None:
    """See to it that a folder holds what its name stands for, and nothing else.

    Raises:
        ReleaseError: it does not; the files are named.
    """
    folder = folder.resolve()
    try:
        content = (folder / SUMS).read_bytes()
        there = {path.name: path for path in folder.iterdir()}
    except OSError as error:
        found = f"{error.filename} ({error.strerror})"
        raise ReleaseError("a release folder", found, _AGAIN, code="release-unreadable") from None
    if release_id(content) != folder.name:
        raise _tampered(folder, [SUMS])
    lines = (line.partition("  ") for line in content.decode().splitlines())
    wanted = {name: digest for digest, _, name in lines}
    expected = {*wanted, SUMS, ENVIRONMENT}
    wrong = [name for name in there if name not in expected]
    wrong += [name for name, digest in wanted.items() if _digest(there.get(name)) != digest]
    if wrong:
        raise _tampered(folder, wrong)


def extract_models(name: str, content: bytes) -> dict[str, bytes]:
    """The TensorFlow Lite models of a file: of a bundle (.task, a zip) by member, else by "".

    Raises:
        ModelError: the bundle is damaged, or is none, or has no model in it.
    """
    if not name.endswith(".task"):
        return {"": content}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as bundle:
            found = {one: bundle.read(one) for one in bundle.namelist() if one.endswith(".tflite")}
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise ModelError(
            "a model bundle (.task)",
            f"{name}, which is damaged or not a .task file",
            "download it again",
            code="bundle-damaged",
        ) from None
    if not found:
        raise ModelError(
            "a model bundle (.task)",
            f"no .tflite in {name}",
            "download it again",
            code="bundle-without-model",
        )
    return found


def _manifest(said: dict[str, Any]) -> ReleaseManifest:
    proofs = tuple(GoldenCheck(**proof) for proof in said.pop("proofs"))
    run, extras = tuple(said.pop("run")), tuple(said.pop("extras"))
    return ReleaseManifest(**said, run=run, extras=extras, proofs=proofs)


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
