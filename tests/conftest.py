"""What all tests share: the data, a small generated data set, and the ``edge`` command."""

import contextlib
import gc
import io
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]

# Worker processes share the processors: with threads of their own they wait for each other.
for _library in ("OMP_NUM", "OPENBLAS_NUM", "TF_NUM_INTEROP", "TF_NUM_INTRAOP"):
    os.environ.setdefault(f"{_library}_THREADS", "1")

RunEdge = Callable[..., "subprocess.CompletedProcess[str]"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run leave out what an earlier one, of the same versions, has proven."""
    group = parser.getgroup("edge")
    group.addoption("--record-passed", metavar="FILE", help="write the tests that passed to FILE")
    group.addoption("--leave-out", metavar="FILE", help="leave out the tests listed in FILE")


class PassedTests:
    """Writes the names of the tests that passed, one per line, when the run ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.outcomes: dict[str, bool] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.outcomes[report.nodeid] = report.passed and self.outcomes.get(report.nodeid, True)

    def pytest_sessionfinish(self) -> None:
        passed = (name for name, success in self.outcomes.items() if success)
        self.path.write_text("".join(f"{name}\n" for name in passed), "utf-8")


def pytest_configure(config: pytest.Config) -> None:
    file = config.getoption("--record-passed")
    if file and "PYTEST_XDIST_WORKER" not in os.environ:  # the reports of all workers come here
        config.pluginmanager.register(PassedTests(Path(file).resolve()))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    file = config.getoption("--leave-out")
    if not file:
        return
    passed = set(Path(file).read_text("utf-8").splitlines())
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid in passed])
    items[:] = [item for item in items if item.nodeid not in passed]


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over the tests and modules, which stay to the end."""
    gc.freeze()


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real images and models; skips where it is absent."""
    named = os.environ.get("EDGE_TEST_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        if named:
            pytest.skip(f"real data: EDGE_TEST_DATA={named} is no folder")
        pytest.skip("real data: EDGE_TEST_DATA is not set")
    return folder.resolve()


@pytest.fixture(scope="session")
def seed() -> int:
    """The seed of data and models for tests that train, which pass with any: EDGE_TEST_SEED."""
    return int(os.environ.get("EDGE_TEST_SEED", "0"))


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the whole test run, which its worker processes share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session", autouse=True)
def cache_folder(run_folder: Path) -> Iterator[Path]:
    """A cache of the test run's own, so that no test finds or leaves anything at home."""
    folder = run_folder / "cache"
    folder.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGE_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session", autouse=True)
def all_known() -> Iterator[Callable[[str, str], bool]]:
    """Every model counts as known, so that not each is tried in a process; yields the real test."""
    from edge import known_models

    real = known_models.is_known
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(known_models, "is_known", lambda *_: True)
        yield real


@pytest.fixture
def none_known(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, all_known: Callable[[str, str], bool]
) -> Path:
    """Models are tried before they are run, as for a user; the path of the empty cache."""
    from edge import known_models

    folder = tmp_path / "empty-cache"
    monkeypatch.setenv("EDGE_CACHE", str(folder))
    monkeypatch.setattr(known_models, "_here", set())
    monkeypatch.setattr(known_models, "is_known", all_known)
    return folder


@pytest.fixture(scope="session")
def micro_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 3 classes with 24 generated images each; read it, never change it."""
    from micro import write_dataset

    folder = tmp_path_factory.mktemp("micro") / "shapes"
    write_dataset(folder)
    return folder


@pytest.fixture(scope="session")
def run_edge() -> RunEdge:
    """Run ``python -m edge ARGS`` as a user would, with stdout, stderr and exit code captured.

    Keyword arguments go to :func:`subprocess.run`.
    """

    def run(*args: object, **options: object) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "edge", *map(str, args)]
        defaults: dict[str, object] = {"capture_output": True, "text": True, "timeout": 600}
        return subprocess.run(command, check=False, **(defaults | options))  # type: ignore[call-overload,no-any-return]

    return run


@pytest.fixture(scope="session")
def run_here() -> RunEdge:
    """Run ``edge ARGS`` in this process, which imports TensorFlow once for all.

    ``cwd``: the folder to run in. What native code writes is not in ``stdout`` and ``stderr``: at
    least one test of a command has to use ``run_edge``.
    """

    def run(*args: object, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
        from edge import cli

        words = [str(arg) for arg in args]
        stdout, stderr = io.StringIO(), io.StringIO()
        with (
            contextlib.chdir(cwd or Path.cwd()),
            contextlib.redirect_stdout(stdout),
            contextlib.redirect_stderr(stderr),
            pytest.MonkeyPatch.context() as patch,
        ):
            patch.setattr(sys, "argv", ["edge", *words])
            code = cli.run(words)
        return subprocess.CompletedProcess(words, code, stdout.getvalue(), stderr.getvalue())

    return run


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Sum up the skipped tests: how many, for which reason."""
    skipped = terminalreporter.stats.get("skipped", [])
    if not skipped:
        return
    reasons: Counter[str] = Counter()
    for report in skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[reason.removeprefix("Skipped: ")] += 1
    terminalreporter.section(f"{len(skipped)} skipped, by reason")
    for reason, count in reasons.most_common():
        terminalreporter.line(f"{count:4d}  {reason}")
