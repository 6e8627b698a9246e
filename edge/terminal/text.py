"""Texts out of files and programs, such as a model's name, on their way to the terminal."""


def printable(text: str) -> str:
    """The text with a space for each character that would steer the terminal.

    >>> printable("a\\x1b[2Jb")
    'a [2Jb'
    """
    return "".join(letter if letter.isprintable() else " " for letter in text)
