"""Steps of a run, and the estimates from earlier runs."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from converters import stages, steps
from converters.progress import SilentProgress, StepStatus
from converters.selection.plan import make_plan
from converters.selection.select import Limits
from converters.steps import Step, Steps

PLAN = (
    Step("intake", "finding the photos"),
    Step("audit", "reading the photos"),
    Step("train", "training", kind="train never"),
    Step("save", "saving", fixed=True),
)
SECONDS = {"intake": 1.0, "audit": 10.0, "train": 30.0, "save": 2.0}


class Recorder(SilentProgress):
    """Keeps the status of each step."""

    def __init__(self) -> None:
        self.shown: list[StepStatus] = []

    @contextmanager
    def step(self, status: StepStatus) -> Iterator[None]:
        self.shown.append(status)
        yield


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch):
    """Run PLAN on so many images; each stage takes its SECONDS, times ``slower``."""
    now = [0.0]
    monkeypatch.setattr(steps.time, "perf_counter", lambda: now[0])

    def once(images: int = 100, network: str = "small", slower: float = 1.0) -> list[StepStatus]:
        progress = Recorder()
        running = Steps(PLAN, progress)
        for step in PLAN:
            if step.stage == "audit":
                running.work_on(images, network)
            with running(step.stage):
                now[0] += slower * SECONDS[step.stage]
        running.remember()
        assert running.seconds() == {
            name: slower * s for name, s in {"total": sum(SECONDS.values()), **SECONDS}.items()
        }
        return progress.shown

    return once


def left(shown: list[StepStatus]) -> list[float | None]:
    return [status.seconds_left(0) for status in shown]


def test_the_first_run_has_no_estimate(run) -> None:
    shown = run()
    assert [(status.number, status.total) for status in shown] == [(n, 4) for n in (1, 2, 3, 4)]
    assert left(shown) == [None] * 4


def test_later_runs_are_estimated_by_the_images_once_these_are_counted(run) -> None:
    run()
    assert left(run(images=200)) == [None, 20 + 60 + 2, 60 + 2, 2]


def test_the_latest_run_counts(run) -> None:
    run()
    run(slower=3)
    assert left(run())[1:] == [126, 96, 6]


@pytest.mark.parametrize(("images", "network"), [(1000, "small"), (100, "large")])
def test_other_work_tells_nothing(run, images: int, network: str) -> None:
    run()
    assert left(run(images=images, network=network))[:3] == [None] * 3


def test_another_machine_with_the_same_home_tells_nothing(run, monkeypatch) -> None:
    run()
    monkeypatch.setattr(steps.platform, "node", lambda: "other")
    assert left(run()) == [None] * 4


@pytest.mark.parametrize("content", [b"[{", b"{}", b"[1]", b'[{"kind": "audit"}]', b"\xff"])
def test_a_damaged_file_counts_as_empty_and_is_replaced(run, cache: Path, content: bytes) -> None:
    run()
    (cache / steps.HISTORY_FILE).write_bytes(content)
    assert left(run()) == [None] * 4
    assert left(run())[1] is not None


def test_the_file_stays_small_and_nothing_is_left_beside_it(
    run, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "_KEPT", 7)
    for _ in range(5):
        run()
    assert len(json.loads((cache / steps.HISTORY_FILE).read_bytes())) == 7
    assert [path.name for path in cache.iterdir()] == [steps.HISTORY_FILE]


def test_a_run_does_not_fail_where_its_times_cannot_be_kept(run, cache: Path) -> None:
    (cache / steps.HISTORY_FILE).mkdir(parents=True)
    run()


def test_a_recipe_tells_of_the_next_one_with_the_same_methods() -> None:
    plan = make_plan(["channels-50", "channels-30", "qat"], Limits(), None, 2.0)
    planned = [step for step in stages.steps_after_training(plan) if step.stage == "compress"]
    assert [step.words for step in planned[1:]] == [
        "making channels-50", "making channels-30", "making qat",
    ]  # fmt: skip
    progress = Recorder()
    running = Steps(planned, progress)
    running.work_on(100, "small")
    for _ in planned:
        with running("compress"):
            pass
    assert progress.shown[1].expected is None
    assert progress.shown[2].expected is not None
    assert progress.shown[3].expected is None


def test_the_edge_tpu_is_a_step_where_it_is_a_target() -> None:
    def stages_of(target: str) -> list[str]:
        plan = make_plan(["int8"], Limits(target=target), None, 2.0)
        return [step.stage for step in stages.steps_after_training(plan)]

    assert "edgetpu" in stages_of("all") and "edgetpu" in stages_of("edgetpu")
    assert "edgetpu" not in stages_of("cpu")
