"""A stream that is paused, and whose task is changed, while it runs."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from errors import raises_code
from streams import ListedSource, ListingSink, MeanTask

from edge.frame import Output
from edge.sources.source import SourceOptions
from edge.sources.synthetic import synthetic
from edge.streaming import stream
from edge.streaming.control import Control


class At(ListingSink):
    """Does something when a frame has come."""

    def __init__(self, acts: dict[int, Callable[[], None]], **options: Any) -> None:
        super().__init__(**options)
        self._acts = dict(acts)
        self.latencies: list[float] = []

    def write(self, output: Output) -> None:
        super().write(output)
        self.latencies.append(time.perf_counter() - output.captured)
        for index in [index for index in self._acts if index <= output.index]:
            self._acts.pop(index)()


def later(seconds: float, act: Callable[[], None]) -> Callable[[], None]:
    return lambda: threading.Timer(seconds, act).start()


def run(source: Any, sink: Any, control: Control, **options: Any) -> Any:
    return stream.run(lambda: source, control.task, [sink], say=print, control=control, **options)


def both(*acts: Callable[[], None]) -> Callable[[], None]:
    def act() -> None:
        for one in acts:
            one()

    return act


def test_a_file_waits_while_it_is_paused_and_nothing_is_lost() -> None:
    control = Control(MeanTask())
    sink = At({10: both(control.pause, later(0.5, control.resume))})
    done = run(ListedSource(range(40), every=0.005), sink, control)
    assert [output.index for output in sink.got] == list(range(40))
    assert (done.frames, done.dropped) == (40, 0)
    assert control.paused_s == pytest.approx(0.5, abs=0.2)


def test_of_a_camera_what_came_meanwhile_is_thrown_away_and_not_counted() -> None:
    control = Control(MeanTask())
    sink = At({10: both(control.pause, later(0.5, control.resume))})
    source = ListedSource(range(100), live=True, every=0.01)
    done = run(source, sink, control)
    assert 40 < done.frames < 65
    assert done.dropped < 10
    values = [output.result.to_dict()["value"] for output in sink.got]
    gap = max(after - before for before, after in pairwise(values))
    assert gap > 30
    assert source.closed == 1


def test_a_pause_is_not_in_the_figures() -> None:
    for live in (True, False):
        control = Control(MeanTask())
        sink = At({20: both(control.pause, later(1.0, control.resume))})
        start = time.perf_counter()
        done = run(ListedSource(range(200), live=live, every=0.01), sink, control)
        assert done.seconds < time.perf_counter() - start - 0.9
        assert max(sink.latencies) < 0.8
        rates = [output.status.fps for output in sink.got[15:]]
        assert min(rates) > 0.3 * max(rates)  # a second in the mean would make it 0.17


def test_a_file_at_its_own_speed_does_not_make_up_for_a_pause() -> None:
    control = Control(MeanTask())
    sink = At({10: both(control.pause, later(1.3, control.resume))})
    source = synthetic("64x48@50?frames=60", SourceOptions(realtime=True))
    done = run(source, sink, control)
    assert done.seconds == pytest.approx(1.2, abs=0.3)


def test_the_end_comes_while_it_is_paused() -> None:
    control, stop = Control(MeanTask()), threading.Event()
    sink = At({5: both(control.pause, later(0.2, stop.set))})
    start = time.monotonic()
    done = run(ListedSource(range(10**6), every=0.001), sink, control, stop=stop)
    assert time.monotonic() - start < 5
    assert done.frames < 1000
    ends = Control(MeanTask())
    camera = ListedSource(range(30), live=True, every=0.01)
    assert run(camera, At({5: ends.pause}), ends).frames < 30


def test_settings_count_from_the_next_frame_on() -> None:
    class Saying(MeanTask):
        def interpret(self, outputs: Any, frame: Any) -> Any:
            return replace(super().interpret(outputs, frame), value=self.chosen.score)

    control = Control(Saying())
    sink = At({5: lambda: control.adjust(lambda old: replace(old, score=0.9))})
    run(ListedSource(range(30), every=0.005), sink, control)
    scores = [output.result.to_dict()["value"] for output in sink.got]
    changed = scores.index(0.9)
    assert 5 < changed < 12
    assert scores == [0.5] * changed + [0.9] * (30 - changed)


def test_refused_settings_leave_those_there_are() -> None:
    control = Control(MeanTask())
    with raises_code("invalid-option-value"):
        control.adjust(lambda old: replace(old, score=2.0))
    assert control.settings.score == 0.5


def test_settings_survive_the_death_of_a_delegate() -> None:
    class Kept(MeanTask):
        def on_cpu(self) -> Any:
            other = super().on_cpu()
            other.chosen = self.chosen
            return other

    control = Control(Kept(delegate="edgetpu", dies_after=20))
    sink = At({5: lambda: control.adjust(lambda old: replace(old, score=0.9))})
    done = run(ListedSource(range(40), every=0.002), sink, control)
    assert (done.frames, done.delegate) == (40, "cpu")
    assert control.settings.score == 0.9
    assert control.task.runtime.delegate == "cpu"


def test_pausing_twice_is_pausing_once() -> None:
    control = Control(MeanTask())
    control.pause()
    control.pause()
    time.sleep(0.1)
    control.resume()
    once = control.paused_s
    control.resume()
    time.sleep(0.05)
    assert 0.1 <= once == control.paused_s < 0.15


def test_whether_pictures_are_drawn_is_asked_for_each_frame() -> None:
    class Looked(ListingSink):
        @property
        def pictures(self) -> bool:  # type: ignore[override]
            return 10 <= len(self.got) < 20

        @pictures.setter
        def pictures(self, _: bool) -> None:
            """As the double's own."""

    sink = Looked(backlog=1)
    run(ListedSource(range(40), every=0.002), sink, Control(MeanTask()))
    drawn = [output.index for output in sink.got if output.picture is not None]
    assert 5 <= len(drawn) <= 15
    assert drawn == list(range(drawn[0], drawn[-1] + 1))
    assert len(sink.got) == 40
