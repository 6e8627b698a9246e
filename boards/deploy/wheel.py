"""The wheel of edge-toolkit itself, rebuilt from the copy installed here.

So a board gets exactly the version that its release was built with, whether that came from an
index or a checkout, or was modified. Format: PyPA's "Binary distribution format".
"""

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata, util
from pathlib import Path

from edge.errors import BoardError
from edge.installation import DISTRIBUTION, install_command

_DATE = (1980, 1, 1, 0, 0, 0)
_SKIPPED = ("__pycache__", ".")
_METADATA_FILES = ("METADATA", "entry_points.txt", "top_level.txt", "licenses/LICENSE")
_TAG = "py3-none-any"


@dataclass(frozen=True, slots=True)
class OwnWheel:
    """A wheel; the same sources give the same bytes."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """SHA-256 of the wheel."""
        return hashlib.sha256(self.content).hexdigest()


@cache
def build_own_wheel() -> OwnWheel:
    """Build the wheel of this edge-toolkit.

    Raises:
        BoardError: edge-toolkit is not installed as a package.
    """
    # A checkout on the path may contain build leftovers, which have no METADATA.
    distributions = [
        distribution
        for distribution in metadata.distributions(name=DISTRIBUTION)
        if distribution.read_text("METADATA")
    ]
    if not distributions:
        raise BoardError(
            "edge-toolkit as an installed package",
            "only its sources",
            install_command(),
            code="toolkit-not-installed",
        )
    installed = distributions[0]
    stem = f"{DISTRIBUTION.replace('-', '_')}-{installed.version}"
    files = dict(_packages(installed)) | dict(_metadata(installed, f"{stem}.dist-info"))
    files[f"{stem}.dist-info/RECORD"] = _record(files, f"{stem}.dist-info/RECORD")
    return OwnWheel(f"{stem}-{_TAG}.whl", _zip(files))


def requirements() -> tuple[str, ...]:
    """Return the requirements of edge-toolkit with markers, from its metadata."""
    return tuple(metadata.requires(DISTRIBUTION) or ())


def _packages(installed: metadata.Distribution) -> Iterator[tuple[str, bytes]]:
    for name in (installed.read_text("top_level.txt") or "").split():
        spec = util.find_spec(name)
        if spec is None or spec.origin is None:
            continue
        folder = Path(spec.origin).parent
        for path in sorted(folder.rglob("*")):
            relative = path.relative_to(folder.parent)
            if path.is_file() and not any(part.startswith(_SKIPPED) for part in relative.parts):
                yield relative.as_posix(), path.read_bytes()


def _metadata(installed: metadata.Distribution, folder: str) -> Iterator[tuple[str, bytes]]:
    for name in _METADATA_FILES:
        text = installed.read_text(name)
        if text is not None:
            yield f"{folder}/{name}", text.encode()
    yield (
        f"{folder}/WHEEL",
        (
            f"Wheel-Version: 1.0\nGenerator: edge deploy\nRoot-Is-Purelib: true\nTag: {_TAG}\n"
        ).encode(),
    )


def _record(files: dict[str, bytes], own_name: str) -> bytes:
    lines = []
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(content)}\n")
    return "".join([*lines, f"{own_name},,\n"]).encode()


def _zip(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, _DATE)
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return content.getvalue()
