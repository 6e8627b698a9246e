"""Installation: the origin of this copy of the toolkit, and the command that installs extras.

Every message that tells the user to install an extra takes its command from here: from where this
copy came, so that it never brings somebody else's package or another version. Reference: PEP 610,
"Recording the Direct URL Origin of installed distributions".
"""

import json
import shlex
import shutil
import sys
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from urllib.request import url2pathname

from edge.version import __version__

DISTRIBUTION = "edge-vision-toolkit"
"""Name of the distribution on a package index; the command is ``edge``."""

WHEEL = f"{DISTRIBUTION.replace('-', '_')}-{__version__}-py3-none-any.whl"
"""File name of the wheel of this version."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Origin of this copy of the toolkit.

    Attributes:
        kind: "index", "folder", "file" (a wheel or source archive on this machine) or "url".
        location: The folder or file as a path, the URL as pip takes it; "" for an index.
        editable: The code runs in the folder itself.
    """

    kind: Literal["index", "folder", "file", "url"]
    location: str = ""
    editable: bool = False


@dataclass(frozen=True, slots=True)
class BoardSource:
    """Source from which another machine installs this copy, all quoted for a shell.

    Attributes:
        requirement: What follows ``pip install`` there, in the folder that holds the file.
        file: Path of the file here that has to be copied there; "" where it can be downloaded.
        build: The command that makes the file in the working folder; "" where it is there.
    """

    requirement: str
    file: str = ""
    build: str = ""


def install_command(*extras: str) -> str:
    """Return the shell command that installs the toolkit with ``extras`` here.

    Args:
        extras: Names such as ``"web"``; none for the base alone.
    """
    return f"{_installer()} {requirement(*extras)}"


def requirement(*extras: str) -> str:
    """Return what follows ``pip install`` on this machine, quoted for a shell."""
    source = origin()
    suffix = f"[{','.join(extras)}]" if extras else ""
    if source.kind == "folder":
        folder = "." if Path(source.location) == Path.cwd() else source.location
        argument = shlex.quote(folder + suffix)
        return f"-e {argument}" if source.editable else argument
    if source.kind == "index":
        return shlex.quote(DISTRIBUTION + suffix)
    url = Path(source.location).as_uri() if source.kind == "file" else source.location
    return shlex.quote(f"{DISTRIBUTION}{suffix} @ {url}")


def board_source() -> BoardSource:
    """Return what another machine installs this copy from."""
    source = origin()
    if source.kind == "folder":
        folder = shlex.quote(source.location)
        pip = _pip()
        build = f"{pip} wheel --no-deps {folder}" if pip else f"uv build --wheel -o . {folder}"
        return BoardSource(f"./{WHEEL}", f"./{WHEEL}", build)
    if source.kind == "file":
        path = Path(source.location)
        return BoardSource(shlex.quote(f"./{path.name}"), shlex.quote(str(path)))
    return BoardSource(shlex.quote(source.location or DISTRIBUTION))


def origin() -> Origin:
    """Return where this copy was installed from, read again at each call.

    A folder or file that no longer exists cannot be installed from: then it is the index.
    """
    root = Path(__file__).resolve().parents[1]
    if _is_checkout(root):
        return Origin("folder", str(root), editable=True)
    with suppress(metadata.PackageNotFoundError, ValueError, KeyError, TypeError):
        text = metadata.distribution(DISTRIBUTION).read_text("direct_url.json")
        if text is not None:
            return _read_direct_url(json.loads(text))
    return Origin("index")


def _read_direct_url(record: dict[str, Any]) -> Origin:
    """Return the origin that a ``direct_url.json`` records.

    Raises:
        ValueError, KeyError, TypeError: It is not valid.
    """
    url: str = record["url"]
    parts = urlsplit(url)
    subdirectory = f"#subdirectory={record['subdirectory']}" if "subdirectory" in record else ""
    if "vcs_info" in record:
        vcs = record["vcs_info"]
        return Origin("url", f"{vcs['vcs']}+{url}@{vcs['commit_id']}{subdirectory}")
    if parts.scheme != "file":
        return Origin("url", url + subdirectory)
    path = Path(url2pathname(parts.path))
    if path.is_dir():
        folder = path / record.get("subdirectory", "")
        return Origin("folder", str(folder), bool(record.get("dir_info", {}).get("editable")))
    if not path.is_file():
        return Origin("index")
    return Origin("url", url + subdirectory) if subdirectory else Origin("file", str(path))


def _is_checkout(root: Path) -> bool:
    """Return whether the packages lie in a copy of the sources, and not in ``site-packages``."""
    with suppress(OSError):
        return f'name = "{DISTRIBUTION}"' in (root / "pyproject.toml").read_text(errors="replace")
    return False


def _installer() -> str:
    """Return the install command of the environment that runs."""
    pip = _pip()
    return f"{pip} install" if pip else f"uv pip install --python {shlex.quote(sys.executable)}"


def _pip() -> str:
    """Return the command that runs this environment's pip, "" where it has none."""
    if util.find_spec("pip") is None:  # as in environments of uv
        return ""
    path = shutil.which("pip")
    if path is not None and Path(path).parent == Path(sys.executable).parent:
        return "pip"
    return f"{shlex.quote(sys.executable)} -m pip"
