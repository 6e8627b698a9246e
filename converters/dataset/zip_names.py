"""File names in zips, whose encoding depends on the program that wrote them."""

import unicodedata
import zipfile
import zlib
from collections.abc import Iterator

_IS_UTF8 = 0x800
_UNICODE_PATH = 0x7075
_CODE_PAGES = ("cp437", "cp850")
"""Those of DOS, which Windows writes: the original one, and that of Western Europe."""


def zip_name(member: zipfile.ZipInfo) -> str:
    r"""Return a member's name as it was where the zip was made, with '/' between parts.

    Besides what the standard says (UTF-8 if a flag is set, else code page 437), zips contain UTF-8
    without the flag (macOS, old Info-ZIP), a field with the name in Unicode, other code pages, and
    backslashes (Windows).

    Sources: APPNOTE.TXT 6.3.10, sections 4.4.17, 4.6.9 and appendix D.

    >>> zip_name(zipfile.ZipInfo("photos\\cat\\1.jpg"))
    'photos/cat/1.jpg'
    """
    name = member.orig_filename.split("\0")[0]
    if not member.flag_bits & _IS_UTF8:
        raw = member.orig_filename.encode("cp437")
        name = _unicode_path(member.extra, raw) or _decode(raw.split(b"\0")[0])
    return name.replace("\\", "/")


def _unicode_path(extra: bytes, raw: bytes) -> str | None:
    for kind, field in _fields(extra):
        checksum, text = field[1:5], field[5:]
        if kind == _UNICODE_PATH and checksum == zlib.crc32(raw).to_bytes(4, "little"):
            return text.decode("utf-8", "replace")
    return None


def _fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    while len(extra) >= 4:
        size = int.from_bytes(extra[2:4], "little")
        yield int.from_bytes(extra[:2], "little"), extra[4 : 4 + size]
        extra = extra[4 + size :]


def _decode(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        names = [raw.decode(page) for page in _CODE_PAGES]
        return next((name for name in names if _is_plausible(name)), names[0])


def _is_plausible(name: str) -> bool:
    """Check that a name consists of letters and of what keyboards have, not of line drawings."""
    return all(
        character.isascii() or unicodedata.category(character)[0] in "LMN" for character in name
    )
