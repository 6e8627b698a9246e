"""The records of sinks and sources, and everything that is derived from them."""

import subprocess
import sys
from pathlib import Path

import pytest
from errors import raises_code
from streams import ListedSource, ListingSink, MeanTask

import edge
import edge.sinks
import edge.sources
from boards.deploy import run_command
from edge.sinks import SINKS, SinkKind
from edge.sources import SOURCES, SourceKind
from edge.sources.source import SourceOptions
from edge.streaming.sink import StreamContext

ROOT = Path(__file__).resolve().parents[2]
EXTRAS = ROOT / "pyproject.toml"


def open_fake_sink(address: str, context: StreamContext) -> ListingSink:
    Path(address).write_text("open")
    return ListingSink()


def open_fake_source(address: str, options: SourceOptions) -> ListedSource:
    return ListedSource(range(1, 4) if address != "slow" else range(200), every=0.05)


FAKE_SINK = SinkKind(
    f"{__name__}:open_fake_sink", "fake:PATH", "a sink of a test", extra="mqtt", writes_file=True,
    suffixes=(".fake",),
)  # fmt: skip
FAKE_SOURCE = SourceKind(
    f"{__name__}:open_fake_source", "fake:PATH", "a source of a test", extra="track",
    recognizes=lambda uri: uri.endswith(".fake"), reads_file=True, system_packages=True,
)  # fmt: skip


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SINKS, "fake", FAKE_SINK)
    monkeypatch.setitem(SOURCES, "fake", FAKE_SOURCE)


@pytest.mark.parametrize("kind", [*SINKS.values(), *SOURCES.values()])
def test_each_record_is_complete(kind: SinkKind | SourceKind) -> None:
    """A target that exists, a line of help, and an extra that the distribution has."""
    import tomllib
    from importlib import import_module

    module, _, function = kind.target.partition(":")
    assert callable(getattr(import_module(module), function, None)), kind.target
    assert kind.usage
    assert kind.help
    extras = tomllib.loads(EXTRAS.read_text())["project"]["optional-dependencies"]
    assert kind.extra is None or kind.extra in extras


@pytest.mark.usefixtures("fakes")
def test_a_new_sink_is_opened_by_scheme_and_by_suffix(tmp_path: Path) -> None:
    for uri in (f"fake:{tmp_path / 'a'}", str(tmp_path / "b.fake")):
        done = edge.run(MeanTask(), "synthetic:64x48?frames=2", [uri], say=print)
        assert done.frames == 2
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b.fake"}


@pytest.mark.usefixtures("fakes")
def test_a_new_source_is_opened_by_scheme_and_by_suffix(tmp_path: Path) -> None:
    (tmp_path / "a.fake").touch()
    for uri in ("fake:anything", str(tmp_path / "a.fake")):
        assert edge.run(MeanTask(), uri, ["none"], say=print).frames == 3


@pytest.mark.usefixtures("fakes")
def test_files_of_a_new_sink_and_source_are_checked_for_conflicts(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with raises_code("output-path-conflict", found=f"--sink fake:{path}"):
        edge.run(MeanTask(), "synthetic:", [f"jsonl:{path}", f"fake:{path}"])
    with raises_code("output-path-conflict", found="--source fake:"):
        edge.run(MeanTask(), f"fake:{path}", [f"jsonl:{path}"])
    assert not path.exists()


def test_help_lists_new_sinks_and_sources() -> None:
    program = (
        "from edge.sinks import SINKS, SinkKind\n"
        "from edge.sources import SOURCES, SourceKind\n"
        "SINKS['fake'] = SinkKind('m:f', 'fakesink:PATH', 'a sink of a test')\n"
        "SOURCES['fake'] = SourceKind('m:f', 'fakesource:PATH', 'a source of a test')\n"
        "from edge.cli import run\n"
        "run(['demo', 'classify', '--help'])\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    lines = [" ".join(line.split()) for line in run.stdout.splitlines()]
    assert "fakesink:PATH a sink of a test" in lines
    assert "fakesource:PATH a source of a test" in lines
    assert max(map(len, run.stdout.splitlines())) <= 80


@pytest.mark.usefixtures("fakes")
def test_a_deployment_installs_what_a_new_sink_and_source_need() -> None:
    parsed = run_command.parse("demo classify --source fake:/x --sink fake:y --sink none")
    assert parsed.extras == ("mqtt", "track")
    assert parsed.system_packages


@pytest.mark.parametrize(
    ("heading", "rows"),
    [("source", edge.sources.source_table()), ("sink", edge.sinks.sink_table())],
)
def test_the_readme_lists_each_kind(heading: str, rows: list[tuple[str, str]]) -> None:
    table = [f"| {heading} | |", "|---|---|", *(f"| `{usage}` | {text} |" for usage, text in rows)]
    assert "\n".join(table) in (ROOT / "README.md").read_text()


def test_the_module_documentation_lists_each_kind() -> None:
    for module in (edge.sinks, edge.sources):
        kinds = {**SINKS} if module is edge.sinks else {**SOURCES}
        for kind in kinds.values():
            assert kind.usage in str(module.__doc__)
            assert kind.help in str(module.__doc__)


def test_the_page_names_a_new_source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for needed in ("starlette", "uvicorn", "websockets", "httpx"):
        pytest.importorskip(needed)
    import httpx
    import pages

    monkeypatch.setitem(SOURCES, "fake", FAKE_SOURCE)
    with pages.page(tmp_path, source="fake:slow") as page:
        assert httpx.get(f"{page.url}/api/state").json()["source"] == "listed"
