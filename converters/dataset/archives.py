"""Safe unpacking of zips and tars of images and their labels."""

import errno
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from converters.dataset.entries import FileTree, ImageEntry, image_entry, is_label_file
from converters.dataset.listing import file_name
from converters.dataset.zip_names import zip_name
from edge.errors import DatasetError
from edge.image_format import START, SUFFIXES
from edge.quantities import counted, size
from edge.system_files import is_system_path

MAX_FILES = 500_000
MAX_BYTES = 32 * 2**30
MAX_RATIO = 200
"""Compression ratio above which a file of more than ``RATIO_FROM`` bytes is an archive bomb."""

RATIO_FROM = 16 * 2**20
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Member:
    """A file or folder in an archive.

    ``name``: with '/' between parts; ``packed``: its bytes in the archive, or None in a tar, which
    is compressed as a whole; ``open``: returns its content, or None for a link or a device.
    """

    name: str
    size: int
    packed: int | None
    is_folder: bool
    open: Callable[[], IO[bytes]] | None


def is_archive(path: Path) -> bool:
    """Check for a zip or tar, by content."""
    return zipfile.is_zipfile(path) or tarfile.is_tarfile(path)


def unpack(archive: Path, workdir: Path) -> FileTree:
    """Unpack the images and files of labels of a zip or tar into ``workdir``; list the others.

    They are written under numbers, so no name in the archive reaches the file system. Hidden
    files and a system's own are skipped, links and devices are not followed. Names of empty
    folders end with a '/'.

    Raises:
        DatasetError: the archive is corrupt, encrypted, has paths that point outside, or would
            unpack to too much.
    """
    target = workdir / "unpacked"
    target.mkdir(parents=True, exist_ok=True)
    try:
        with _members(archive) as every:
            members = list(_checked(archive, every, workdir))
            return _extract(members, target)
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
    except Exception as error:  # zipfile, tarfile and their codecs raise various errors on damage
        raise _damaged(archive, error) from error


@contextmanager
def _members(archive: Path) -> Iterator[Iterator[Member]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            yield (_zip_member(archive, opened, member) for member in opened.infolist())
    else:
        with tarfile.open(archive) as packed:
            yield (_tar_member(packed, member) for member in packed)


def _zip_member(archive: Path, opened: zipfile.ZipFile, member: zipfile.ZipInfo) -> Member:
    if member.flag_bits & 0x1:
        raise DatasetError(
            "an unencrypted zip",
            f"the encrypted zip {archive}",
            "unpack it yourself and pass the folder",
            code="archive-encrypted",
        )
    name = zip_name(member)
    is_link = stat.S_ISLNK(member.external_attr >> 16)
    return Member(
        name,
        member.file_size,
        member.compress_size,
        name.endswith("/"),
        None if is_link else partial(opened.open, member),
    )


def _tar_member(opened: tarfile.TarFile, member: tarfile.TarInfo) -> Member:
    def content() -> IO[bytes]:
        file = opened.extractfile(member)
        assert file is not None  # it is a regular file
        return file

    regular = content if member.isreg() else None
    return Member(file_name(member.name), member.size, None, member.isdir(), regular)


def _checked(archive: Path, members: Iterator[Member], workdir: Path) -> Iterator[Member]:
    """Yield the members while names and sizes are plausible, before any is unpacked."""
    total = 0
    for count, member in enumerate(members, 1):
        _check_name(archive, member.name)
        packed = max(member.packed or 0, 1)
        if member.packed is not None and _is_bomb(member.size, packed):
            raise _too_large(archive, f"{member.name}, which unpacks to {size(member.size)}")
        total += member.size
        if count > MAX_FILES or total > MAX_BYTES or _is_bomb(total, archive.stat().st_size):
            raise _too_large(
                archive, f"at least {counted(count, 'file')} and {size(total)} unpacked"
            )
        yield member
    if total > shutil.disk_usage(workdir).free:
        raise _disk_full(archive, workdir)


def _is_bomb(size: int, packed: int) -> bool:
    return size > RATIO_FROM and size / packed > MAX_RATIO


def _check_name(archive: Path, name: str) -> None:
    if name.startswith("/") or ".." in PurePosixPath(name).parts or name[1:3] == ":/":
        raise DatasetError(
            "an archive whose file paths stay inside its folder",
            f"{name!r} in {archive}, which points outside",
            "don't trust this archive; create it again from the original folder",
            code="archive-unsafe-path",
        )


def _extract(members: list[Member], target: Path) -> FileTree:
    images: list[ImageEntry] = []
    others: list[str] = []
    labels: dict[str, Path] = {}
    folders: list[PurePosixPath] = []
    for member in members:
        path = PurePosixPath(member.name)
        if is_system_path(str(path)):
            continue
        if member.is_folder:
            folders.append(path)
            continue
        image = _unpack_image(member, str(path), target / f"{len(images):06d}")
        if image is not None:
            images.append(image)
            continue
        others.append(str(path))
        if member.open is not None and is_label_file(path.name):
            labels[str(path)] = target / f"labels-{len(labels):06d}"
            with member.open() as packed, labels[str(path)].open("wb") as unpacked:
                shutil.copyfileobj(packed, unpacked, _CHUNK)
    files = (PurePosixPath(name) for name in [*others, *(image.name for image in images)])
    filled = {parent for file in files for parent in file.parents}
    filled.update(parent for folder in folders for parent in folder.parents)
    empty = [f"{folder}/" for folder in folders if folder not in filled]
    return FileTree(images, others + empty, labels)


def _unpack_image(member: Member, name: str, target: Path) -> ImageEntry | None:
    """Unpack a member if it is an image, by name or content."""
    if member.open is None:
        return None
    suffix = PurePosixPath(name).suffix.lower()
    path = target.with_suffix(suffix) if suffix in SUFFIXES else target
    with member.open() as packed:
        start = packed.read(START)
        image = image_entry(name, path, lambda: start)
        if image is not None:
            with path.open("wb") as unpacked:
                unpacked.write(start)
                shutil.copyfileobj(packed, unpacked, _CHUNK)  # stops at the size that was checked
    return image


def _damaged(archive: Path, error: Exception) -> DatasetError:
    return DatasetError(
        "a valid zip or tar file",
        f"{archive}, which cannot be unpacked ({str(error)[:120]})",  # zipfile quotes any length
        "download or create it again",
        code="archive-unreadable",
    )


def _too_large(archive: Path, contents: str) -> DatasetError:
    return DatasetError(
        f"an archive of at most {counted(MAX_FILES, 'file')} and {size(MAX_BYTES)}",
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
