"""Safe unpacking of zips of class folders."""

import errno
import shutil
import stat
import zipfile
from pathlib import Path, PurePosixPath

from converters.dataset.folders import FolderEntry, is_image
from edge.errors import DatasetError
from edge.system_files import is_system_path

SUFFIXES = frozenset({".zip", ".tm"})
"""Suffixes of zips; ``.tm`` is a Teachable Machine project, which is a zip."""

MAX_FILES = 500_000
MAX_BYTES = 32 * 2**30
MAX_RATIO = 200
"""Compression ratio above which an image of more than ``RATIO_FROM`` bytes is a zip bomb."""

RATIO_FROM = 16 * 2**20
_CHUNK = 1 << 20


def unpack(archive: Path, workdir: Path) -> tuple[list[FolderEntry], list[str]]:
    """Unpack the images of a zip into ``workdir``, and list the other files.

    Images are written under numbers, so no name in the zip reaches the file system. Hidden
    files, a system's own and links are skipped.

    Raises:
        DatasetError: the zip is corrupt, encrypted, has paths that point outside, or would
            unpack to too much.
    """
    target = workdir / "unpacked"
    target.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [member for member in opened.infolist() if not member.is_dir()]
            _check(archive, members, workdir)
            visible = [member for member in members if not is_system_path(_name(member))]
            chosen = [m for m in visible if is_image(_name(m)) and not _is_link(m)]
            kept = {_name(member) for member in chosen}
            entries = [
                _extract(opened, member, target / f"{number:06d}{_suffix(member)}")
                for number, member in enumerate(chosen)
            ]
    except DatasetError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _disk_full(archive, workdir) from None
        if error.errno in (
            None,
            errno.EINVAL,
        ):  # bzip2's error for damage; a position before byte 0
            raise _damaged(archive, error) from error
        raise
    except Exception as error:  # zipfile and its codecs raise various errors on damage
        raise _damaged(archive, error) from error
    return entries, [_name(member) for member in visible if _name(member) not in kept]


def _check(archive: Path, members: list[zipfile.ZipInfo], workdir: Path) -> None:
    for member in members:
        _check_name(archive, member)
        if member.flag_bits & 0x1:
            raise DatasetError(
                "an unencrypted zip",
                f"the encrypted zip {archive}",
                "unpack it yourself and pass the folder",
                code="archive-encrypted",
            )
        packed = max(member.compress_size, 1)
        if member.file_size > RATIO_FROM and member.file_size / packed > MAX_RATIO:
            raise _too_large(
                archive, f"{_name(member)}, which unpacks to {member.file_size:,} bytes"
            )
    total = sum(member.file_size for member in members)
    if len(members) > MAX_FILES or total > MAX_BYTES:
        raise _too_large(archive, f"{len(members):,} files, {total:,} bytes unpacked")
    if total > shutil.disk_usage(workdir).free:
        raise _disk_full(archive, workdir)


def _check_name(archive: Path, member: zipfile.ZipInfo) -> None:
    name = _name(member)
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in parts or name[1:3] == ":/":
        raise DatasetError(
            "a zip whose file paths stay inside its folder",
            f"{member.filename!r} in {archive}, which points outside",
            "don't trust this zip; create it again from the original folder",
            code="archive-unsafe-path",
        )


def _extract(opened: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> FolderEntry:
    with opened.open(member) as packed, target.open("wb") as unpacked:
        shutil.copyfileobj(packed, unpacked, _CHUNK)  # stops at the size that was checked
    return FolderEntry(_name(member), target)


def _name(member: zipfile.ZipInfo) -> str:
    return member.filename.replace("\\", "/")


def _suffix(member: zipfile.ZipInfo) -> str:
    return PurePosixPath(_name(member)).suffix.lower()


def _is_link(member: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(member.external_attr >> 16)


def _damaged(archive: Path, error: Exception) -> DatasetError:
    return DatasetError(
        "a valid zip file",
        f"{archive}, which cannot be unpacked ({str(error)[:120]})",  # zipfile quotes any length
        "download or create it again",
        code="archive-unreadable",
    )


def _too_large(archive: Path, contents: str) -> DatasetError:
    return DatasetError(
        f"a zip of at most {MAX_FILES:,} files and {MAX_BYTES:,} bytes",
        f"{archive} with {contents}",
        "if you trust it, unpack it yourself and pass the folder",
        code="archive-too-large",
    )


def _disk_full(archive: Path, workdir: Path) -> DatasetError:
    return DatasetError(
        f"enough disk space to unpack {archive}",
        f"too little in {workdir.parent}",
        "free some space, or set TMPDIR to a folder on a larger disk",
        code="temp-space-too-small",
    )
