"""A small, strict reader of YAML: names of classes, and the metadata of exporters.

It reads what data.yaml files and exporters contain: keys without indentation, whose value is a
scalar, a block of ``- item`` or ``key: value`` lines, or a collection in brackets, which may span
lines. JSON and Python's own notation of lists and dictionaries are such collections, too. Whatever
else YAML has (anchors, tags, block scalars, nested blocks) is refused where it is asked for, never
guessed. Scalars stay text as it is written: ``no`` is a name, not a truth value.
"""

import re
from dataclasses import dataclass
from typing import Any

MAX_DEPTH = 20
"""Nesting of collections in brackets; deeper ones are refused."""

MAX_ITEMS = 100_000
"""Items that are read of one file; more are refused."""

_KEY = re.compile(r"""("[^"]*"|'[^']*'|[^\s#"'\[\]{},&*!|>%@`-][^:#]{0,200}?)\s*:(?:\s+(.*))?$""")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"} | {c: c for c in "\"'\\/ "}
_REFUSED = tuple("&*!|>%@`")


class YamlError(ValueError):
    """Text that this reader does not understand; the message says what, with its line."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value that is not read yet: the rest of its key's line, and the lines below it."""

    inline: str
    lines: tuple[str, ...]

    def read(self) -> Any:
        """Return the value: text, a list, or a dictionary with text as keys.

        Raises:
            YamlError: it is written in a way that this reader does not understand.
        """
        if self.inline.startswith(("[", "{")):
            return read_collection("\n".join((self.inline, *self.lines)))
        if self.inline and not self.inline.startswith("#"):
            if self.lines:
                raise YamlError(f"a value of several lines, {self.inline[:40]!r}")
            return _scalar(self.inline)
        return _block(list(self.lines))


def read_keys(text: str) -> dict[str, Node]:
    """Return the values of a document's outermost keys, not yet read.

    Raises:
        YamlError: a line without indentation is no ``key: value``, or a key comes twice.
    """
    nodes: dict[str, tuple[str, list[str]]] = {}
    below: list[str] = []
    for line in _lines(text):
        if _is_blank(line) or (line == "---" and not nodes):
            continue
        if nodes and (line[0] in " \t]}" or line.startswith("- ")):
            below.append(line)
            continue
        match = _KEY.match(line)
        if match is None:
            raise YamlError(f"the line {line[:40]!r}")
        key, below = _unquoted(match[1]), []
        if key in nodes:
            raise YamlError(f"the key {key[:40]!r} twice")
        nodes[key] = (match[2] or "").strip(), below
    return {key: Node(inline, tuple(lines)) for key, (inline, lines) in nodes.items()}


def read_block(text: str) -> Any:
    """Return a document that is one block of ``- item`` or ``key: value`` lines.

    Raises:
        YamlError: it is something else.
    """
    return _block([line for line in _lines(text) if not _is_blank(line) and line != "---"])


def read_collection(text: str) -> Any:
    """Return a list or a dictionary in brackets, as YAML, JSON or Python write it.

    Raises:
        YamlError: it is something else, not closed, or followed by more text.
    """
    reader = _Collection(text)
    value = reader.value(0)
    reader.skip()
    if reader.at < len(text):
        raise YamlError(f"{text[reader.at : reader.at + 20]!r} after the closing bracket")
    return value


