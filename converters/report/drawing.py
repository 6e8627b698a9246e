"""Drawings of the report: shapes, as SVG in the colors of the page or in those of a file.

Positions and sizes are in points (1/72 inch), from the lower left corner.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import cos, pi, sin

INK, PAPER = "ink", "paper"
SERIES = ("series-1", "series-2", "series-3")
"""Names of the colors, which a palette maps to those of CSS."""

Palette = dict[str, str]

PAGE: Palette = {
    INK: "currentColor",
    PAPER: "var(--page)",
    **{name: f"var(--{name})" for name in SERIES},
}
"""The page's colors, which differ between light and dark mode."""

LIGHT: Palette = {
    INK: "#1d2327",
    PAPER: "#ffffff",
    **dict(zip(SERIES, ("#1f6f64", "#b4532a", "#4a5fb0"), strict=True)),
}
"""Colors of a drawing in its own file: those of the page in light mode."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Polyline:
    """A line through points; ``dash``: lengths of dash and gap, none for a whole line."""

    points: Sequence[Point]
    color: str = INK
    width: float = 1.0
    dash: tuple[float, float] | None = None
    opacity: float = 1.0


@dataclass(frozen=True, slots=True)
class Bar:
    """A filled rectangle."""

    left: float
    bottom: float
    width: float
    height: float
    color: str = INK
    opacity: float = 1.0


@dataclass(frozen=True, slots=True)
class Marker:
    """A mark of a point; ``shape``: a key of :data:`MARKERS`."""

    at: Point
    shape: str = "circle"
    color: str = INK
    filled: bool = True
    radius: float = 3.5


@dataclass(frozen=True, slots=True)
class Label:
    """A line of text.

    ``at``: its baseline's start, middle or end, as ``anchor`` says; ``turned``: it reads upward;
    ``covering``: it has a background.
    """

    at: Point
    text: str
    color: str = INK
    size: float = 10.0
    anchor: str = "start"
    bold: bool = False
    turned: bool = False
    covering: bool = False


Shape = Polyline | Bar | Marker | Label


@dataclass(frozen=True, slots=True)
class Drawing:
    """Shapes on a canvas, the last on top."""

    width: float
    height: float
    shapes: Sequence[Shape]


def _polygon(corners: int, start: float, size: float = 1.0) -> tuple[Point, ...]:
    angles = (pi * (start + 2 * corner / corners) for corner in range(corners))
    return tuple((size * cos(angle), size * sin(angle)) for angle in angles)


MARKERS: dict[str, tuple[Point, ...]] = {
    "circle": _polygon(24, 0),
    "square": _polygon(4, 0.25, 1.2),
    "triangle": _polygon(3, 0.5, 1.3),
    "diamond": _polygon(4, 0.5, 1.2),
    "upside-down triangle": _polygon(3, -0.5, 1.3),
    "pentagon": _polygon(5, 0.5, 1.15),
}
"""Outlines of radius 1."""


def text_width(text: str, size: float = 10.0, bold: bool = False) -> float:
    """Estimate the width of a text in a common sans-serif font, rather too wide than too narrow."""
    widths = (1.05 if _is_wide(c) else _WIDTHS.get(c, 0.7 if c.isupper() else 0.6) for c in text)
    return size * sum(widths) * (1.1 if bold else 1.0)


_WIDTHS = {**dict.fromkeys("ijlI.,:;'|!()[] -/ftr", 0.4), **dict.fromkeys("mwMW@%", 0.95)}


def _is_wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in "WF"


def to_svg(drawing: Drawing) -> str:
    """Return an ``<svg>`` in the colors and the font of the page."""
    return f'<svg viewBox="{_box(drawing)}">{_shapes(drawing, PAGE)}</svg>'


def to_svg_file(drawing: Drawing) -> str:
    """Return an SVG file in the page's light colors."""
    size = f'width="{drawing.width:g}pt" height="{drawing.height:g}pt"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{_box(drawing)}" {size} '
        f'font-family="sans-serif"><rect width="100%" height="100%" fill="{LIGHT[PAPER]}"/>'
        f"{_shapes(drawing, LIGHT)}</svg>\n"
    )


def _box(drawing: Drawing) -> str:
    return f"0 0 {drawing.width:g} {drawing.height:g}"


def _shapes(drawing: Drawing, palette: Palette) -> str:
    return "".join(_shape(shape, drawing.height, palette) for shape in drawing.shapes)


def _shape(shape: Shape, height: float, palette: Palette) -> str:
    color = palette[shape.color]
    match shape:
        case Polyline():
            dash = f' stroke-dasharray="{_numbers(*shape.dash)}"' if shape.dash else ""
            return (
                f'<polyline points="{_points(shape.points, height)}" fill="none" '
                f'stroke="{color}" stroke-width="{shape.width:g}"{dash}{_opacity(shape)}/>'
            )
        case Bar():
            top = height - shape.bottom - shape.height
            return (
                f'<rect x="{shape.left:.1f}" y="{top:.1f}" width="{shape.width:.1f}" '
                f'height="{shape.height:.1f}" fill="{color}"{_opacity(shape)}/>'
            )
        case Marker():
            fill = color if shape.filled else palette[PAPER]
            return (
                f'<polygon points="{_points(outline(shape), height)}" fill="{fill}" '
                f'stroke="{color}"/>'
            )
        case Label():
            return _background(shape, height, palette) + _text(shape, height, color)


def outline(marker: Marker) -> list[Point]:
    """Return the corners of a marker."""
    (x, y), radius = marker.at, marker.radius
    return [(x + radius * dx, y + radius * dy) for dx, dy in MARKERS[marker.shape]]


def _background(label: Label, height: float, palette: Palette) -> str:
    if not label.covering:
        return ""
    (x, y), width = label.at, text_width(label.text, label.size, label.bold)
    return (
        f'<rect x="{x:.1f}" y="{height - y - 0.8 * label.size:.1f}" width="{width:.1f}" '
        f'height="{label.size:.1f}" fill="{palette[PAPER]}"/>'
    )


def _text(label: Label, height: float, color: str) -> str:
    x, y = label.at[0], height - label.at[1]
    place = (
        f'transform="translate({_numbers(x, y)}) rotate(-90)"'
        if label.turned
        else (f'x="{x:.1f}" y="{y:.1f}"')
    )
    weight = ' font-weight="bold"' if label.bold else ""
    return (
        f'<text {place} fill="{color}" font-size="{label.size:g}" text-anchor="{label.anchor}"'
        f"{weight}>{escape(label.text)}</text>"
    )


def _opacity(shape: Polyline | Bar) -> str:
    return "" if shape.opacity == 1 else f' opacity="{shape.opacity:g}"'


def _points(points: Sequence[Point], height: float) -> str:
    return " ".join(_numbers(x, height - y, ",") for x, y in points)


def _numbers(first: float, second: float, between: str = " ") -> str:
    return f"{first:.1f}{between}{second:.1f}"
