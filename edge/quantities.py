"""Formatting of counts and sizes, the same in every output: decimal units, a noun in its number."""

_SPACE = "\N{NO-BREAK SPACE}"

_PLURALS = {"class": "classes", "box": "boxes", "person": "people", "entry": "entries"}
"""Nouns whose plural is not formed by an added "s"."""


def size(count: float) -> str:
    """Format bytes in decimal units.

    >>> [size(n).replace(chr(160), " ") for n in (812, 812_000, 2_712_345, 269e6, 1.9e9)]
    ['812 B', '812 kB', '2.7 MB', '269 MB', '1.9 GB']
    """
    for unit, name in ((1e9, "GB"), (1e6, "MB")):
        if count >= 0.9995 * unit:
            return f"{count / unit:.{1 if count < 99.95 * unit else 0}f}{_SPACE}{name}"
    if count >= 1000:
        return f"{count / 1e3:.0f}{_SPACE}kB"
    return f"{count:.0f}{_SPACE}B"


def counted(count: int, noun: str) -> str:
    """Format a count with its noun, which may be several words.

    >>> counted(1, "thread"), counted(1797, "test image"), counted(0, "class")
    ('1 thread', '1,797 test images', '0 classes')
    """
    return f"{count:,} {noun if count == 1 else plural(noun)}"


def plural(noun: str) -> str:
    """Return the plural of a noun.

    >>> plural("image"), plural("person"), plural("class")
    ('images', 'people', 'classes')
    """
    before, space, last = noun.rpartition(" ")
    return f"{before}{space}{_PLURALS.get(last, f'{last}s')}"