class _Collection:
    """Reads collections in brackets.

    ``at`` is the position of the next character, ``scalars`` the number of those read so far.
    """

    def __init__(self, text: str) -> None:
        self.text, self.at, self.scalars = text, 0, 0

    def skip(self) -> None:
        """Skip blanks and comments."""
        match = re.compile(r"(?:\s+|(?:(?<=\s)|^)#[^\n]*)*").match(self.text, self.at)
        self.at = match.end() if match else self.at

    def peek(self) -> str:
        """Return the next character that is neither blank nor of a comment; "" at the end."""
        self.skip()
        return self.text[self.at : self.at + 1]

    def value(self, depth: int) -> Any:
        """Read a list, a dictionary or a scalar."""
        opening = self.peek()
        if opening not in ("[", "{"):
            return self.scalar()
        if depth >= MAX_DEPTH:
            raise YamlError(f"collections in more than {MAX_DEPTH} levels")
        self.at += 1
        return self.items(depth + 1) if opening == "[" else self.entries(depth + 1)

    def items(self, depth: int) -> list[Any]:
        """Read the items of a list up to its bracket."""
        values = []
        while not self.closes("]"):
            values.append(self.value(depth))
            self.separator("]")
        return values

    def entries(self, depth: int) -> dict[str, Any]:
        """Read the entries of a dictionary up to its bracket."""
        values: dict[str, Any] = {}
        while not self.closes("}"):
            key = self.scalar()
            if self.peek() != ":":
                raise YamlError(f"no ':' after the key {key[:40]!r}")
            self.at += 1
            if key in values:
                raise YamlError(f"the key {key[:40]!r} twice")
            values[key] = self.value(depth)
            self.separator("}")
        return values

    def closes(self, bracket: str) -> bool:
        """Skip the closing bracket if it is next."""
        following = self.peek()
        if not following:
            raise YamlError(f"no closing {bracket!r}")
        self.at += following == bracket
        return following == bracket

    def separator(self, bracket: str) -> None:
        """Skip a comma; only the closing bracket may be there instead."""
        following = self.peek()
        if following == ",":
            self.at += 1
        elif following != bracket:
            raise YamlError(f"{self.text[self.at : self.at + 20]!r} in place of a comma")

    def scalar(self) -> str:
        """Read a quoted or plain scalar."""
        self.scalars += 1
        if self.scalars > MAX_ITEMS:
            raise YamlError(f"more than {MAX_ITEMS:,} items")
        quote = self.peek()
        if quote in ('"', "'"):
            text, self.at = _quoted(self.text, self.at)
            return text
        match = re.compile(r"(?:[^,\[\]{}:#\n]|:(?![\s,\[\]{}]|$)|(?<=\S)#)+").match(
            self.text, self.at
        )
        if match is None or match[0].startswith(_REFUSED):
            raise YamlError(f"{self.text[self.at : self.at + 20]!r} in place of a name")
        self.at = match.end()
        return match[0].strip()


def _block(lines: list[str]) -> Any:
    """Read lines of ``- item`` or ``key: value`` with one indentation."""
    if not 0 < len(lines) <= MAX_ITEMS:
        raise YamlError(f"more than {MAX_ITEMS:,} lines" if lines else "no value")
    margin = len(lines[0]) - len(lines[0].lstrip(" "))
    rest = [line[margin:] for line in lines]
    for line, text in zip(lines, rest, strict=True):
        if line[:margin].strip(" ") or text[:1] in (" ", "\t"):
            raise YamlError(f"a line of another indentation, {line.strip()[:40]!r}")
    if rest[0].startswith("-"):
        return [_item(text) for text in rest]
    values: dict[str, Any] = {}
    for text in rest:
        match = _KEY.match(text)
        if match is None or not match[2]:
            raise YamlError(f"the line {text[:40]!r}")
        key = _unquoted(match[1])
        if key in values:
            raise YamlError(f"the key {key[:40]!r} twice")
        values[key] = _value(match[2].strip())
    return values


def _item(text: str) -> Any:
    if not text.startswith("- ") or not text[2:].strip():
        raise YamlError(f"the line {text[:40]!r}")
    return _value(text[2:].strip())


def _value(text: str) -> Any:
    return read_collection(text) if text.startswith(("[", "{")) else _scalar(text)


def _scalar(text: str) -> str:
    """Read one scalar with the comment behind it."""
    if text[0] in "\"'":
        value, end = _quoted(text, 0)
        rest = text[end:]
        if rest.strip() and not re.match(r"\s+#", rest):
            raise YamlError(f"{rest.strip()[:40]!r} after a quoted name")
        return value
    plain = re.split(r"\s#", text, maxsplit=1)[0].strip()
    if text.startswith(("#", *_REFUSED)) or re.search(r":(\s|$)", plain):
        raise YamlError(f"the value {text[:40]!r}")
    return plain


def _quoted(text: str, start: int) -> tuple[str, int]:
    """Read a quoted scalar; return it and the position behind it."""
    pattern = r'"((?:[^"\\]|\\.)*)"' if text[start] == '"' else r"'((?:[^'\\]|'')*)'"
    match = re.compile(pattern, re.DOTALL).match(text, start)
    if match is None:
        raise YamlError(f"the quotes of {text[start : start + 40]!r}")
    if text[start] == "'":
        return match[1].replace("''", "'"), match.end()
    value = _ESCAPE.sub(_unescaped, match[1])
    try:  # JSON writes characters above U+FFFF as two escapes
        return value.encode("utf-16", "surrogatepass").decode("utf-16"), match.end()
    except UnicodeDecodeError:
        raise YamlError(f"half a character in {value[:40]!r}") from None


def _unescaped(match: "re.Match[str]") -> str:
    code = match[1]
    if code[0] in "xuU" and len(code) > 1:
        number = int(code[1:], 16)
        if number <= 0x10FFFF:
            return chr(number)
    elif code in _ESCAPES:
        return _ESCAPES[code]
    raise YamlError(f"the escape {match[0]!r}")


def _unquoted(key: str) -> str:
    return _quoted(key, 0)[0] if key[0] in "\"'" else key


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in re.split(r"\r\n|\r|\n", text)]


def _is_blank(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")
