"""Templates are compiled once; a cache that is damaged or cannot be written changes nothing."""

from pathlib import Path

import pytest
from conversion import Conversion
from jinja2 import Environment

from converters.report.template_cache import TemplateCache


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGE_CACHE", str(tmp_path))
    return tmp_path / "templates"


def test_a_page_is_compiled_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Conversion().page()
    assert list(folder.iterdir())
    monkeypatch.setattr(Environment, "_generate", None)  # what compiles a template
    assert Conversion().page() == page


def test_a_damaged_template_is_compiled_again(folder: Path) -> None:
    page = Conversion().page()
    for number, path in enumerate(sorted(folder.iterdir())):
        path.write_bytes(path.read_bytes()[:40] if number % 2 else b"j2 and nothing of it")
    assert Conversion().page() == page


def test_a_folder_that_cannot_be_made_costs_nothing_but_time(folder: Path) -> None:
    folder.write_text("a file in its place")
    assert Conversion().page()
    assert TemplateCache()
