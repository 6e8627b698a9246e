"""Formats of label files: text, CSV, JSON, YAML (``data.yaml``) and label maps (``.pbtxt``).

The content decides which one a file is, except for CSV and YAML, which plain text can look like.
A file that is none of them, or contradicts itself, is refused: a wrong name is worse than none.
"""

import codecs
import json
import re
from collections.abc import Mapping
from typing import Any

from edge.modelfile import small_yaml
from edge.modelfile.label_lines import (
    LabelFormatError,
    Labels,
    by_number,
    is_header,
    is_number,
    name_of,
    number_of,
    numbers,
    split_lines,
    table,
    unnumbered,
)
from edge.modelfile.small_yaml import YamlError
from edge.quantities import counted

MAX_LABELS, MAX_LINE = 100_000, 1000
"""Lines of labels, and characters in one; what is longer is another kind of file."""


def parse(text: str, suffix: str) -> Labels:
    """Return the labels of a file's text, by class index; () where it is empty.

    Args:
        text: The content.
        suffix: Of the file name, in lower case, such as ``.txt``.

    Raises:
        LabelFormatError: it is no file of labels, or contradicts itself.
    """
    start = text.lstrip()
    _check_kind(start, suffix)
    try:
        if start.startswith(("{", "[")) and not (suffix == ".txt" and _BRACKETED.match(start)):
            return from_value(_collection(start))
        if _ITEM.match(text):
            return _label_map(text)
        if suffix in (".yaml", ".yml") or (suffix != ".csv" and _NAMES.search(text)):
            return _yaml(text)
    except YamlError as error:
        raise LabelFormatError(f"is not understood ({error})") from None
    lines = [line for line in split_lines(text) if line]
    if len(lines) > MAX_LABELS or any(len(line) > MAX_LINE for line in lines):
        raise LabelFormatError(
            f"has more than {MAX_LABELS:,} lines, or lines of more than {MAX_LINE:,} characters"
        )
    if not lines:
        return ()
    if suffix in (".csv", ".tsv") or is_header(lines):
        return table(lines, "\t" if suffix == ".tsv" else None)
    return unnumbered(lines)


_BRACKETED = re.compile(r"\[[^\[\]{}\"',]*\][ \t]*[\r\n]+[ \t]*[^\s,\]]")  # such as "[unused]"
_NAMES = re.compile(r"^[\"']?names[\"']?:[ \t]*(#.*)?($|[\[{])", re.MULTILINE)
_OTHER_SUFFIXES = (
    ".toml", ".ini", ".cfg", ".conf", ".xml", ".html", ".htm", ".py", ".md", ".data", ".tflite",
)  # fmt: skip


def _check_kind(start: str, suffix: str) -> None:
    if start.startswith("version https://git-lfs.github.com/spec/"):
        raise LabelFormatError("is a pointer of Git LFS, not the file: get it with 'git lfs pull'")
    if re.match(r"<(!doctype html|html|head|\?xml|!--|svg|annotation)", start, re.IGNORECASE):
        raise LabelFormatError("is a web page or XML: download the file itself")
    if suffix in _OTHER_SUFFIXES:
        raise LabelFormatError(f"is a {suffix} file")


