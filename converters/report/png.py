"""Drawings as PNG, by matplotlib."""

import io
import warnings
from typing import Any

from converters.report.drawing import LIGHT, PAPER, Bar, Drawing, Label, Marker, Polyline, outline

_DPI = 144


def to_png(drawing: Drawing) -> bytes:
    """Return a PNG in the page's light colors, two pixels a point.

    Characters that matplotlib's font lacks become boxes; see :func:`missing_glyphs`.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(drawing.width / 72, drawing.height / 72), facecolor=LIGHT[PAPER])
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, drawing.width), ylim=(0, drawing.height))
    axes.axis("off")
    for order, shape in enumerate(drawing.shapes):
        _draw(axes, shape, {"zorder": order})
    with io.BytesIO() as file, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        figure.savefig(file, format="png", dpi=_DPI)
        return file.getvalue()


def missing_glyphs(text: str) -> str:
    """Return the characters of ``text`` that a PNG would show as empty boxes, each once."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    font = get_font(findfont(FontProperties(family=["sans-serif"])))
    return "".join(letter for letter in dict.fromkeys(text) if not font.get_char_index(ord(letter)))


def _draw(axes: Any, shape: Polyline | Bar | Marker | Label, order: dict[str, int]) -> None:
    color = LIGHT[shape.color]
    match shape:
        case Polyline():
            style: Any = (0, shape.dash) if shape.dash else "-"
            look = {"color": color, "linewidth": shape.width, "alpha": shape.opacity}
            axes.plot(*zip(*shape.points, strict=True), linestyle=style, **look, **order)
        case Bar():
            look = {"color": color, "alpha": shape.opacity}
            axes.bar(shape.left, shape.height, shape.width, shape.bottom, align="edge",
                     **look, **order)  # fmt: skip
        case Marker():
            inside = color if shape.filled else LIGHT[PAPER]
            corners = zip(*outline(shape), strict=True)
            axes.fill(*corners, facecolor=inside, edgecolor=color, linewidth=1, **order)
        case Label():
            align = {"start": "left", "middle": "center", "end": "right"}[shape.anchor]
            background = {"facecolor": LIGHT[PAPER], "edgecolor": "none", "pad": 0.5}
            axes.text(
                *shape.at, shape.text, color=color, fontsize=shape.size, ha=align,
                va="center" if shape.turned else "baseline", parse_math=False,
                fontweight="bold" if shape.bold else "normal",
                rotation=90 if shape.turned else 0, rotation_mode="default",
                bbox=background if shape.covering else None, **order,
            )  # fmt: skip
