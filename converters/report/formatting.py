"""Formatting of numbers with their units, for the terminal and the page."""

from edge.quantities import counted, size

__all__ = [
    "interval", "milliseconds", "number", "operations", "percent", "points", "quantiles", "ratio",
    "sentence", "size",
]  # fmt: skip

number = counted

_SPACE = "\N{NO-BREAK SPACE}"
_ALMOST_ALL = 99.95  # percent from which one decimal would round up to 100


def percent(share: float) -> str:
    """Format a share (0–1) as a percentage with one decimal; exactly 1 only as 100.

    >>> percent(0.9722).replace(chr(160), " "), percent(1).replace(chr(160), " ")
    ('97.2 %', '100 %')
    """
    return f"{_bare_percent(share)}{_SPACE}%"


def heading(metric: str) -> str:
    """Start a heading with the name of a metric.

    >>> heading("accuracy"), heading("mAP50")
    ('Accuracy', 'mAP50')
    """
    return metric.capitalize() if metric.islower() else metric


def interval(bounds: tuple[float, float] | list[float]) -> str:
    """Format two shares (0–1) as a range of percentages.

    >>> interval((0.931, 0.9892))
    '93.1–98.9'
    """
    return "–".join(_bare_percent(bound) for bound in bounds)


def _bare_percent(share: float) -> str:
    points = 100 * share
    if points in (0, 100):
        return f"{points:.0f}"
    if points >= _ALMOST_ALL:
        return ">99.9"
    return f"{points:.1f}"


def operations(count: float) -> str:
    """Format multiply-adds in thousands, millions or billions.

    >>> [operations(n).replace(chr(160), " ") for n in (300_774_272, 7_512_000, 1_250_000_000)]
    ['301 M', '7.5 M', '1.2 G']
    """
    for unit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= 0.9995 * unit:
            return f"{count / unit:.{1 if count < 9.95 * unit else 0}f}{_SPACE}{letter}"
    return f"{count:.0f}"


def ratio(value: float, baseline: float) -> str:
    """Format a value as a multiple of the baseline; empty where the baseline is 0.

    >>> ratio(0.9, 1.8), ratio(66.0, 3.3), ratio(1.0, 0.0)
    ('0.50×', '20×', '')
    """
    if not baseline:
        return ""
    times = value / baseline
    return f"{times:.{2 if times < 9.95 else 0}f}×"


def points(share: float, baseline: float) -> str:
    """Format the difference of two shares (0–1) in percentage points.

    >>> points(0.958, 0.972), points(0.972, 0.958), points(0.5, 0.5)
    ('−1.4', '+1.4', '±0.0')
    """
    distance = round(100 * (share - baseline), 1)
    sign = "±" if distance == 0 else "+" if distance > 0 else "−"
    return f"{sign}{abs(distance):.1f}"


def milliseconds(value: float) -> str:
    """Format milliseconds with the significant decimals.

    >>> milliseconds(3.42).replace(chr(160), " "), milliseconds(0.317).replace(chr(160), " ")
    ('3.4 ms', '0.32 ms')
    """
    return f"{value:.{_decimals(value)}f}{_SPACE}ms"


def quantiles(p50: float, p95: float) -> str:
    """Format two times in milliseconds, with the decimals of the first.

    >>> quantiles(3.42, 10.1).replace(chr(160), " "), quantiles(0.317, 0.4).replace(chr(160), " ")
    ('3.4 / 10.1 ms', '0.32 / 0.40 ms')
    """
    decimals = _decimals(p50)
    return f"{p50:.{decimals}f} / {p95:.{decimals}f}{_SPACE}ms"


def _decimals(milliseconds: float) -> int:
    return 2 if milliseconds < 1 else 1 if milliseconds < 100 else 0


def sentence(text: str) -> str:
    """Turn a clause into a sentence; a name at its start stays as it is.

    >>> sentence("no variant meets the limits")
    'No variant meets the limits.'
    >>> sentence("int8 was requested")
    'int8 was requested.'
    """
    first = text.split(" ", 1)[0]
    start = text[:1].upper() + text[1:] if first.isalpha() and first.islower() else text
    return f"{start.rstrip('.')}."
