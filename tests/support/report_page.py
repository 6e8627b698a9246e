"""A page of report.html as a reader gets it."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

from conversion import Conversion, render

from converters.report.build import build_report
from converters.report.model import Report

VOID = {"meta", "img", "br", "path", "use", "rect", "wbr"}


class Page(HTMLParser):
    """The page as read: every tag is closed in order, ids are unique, text is kept."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._sections: dict[str, list[str]] = {}
        self.feed(html)
        self.close()
        assert not self.open
        assert len(self.ids) == len(set(self.ids)), "an id occurs twice"
        self.text = re.sub(r"\s+", " ", "".join(self.words))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("h2", "h3") and "id" in dict(attrs):
            self._sections[dict(attrs)["id"] or ""] = []
        if tag in ("td", "th", "p", "li", "br", "dt", "dd", "figcaption", "small", "caption"):
            self._add(" ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id" and value]

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        if not {"style", "title"} & set(self.open):
            self._add(data)

    def _add(self, text: str) -> None:
        self.words.append(text)
        if self._sections:
            next(reversed(self._sections.values())).append(text)

    def images(self) -> list[str]:
        return [attrs["src"] or "" for tag, attrs in self.tags if tag == "img"]

    def section(self, name: str) -> str:
        """The text from the heading with the id ``name`` to the next heading with an id."""
        return re.sub(r"\s+", " ", "".join(self._sections[name]))

    def has_section(self, name: str) -> bool:
        return name in self._sections


def page_of(conversion: Conversion, change: Callable[[dict[str, Any]], None] | None = None) -> Page:
    """The page of a record after ``change`` was made to it."""
    stages = conversion.stages()
    record = build_report(**stages).to_dict()
    if change is not None:
        change(record)
    return Page(render(Report.from_dict(record), stages))
