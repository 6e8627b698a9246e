"""Text formatting for the terminal."""

from collections.abc import Sequence


def printable(text: str) -> str:
    r"""Replace each character that would control the terminal with a space.

    >>> printable("a\x1b[2Jb")
    'a [2Jb'
    """
    return "".join(letter if letter.isprintable() else " " for letter in text)


def two_columns(rows: Sequence[tuple[str, str]], indent: str = "") -> str:
    """Return a line for each pair, with the second column aligned.

    >>> print(two_columns([("a", "first"), ("long", "second")]))
    a     first
    long  second
    """
    width = max((len(left) for left, _ in rows), default=0)
    return "\n".join(f"{indent}{left:<{width}}  {right}" for left, right in rows)
