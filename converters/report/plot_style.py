"""What the drawings have in common: their colors, their style, and how they become SVG."""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Palette:
    """Colors as matplotlib takes them: of text and axes, behind all, and of the series."""

    ink: str
    paper: str
    series: tuple[str, str, str]


PAGE = Palette("#010203", "#010401", ("#010a01", "#010b01", "#010c01"))
"""Stand-ins for the page's colors, which differ by light and dark."""

PAPER = Palette("#1d2327", "#ffffff", ("#1f6f64", "#b4532a", "#4a5fb0"))
"""For a file of its own: the colors of the page when it is light."""


@contextmanager
def style(palette: Palette, key: str) -> Iterator[None]:
    """Draw and save within this: text stays text, nothing is random.

    Letters that matplotlib's font lacks are no matter, as a reader of SVG has fonts of his own; for
    other files see :func:`missing_letters`.

    Args:
        palette: colors of text and axes.
        key: makes the ids of a drawing repeatable.
    """
    from matplotlib import rc_context

    settings: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": key,
        "font.family": "sans-serif",
        "font.size": 10,
        "text.color": palette.ink,
        "axes.edgecolor": palette.ink,
        "axes.labelcolor": palette.ink,
        "xtick.color": palette.ink,
        "ytick.color": palette.ink,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.facecolor": palette.paper,
        "figure.facecolor": palette.paper,
        "savefig.facecolor": palette.paper,
        "text.parse_math": False,
    }
    with rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        yield


def missing_letters(text: str) -> str:
    """The letters of ``text`` that a drawing in pixels shows as empty boxes, each once."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    font = get_font(findfont(FontProperties(family=["sans-serif"])))
    return "".join(letter for letter in dict.fromkeys(text) if not font.get_char_index(ord(letter)))


def for_the_page(figure: "Figure", key: str) -> str:
    """An ``<svg>`` in the colors of the page, without addresses of its own.

    Args:
        figure: drawn within ``style(PAGE, key)``, where this is called, too.
        key: prefix of the ids, so that several drawings can be on one page.
    """
    with io.StringIO() as file:
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
        svg = file.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r' xmlns(:xlink)?="[^"]*"', "", svg)
    svg = re.sub(r'^<svg [^>]*?viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1">', svg)
    svg = re.sub(r' id="([^"]*)"', rf' id="{key}-\1"', svg)
    svg = re.sub(r"url\(#", f"url(#{key}-", svg)
    svg = re.sub(r'xlink:href="#', f'href="#{key}-', svg)
    svg = svg.replace(PAGE.ink, "currentColor").replace(PAGE.paper, "var(--page)")
    for place, stand_in in enumerate(PAGE.series, 1):
        svg = svg.replace(stand_in, f"var(--series-{place})")
    return svg