def _collection(text: str) -> Any:
    """Read JSON, else what YAML and Python write in brackets."""
    try:
        return json.loads(
            text, object_pairs_hook=_unique, parse_int=str, parse_float=str, parse_constant=str
        )
    except RecursionError:
        raise LabelFormatError("is nested too deeply") from None
    except json.JSONDecodeError:
        return small_yaml.read_collection(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise LabelFormatError("has a key twice")
    return values


_WRAPPERS = ("names", "labels", "classes", "class_names", "id2label", "categories")
"""Keys of files that hold more than the names."""


def from_value(value: Any) -> Labels:
    """Return the labels of a list, of a mapping from or to numbers, or of a key with these.

    Raises:
        LabelFormatError: it is something else, or contradicts itself.
    """
    if not isinstance(value, Mapping):
        return _names_of(value)
    wrapped = {key: value[key] for key in _WRAPPERS if isinstance(value.get(key), (list, dict))}
    if not wrapped:
        return _names_of(value)
    readings = set(map(_names_of, wrapped.values()))
    if len(readings) > 1:
        raise LabelFormatError(f"has different names under {' and '.join(wrapped)}")
    return _counted(readings.pop(), value.get("nc"))


def _names_of(value: Any) -> Labels:
    if isinstance(value, list):
        return _from_list(value)
    if not isinstance(value, Mapping) or not value:
        raise LabelFormatError("has no names")
    keys, values = numbers(value.keys()), numbers(value.values())
    if keys is not None and values is not None and keys != values:
        raise LabelFormatError("maps numbers to numbers")
    if keys is not None:
        return by_number(zip(keys, map(name_of, value.values()), strict=True))
    if values is not None:
        return by_number(zip(values, map(name_of, value.keys()), strict=True))
    raise LabelFormatError("maps neither numbers to names nor names to numbers")


def _from_list(items: list[Any]) -> Labels:
    if not all(isinstance(item, Mapping) for item in items):
        return tuple(map(name_of, items))
    names = [
        name_of(next((item[key] for key in _NAME_KEYS if item.get(key)), None)) for item in items
    ]
    keys = [key for key in ("id", "index", "class_id") if any(key in item for item in items)]
    if not keys:
        return tuple(names)
    return by_number(zip((number_of(item.get(keys[0])) for item in items), names, strict=True))


_NAME_KEYS = ("display_name", "name", "label", "class")


def _counted(names: Labels, count: Any) -> Labels:
    """Return the names if there are ``count``, a number as text where the file has one."""
    if isinstance(count, str) and is_number(count) and int(count) != len(names):
        raise LabelFormatError(f"has {counted(len(names), 'name')}, and says nc: {count}")
    return names


def _yaml(text: str) -> Labels:
    try:
        nodes = small_yaml.read_keys(text)
    except YamlError:
        if _NAMES.search(text):
            raise
        return from_value(small_yaml.read_block(text))
    wrapped = {key: nodes[key].read() for key in _WRAPPERS if key in nodes}
    if not wrapped:
        return from_value(small_yaml.read_block(text))
    if "nc" in nodes:
        wrapped["nc"] = nodes["nc"].read()
    return from_value(wrapped)


_ITEM = re.compile(r"(?:\s|#[^\n]*\n)*item\s*:?\s*[{<]")
_TOKEN = re.compile(
    r"""\s+|\#[^\n]*|(?P<word>[A-Za-z_]\w*)|(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
    r"""|(?P<number>-?[\d.][\w.+-]*)|(?P<mark>[{}<>:,;\[\]])"""
)


def _label_map(text: str) -> Labels:
    """Read a label map of TensorFlow's Object Detection API, whose numbers begin with 1."""
    tokens = _tokens(text)
    pairs, at = [], 0
    while at < len(tokens):
        if tokens[at] != ("word", "item"):
            raise LabelFormatError(f"has {tokens[at][1]!r} in place of 'item'")
        at += 2 if tokens[at + 1 : at + 2] == [("mark", ":")] else 1
        item, at = _message(tokens, at)
        name = item.get("display_name") or item.get("name")
        pairs.append((number_of(item.get("id")), name_of(name)))
    return by_number(pairs, first=min(1, *(number for number, _ in pairs)))


def _tokens(text: str) -> list[tuple[str, str]]:
    """Split the text format of protocol buffers; texts are unquoted."""
    tokens, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise LabelFormatError(f"is not understood from {text[at : at + 20]!r} on")
        if match.lastgroup == "text":
            tokens.append(("text", _unescaped(match[0][1:-1])))
        elif match.lastgroup is not None:
            tokens.append((match.lastgroup, match[0]))
        at = match.end()
    return tokens


def _unescaped(text: str) -> str:
    """Return a text without escapes, which are those of C and stand for bytes of UTF-8."""
    try:
        return codecs.escape_decode(text.encode())[0].decode()
    except (ValueError, UnicodeDecodeError):
        raise LabelFormatError(f"has an unknown escape in {text[:40]!r}") from None


def _message(tokens: list[tuple[str, str]], at: int) -> tuple[dict[str, str], int]:
    """Read one message's own fields from its bracket on; return them and the position behind."""
    fields: dict[str, str] = {}
    depth = 0
    for position in range(at, len(tokens)):
        kind, value = tokens[position]
        if kind == "mark" and value in "{<":
            depth += 1
        elif kind == "mark" and value in "}>":
            depth -= 1
            if depth == 0:
                return fields, position + 1
        elif depth == 0:
            break
        elif depth == 1 and kind in ("text", "number") and position >= 2:
            name, colon = tokens[position - 2], tokens[position - 1]
            if name[0] == "word" and colon == ("mark", ":"):
                if name[1] in fields:
                    raise LabelFormatError(f"has two values of {name[1]} in an item")
                fields[name[1]] = value
    raise LabelFormatError("has an item that is not closed")
