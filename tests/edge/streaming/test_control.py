"""A stream that is paused, and whose task is changed, while it runs."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from errors import raises_code
from streams import ListedSource, ListingSink, MeanTask, wait_until

from edge.frame import Frame, Output
from edge.sources.source import SourceOptions
from edge.sources.synthetic import open_synthetic
from edge.streaming import capture, statistics, stream, workers
from edge.streaming import control as control_module
from edge.streaming.control import StreamControl


class At(ListingSink):
    """Does something when a frame has come."""

    def __init__(
        self,
        acts: dict[int, Callable[[], None]],
        clock: Callable[[], float] = time.perf_counter,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._acts, self._clock = dict(acts), clock
        self.latencies: list[float] = []

    def write(self, output: Output) -> None:
        super().write(output)
        self.latencies.append(self._clock() - output.captured)
        for index in [index for index in self._acts if index <= output.index]:
            self._acts.pop(index)()


def later(seconds: float, act: Callable[[], None]) -> Callable[[], None]:
    return lambda: threading.Timer(seconds, act).start()


def run(source: Any, sink: Any, control: StreamControl, **options: Any) -> Any:
    return stream.run(lambda: source, control.task, [sink], say=print, control=control, **options)


def both(*acts: Callable[[], None]) -> Callable[[], None]:
    def act() -> None:
        for call in acts:
            call()

    return act


def test_a_file_waits_while_it_is_paused_and_nothing_is_lost() -> None:
    control = StreamControl(MeanTask())
    sink = At({10: both(control.pause, later(0.5, control.resume))})
    done = run(ListedSource(range(40), every=0.005), sink, control)
    assert [output.index for output in sink.got] == list(range(40))
    assert (done.frames, done.dropped) == (40, 0)
    assert control.paused_s >= 0.5


def test_frames_of_a_camera_during_a_pause_are_discarded_and_not_counted() -> None:
    control, paused = StreamControl(MeanTask()), threading.Event()

    class Camera(ListedSource):
        """Its frames 11 to 59 come in a pause: 11 once it has begun, 60 once it has ended."""

        def read(self) -> Frame | None:
            frame = super().read()
            if frame is not None and frame.index == 11:
                assert paused.wait(20)
            if frame is not None and frame.index == 60:
                control.resume()
            return frame

    sink = At({10: both(control.pause, paused.set)})
    source = Camera(range(100), live=True, every=0.01)
    done = run(source, sink, control)
    assert done.frames + done.dropped in (50, 51)  # the first one after the pause may go with it
    values = [output.result.to_dict()["value"] for output in sink.got]
    assert not set(values) & set(range(11, 60))
    assert source.closed == 1


class Jumping(StreamControl):
    """A control whose pause lasts 1000 s of ``clock``: it ends when the stream waits for it.

    The clock jumps once ``sink`` has written what was in flight: 1000 s is time enough for it.
    """

    sink: "At"

    def __init__(self, task: MeanTask, clock: "Clock") -> None:
        super().__init__(task)
        self._clock, self._task_double = clock, task

    def wait(self, seconds: float) -> None:
        wait_until(lambda: len(self.sink.latencies) == len(self._task_double.seen))
        self._clock.offset_s += 1000
        self.resume()


class Clock:
    """The real clock, set ahead by ``offset_s`` seconds."""

    offset_s = 0.0

    def perf_counter(self) -> float:
        return time.perf_counter() + self.offset_s


@pytest.mark.parametrize("live", [True, False])
def test_a_pause_is_not_in_the_statistics(live: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    for module in (capture, control_module, workers, statistics, stream):
        monkeypatch.setattr(module, "time", clock)
    control = Jumping(MeanTask(), clock)
    control.sink = sink = At({20: control.pause}, clock=clock.perf_counter, queue_size=100)
    done = run(ListedSource(range(100), live=live, every=0.01), sink, control)
    assert clock.offset_s == 1000
    assert done.seconds < 500
    assert max(sink.latencies) < 500
    # 1000 s in the mean of the last 20 frames would make it 0.02.
    assert min(output.status.fps for output in sink.got[15:]) > 0.1


def test_a_realtime_file_does_not_rush_after_a_pause() -> None:
    control = StreamControl(MeanTask())
    sink = At({10: both(control.pause, later(1.3, control.resume))})
    source = open_synthetic("64x48@50?frames=60", SourceOptions(realtime=True))
    done = run(source, sink, control)
    # 60 frames of 20 ms less what lay ready; 0.2 s if the last 50 came at once.
    assert done.seconds > 0.7


def test_a_stream_can_end_while_it_is_paused() -> None:
    control, stop = StreamControl(MeanTask()), threading.Event()
    sink = At({5: both(control.pause, later(0.2, stop.set))})
    done = run(ListedSource(range(10**6), every=0.001), sink, control, stop=stop)
    assert done.frames < 1000
    ends = StreamControl(MeanTask())
    camera = ListedSource(range(30), live=True, every=0.01)
    assert run(camera, At({5: ends.pause}), ends).frames < 30


def test_settings_apply_from_the_next_frame() -> None:
    class Saying(MeanTask):
        def postprocess(self, outputs: Any, frame: Any) -> Any:
            return replace(super().postprocess(outputs, frame), value=self.chosen.score)

    control = StreamControl(Saying())
    sink = At({5: lambda: control.adjust(lambda old: replace(old, score=0.9))})
    run(ListedSource(range(30), every=0.005), sink, control)
    scores = [output.result.to_dict()["value"] for output in sink.got]
    changed = scores.index(0.9)
    assert 5 < changed < 12
    assert scores == [0.5] * changed + [0.9] * (30 - changed)


def test_rejected_settings_change_nothing() -> None:
    control = StreamControl(MeanTask())
    with raises_code("invalid-option-value"):
        control.adjust(lambda old: replace(old, score=2.0))
    assert control.settings.score == 0.5


def test_settings_survive_a_failed_delegate() -> None:
    class Kept(MeanTask):
        def fallback_to_cpu(self) -> Any:
            other = super().fallback_to_cpu()
            other.chosen = self.chosen
            return other

    control = StreamControl(Kept(delegate="edgetpu", dies_after=20))
    sink = At({5: lambda: control.adjust(lambda old: replace(old, score=0.9))})
    done = run(ListedSource(range(40), every=0.002), sink, control)
    assert (done.frames, done.delegate) == (40, "cpu")
    assert control.settings.score == 0.9
    assert control.task.runtime.delegate == "cpu"


def test_pausing_twice_is_one_pause() -> None:
    control = StreamControl(MeanTask())
    control.pause()
    control.pause()
    time.sleep(0.1)
    control.resume()
    paused_s = control.paused_s
    control.resume()
    time.sleep(0.05)
    assert 0.1 <= paused_s == control.paused_s < 0.15


def test_wants_images_is_read_for_each_frame() -> None:
    class Looked(ListingSink):
        @property
        def wants_images(self) -> bool:  # type: ignore[override]
            return 10 <= len(self.got) < 20

        @wants_images.setter
        def wants_images(self, _: bool) -> None:
            """As the double's own."""

    sink = Looked(queue_size=1)
    run(ListedSource(range(40), every=0.002), sink, StreamControl(MeanTask()))
    drawn = [output.index for output in sink.got if output.image is not None]
    assert 5 <= len(drawn) <= 15
    assert drawn == list(range(drawn[0], drawn[-1] + 1))
    assert len(sink.got) == 40
