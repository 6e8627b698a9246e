"""Bounded reading of files of labels, which come from strangers: text, JSON and XML."""

import json
import math
from pathlib import Path
from typing import Any, NoReturn
from xml.etree import ElementTree

from edge.errors import DatasetError
from edge.quantities import size

MAX_JSON = 1 << 30
"""Bytes of a JSON file; the largest of COCO has half of them."""

MAX_TABLE = 1 << 28
"""Bytes of a table or list."""

MAX_OF_IMAGE = 1 << 22
"""Bytes of a file with the labels of one image."""

_MAX_DEPTH = 32
"""Nesting of XML elements."""


def read_bytes(path: Path, name: str, limit: int) -> bytes:
    """Read a regular file of at most ``limit`` bytes.

    Args:
        path: of the file.
        name: for errors.
        limit: in bytes.

    Raises:
        DatasetError: it is none, is larger, or cannot be read.
    """
    try:
        if not path.is_file():
            raise _error(name, "which is no regular file", "label-file-not-regular")
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        reason = f"which cannot be read ({(error.strerror or str(error)).lower()})"
        raise _error(name, reason, "label-file-unreadable") from None
    if len(data) > limit:
        raise _error(name, f"which is larger than {size(limit)}", "label-file-too-large")
    return data


def peek(path: Path, start: int, end: int = 0) -> bytes:
    """Return the first ``start`` and last ``end`` bytes of a regular file; none where it is none.

    It is for telling formats apart, and fails at nothing: who reads the file reports what is wrong.
    """
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            data = file.read(start)
            if end:
                file.seek(max(start, path.stat().st_size - end))
                data += file.read()
    except OSError:
        return b""
    return data


def read_text(path: Path, name: str, limit: int) -> str:
    """Read a text file in UTF-8, or in UTF-16 with a byte order mark.

    Raises:
        DatasetError: as :func:`read_bytes`, or it is in another encoding.
    """
    data = read_bytes(path, name, limit)
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise _error(name, "which is not text in UTF-8", "label-file-encoding")
    return text


def read_json(path: Path, name: str) -> Any:
    """Read a JSON file.

    Raises:
        DatasetError: as :func:`read_text`, or it is no JSON.
    """
    return parse_json(read_text(path, name, MAX_JSON), name)


def parse_json(text: str, name: str) -> Any:
    """Parse JSON; ``name`` says where it comes from, for errors.

    Raises:
        DatasetError: it is no JSON, or contains NaN or infinity.
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        reason = "it is nested too deeply"
    except ValueError as error:
        reason = str(error)[:120]
    raise _error(name, f"which is no valid JSON ({reason})", "label-json-invalid")


def read_xml(path: Path, name: str) -> ElementTree.Element:
    """Read an XML file without a document type, so that it has no entities of its own.

    Raises:
        DatasetError: as :func:`read_bytes`, or it is no XML, has a document type, or is nested too
            deeply.
    """
    data = read_bytes(path, name, MAX_OF_IMAGE)
    try:
        return ElementTree.XML(data, ElementTree.XMLParser(target=_PlainTree()))
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        reason = str(error)[:120]
        raise _error(name, f"which is no plain XML ({reason})", "label-xml-invalid") from None


def number(value: object) -> float | None:
    """Return a number of a file of labels, also written as text; None where it is none.

    >>> number("12.5"), number(3), number("nan"), number(True), number([1])
    (12.5, 3.0, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        result = float(value)
    except (ValueError, OverflowError):
        return None
    return result if math.isfinite(result) and abs(result) < 1e9 else None


class _PlainTree(ElementTree.TreeBuilder):
    """Builds a tree, and refuses document types and deep nesting."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = 0

    def doctype(self, *_: object) -> NoReturn:
        raise ValueError("it has a document type")

    def start(self, tag: Any, attrs: Any) -> Any:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise ValueError("it is nested too deeply")
        return super().start(tag, attrs)

    def end(self, tag: Any) -> Any:
        self.depth -= 1
        return super().end(tag)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"it contains {constant}")


def _error(name: str, problem: str, code: str) -> DatasetError:
    return DatasetError(
        "a readable file of labels", f"{name}, {problem}", "export the labels again", code=code
    )
