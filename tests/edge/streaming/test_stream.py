"""The stream, with fake sources, tasks and sinks: nothing is lost, nothing hangs."""

import threading
import time
from typing import Any

import numpy as np
import pytest
from errors import raises_code
from streams import ListedSource, ListingSink, MeanTask, Value

from edge.commands.stream_options import show
from edge.errors import CorruptFrameError, DelegateError, OutputError, SourceError
from edge.frame import Frame, Output
from edge.results import TrackedDetections
from edge.streaming import stream
from edge.streaming.stream import StreamTiming

LOST = SourceError("frames", "no more frames", "plug it in", code="source-lost")
CORRUPT = CorruptFrameError("a frame", "noise", "wait for the next", code="frame-corrupt")


def run(source: ListedSource, *sinks: ListingSink, task: MeanTask | None = None, **options: Any):  # type: ignore[no-untyped-def]
    notes: list[str] = []
    done = stream.run(lambda: source, task or MeanTask(), sinks, say=notes.append, **options)
    return done, notes


def test_every_frame_of_a_file_reaches_every_sink_in_order() -> None:
    source = ListedSource(range(50))
    plain, slow = ListingSink(), ListingSink(wants_images=True, every=0.002)
    done, _ = run(source, plain, slow)
    for sink in (plain, slow):
        assert [o.result.to_dict()["value"] for o in sink.got] == list(range(50))
        assert [o.index for o in sink.got] == list(range(50))
        assert sink.closed == 1
    assert (done.frames, done.dropped, done.lost) == (50, 0, {})
    assert source.closed >= 1


class Counting(MeanTask):
    """Counts the frames that enter."""

    def postprocess(self, outputs: tuple[Any, ...], frame: Frame) -> Any:
        return TrackedDetections((), (), counts={"door": {"in": frame.index + 1, "out": 0}})


def test_the_last_counts_are_in_the_statistics_and_in_what_is_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    done, _ = run(ListedSource(range(7)), ListingSink(), task=Counting())
    assert done.to_dict()["counts"] == {"door": {"in": 7, "out": 0}}
    show(done)
    assert "door: 7 in, 0 out" in capsys.readouterr().err
    assert run(ListedSource(range(3)), ListingSink())[0].counts == {}


def test_draws_images_only_for_sinks_that_want_them() -> None:
    plain, shown = ListingSink(), ListingSink(wants_images=True)
    done, _ = run(ListedSource([200] * 3), plain, shown)
    assert all(output.image is None for output in plain.got)
    for output in shown.got:
        assert output.image is not None
        assert (output.image[:4, :4] == 55).all()
        assert (output.image[-4:, -4:] == 200).any()
    assert done.stages["draw"]["p50_ms"] > 0


def test_draws_nothing_without_a_sink_for_images() -> None:
    class Untouched(MeanTask):
        def draw(self, image: Any, result: Any) -> Any:
            raise AssertionError

    done, _ = run(ListedSource(range(5)), ListingSink(), task=Untouched())
    assert done.frames == 5
    assert done.stages["draw"] == {"p50_ms": 0.0, "p95_ms": 0.0}


def test_a_task_that_is_not_prefetchable_preprocesses_after_the_last_result() -> None:
    class Chained(MeanTask):
        prefetchable = False

        def preprocess(self, frame: Frame) -> tuple[Any, ...]:
            assert self.seen == list(range(frame.index))
            return super().preprocess(frame)

    task = Chained(seconds=0.005)
    done, _ = run(ListedSource(range(10)), ListingSink(), task=task)
    assert task.seen == list(range(10))
    assert done.stages["preprocess"]["p50_ms"] > 0


def test_a_task_may_draw_another_image_than_the_frame() -> None:
    class Blank(MeanTask):
        def draw(self, image: Any, result: Any) -> Any:
            return np.full_like(image, 7)

    shown = ListingSink(wants_images=True)
    run(ListedSource([200]), shown, task=Blank())
    assert shown.got[0].image is not None
    assert (shown.got[0].image[-4:, -40:] == 7).any()


def test_an_error_while_drawing_ends_the_stream() -> None:
    class Clumsy(MeanTask):
        def draw(self, image: Any, result: Any) -> Any:
            raise RuntimeError("no pencil")

    shown = ListingSink(wants_images=True)
    with pytest.raises(RuntimeError) as caught:
        run(ListedSource(range(50)), shown, task=Clumsy())
    assert caught.value.args == ("no pencil",)
    assert shown.closed == 1


def test_a_live_source_drops_and_counts_old_frames() -> None:
    sink = ListingSink()
    task = MeanTask(seconds=0.03)
    done, _ = run(ListedSource(range(40), live=True, every=0.005), sink, task=task)
    assert done.frames < 20
    assert done.dropped > 15
    assert done.frames + done.dropped == 40
    assert task.seen == sorted(task.seen)
    values = [output.result.to_dict()["value"] for output in sink.got]
    assert values == [output.index for output in sink.got]


def test_a_slow_sink_does_not_slow_a_live_stream() -> None:
    quick, slow = ListingSink(), ListingSink(queue_size=2, every=0.1)
    done, _ = run(ListedSource(range(60), live=True, every=0.002), quick, slow)
    assert len(quick.got) == done.frames
    assert done.frames > 40
    assert done.lost == {"listing": done.frames - len(slow.got)}
    assert slow.got[-1].index == quick.got[-1].index


def test_a_window_shows_the_newest_of_a_file_and_loses_nothing() -> None:
    records, window = ListingSink(), ListingSink(wants_images=True, queue_size=0, every=0.02)
    done, _ = run(ListedSource(range(60)), records, window)
    assert len(records.got) == 60
    assert len(window.got) < 60
    assert window.got[-1].index == 59
    assert done.lost == {}


def test_a_corrupt_frame_is_counted_and_skipped() -> None:
    sink = ListingSink()
    done, _ = run(ListedSource([1, CORRUPT, 2, CORRUPT, 3]), sink)
    assert [output.result.to_dict()["value"] for output in sink.got] == [1, 2, 3]
    assert done.corrupt == 2


def test_a_file_without_a_valid_frame_is_an_error() -> None:
    sink = ListingSink()
    with raises_code("frame-corrupt", kind="CorruptFrameError"):
        run(ListedSource([CORRUPT, CORRUPT]), sink)
    assert sink.closed == 1


def test_a_lost_camera_is_reopened_until_it_is_back() -> None:
    tries: list[Any] = [
        ListedSource([1, 2, LOST], live=True, every=0.01),
        LOST,
        LOST,
        ListedSource([3, 4], live=True, every=0.01),
    ]

    def open_source() -> ListedSource:
        source = tries.pop(0)
        if isinstance(source, Exception):
            raise source
        return source

    sink, notes = ListingSink(), []
    timing = StreamTiming(reconnect_delays_s=(0.01,))
    done = stream.run(open_source, MeanTask(), [sink], say=notes.append, timing=timing)
    assert [output.result.to_dict()["value"] for output in sink.got] == [1, 2, 3, 4]
    assert [output.index for output in sink.got] == [0, 1, 2, 3]
    times = [output.time_s for output in sink.got]
    assert times == sorted(times)
    assert done.reconnects == 1
    assert "lost" in notes[0]
    assert "reconnected" in notes[-1]


def test_a_truncated_file_is_an_error_after_writing_what_was_read() -> None:
    sink = ListingSink()
    with raises_code("source-lost"):
        run(ListedSource([1, 2, LOST]), sink)
    assert len(sink.got) == 2
    assert sink.closed == 1


def test_a_source_that_does_not_open_closes_the_sinks() -> None:
    sink = ListingSink()

    def fail() -> ListedSource:
        raise LOST

    with raises_code("source-lost"):
        stream.run(fail, MeanTask(), [sink])
    assert sink.closed == 1


def test_a_failed_delegate_falls_back_to_the_cpu_with_a_note() -> None:
    task = MeanTask(delegate="edgetpu", dies_after=3)
    sink = ListingSink()
    done, notes = run(ListedSource(range(6)), sink, task=task)
    assert [output.result.to_dict()["value"] for output in sink.got] == list(range(6))
    assert (done.frames, done.delegate) == (6, "cpu")
    assert "gone" in notes[0]
    assert notes[0] in done.notes
    assert [output.status.delegate for output in sink.got][::5] == ["edgetpu", "cpu"]


def test_a_model_that_fails_on_the_cpu_is_an_error() -> None:
    sink = ListingSink()
    with raises_code("model-failed"):
        run(ListedSource(range(6)), sink, task=MeanTask(dies_after=2))
    assert len(sink.got) == 2
    assert sink.closed == 1


@pytest.mark.parametrize("live", [False, True])
def test_a_sink_that_fails_ends_the_stream(live: bool) -> None:
    full = ListingSink(error=OutputError("room", "a full disk", "free some", code="disk-full"))
    other = ListingSink()
    with raises_code("disk-full"):
        run(ListedSource(range(1000), live=live, every=0.002), full, other)
    assert full.closed == other.closed == 1
    assert len(other.got) < 1000


def test_a_file_waits_for_a_slow_sink_to_the_last_line() -> None:
    slow = ListingSink(queue_size=100, every=0.15)
    done, notes = run(ListedSource(range(6)), slow, timing=StreamTiming(sink_timeout_s=0.1))
    assert (done.frames, len(slow.got), notes) == (6, 6, [])


def test_a_live_stream_abandons_a_sink_that_hangs() -> None:
    hung, slow = ListingSink(every=0.5), ListingSink(every=0.05)
    source = ListedSource(range(4), live=True, every=0.01)
    _, notes = run(source, hung, slow, timing=StreamTiming(sink_timeout_s=0.1))
    assert len(notes) == 1
    assert "listing" in notes[0]
    assert (hung.closed, slow.closed) == (0, 1)
    while not hung.closed:  # so that its thread does not disturb the next test
        time.sleep(0.05)


def test_stop_ends_the_stream_and_closes_everything() -> None:
    stop = threading.Event()
    source, sink = ListedSource(range(10**9), every=0.001), ListingSink()
    threading.Timer(0.2, stop.set).start()
    done, _ = run(source, sink, stop=stop)
    assert 10 < done.frames == len(sink.got)
    assert (source.closed, sink.closed) == (1, 1)


def test_max_frames_ends_the_stream() -> None:
    done, _ = run(ListedSource(range(100)), ListingSink(), max_frames=7)
    assert done.frames == 7


def test_no_thread_is_left() -> None:
    before = threading.active_count()
    run(ListedSource(range(10)), ListingSink(), ListingSink(wants_images=True))
    assert threading.active_count() == before


def test_a_source_that_hangs_does_not_delay_the_end() -> None:
    stop = threading.Event()

    release, ended = threading.Event(), threading.Event()

    class Hanging(ListedSource):
        def read(self) -> Any:
            stop.set()
            release.wait(60)
            ended.set()

    timing = StreamTiming(read_timeout_s=0.1)
    run(Hanging([], live=True), ListingSink(), stop=stop, timing=timing)
    assert not ended.is_set(), "the stream waited for the camera"
    release.set()


def test_statistics_of_a_run() -> None:
    done, _ = run(ListedSource(range(30), every=0.002), ListingSink(), task=MeanTask(0.01))
    stats = done.to_dict()
    assert stats["frames"] == 30
    assert stats["fps"] == pytest.approx(30 / stats["seconds"], rel=1e-3)
    assert set(stats["stages"]) == {
        "capture", "preprocess", "invoke", "postprocess", "draw", "sink"
    }  # fmt: skip
    assert stats["stages"]["invoke"]["p50_ms"] >= 10  # sleeps are never shorter
    assert stats["stages"]["capture"]["p50_ms"] >= 2
    assert stats["limiting"] == "invoke"
    assert stats["latency"]["p50_ms"] >= stats["stages"]["invoke"]["p50_ms"] * 0.98
    assert (stats["interpreter"], stats["delegate"], stats["threads"]) == ("test 1.0", "cpu", 1)


def test_stages_overlap() -> None:
    """Reading frame 2, inference of frame 1 and writing of frame 0 wait for each other."""
    together = threading.Barrier(3, timeout=20)

    class Source(ListedSource):
        def read(self) -> Frame | None:
            frame = super().read()
            if frame is not None and frame.index == 2:
                together.wait()
            return frame

    class Task(MeanTask):
        def postprocess(self, outputs: tuple[Any, ...], frame: Frame) -> Value:
            if frame.index == 1:
                together.wait()
            return super().postprocess(outputs, frame)

    class Sink(ListingSink):
        def write(self, output: Output) -> None:
            if output.index == 0:
                together.wait()
            super().write(output)

    sink = Sink()
    done, _ = run(Source(range(5)), sink, task=Task())
    assert not together.broken
    assert (done.frames, len(sink.got)) == (5, 5)


@pytest.mark.parametrize(
    ("live", "read", "infer", "write", "limiting"),
    [
        (True, 0.002, 0.02, 0.0, "invoke"),  # the camera is faster than the model
        (True, 0.02, 0.002, 0.0, "capture"),
        (True, 0.01, 0.002, 0.05, "capture"),  # a sink never slows a live stream
        (False, 0.002, 0.005, 0.03, "sink"),
        (False, 0.02, 0.005, 0.0, "capture"),
    ],
)
def test_the_limiting_stage_is_the_bottleneck(
    live: bool, read: float, infer: float, write: float, limiting: str
) -> None:
    sink = ListingSink(queue_size=2, every=write)
    done, _ = run(ListedSource(range(60), live=live, every=read), sink, task=MeanTask(infer))
    assert done.limiting == limiting


def test_a_source_that_hangs_at_the_end_does_not_count() -> None:
    """The seconds end when the last sink has returned, not when the camera is released."""
    release = threading.Event()

    class Hanging(ListedSource):
        def read(self) -> Any:
            frame = super().read()
            if frame is not None and frame.index == 3:
                release.wait(60)
            return frame

    start = time.perf_counter()
    source, timing = Hanging(range(10), live=True, every=0.02), StreamTiming(read_timeout_s=0.5)
    done, _ = run(source, ListingSink(), max_frames=3, timing=timing)
    waited = time.perf_counter() - start
    release.set()
    assert done.frames == 3
    assert waited - done.seconds >= 0.5, "the wait for the camera counts"


def test_a_failed_delegate_without_a_cpu_model_reports_both() -> None:
    class Alone(MeanTask):
        def fallback_to_cpu(self) -> Any:
            raise DelegateError(
                "a CPU model", "no m.tflite", "copy it there", code="cpu-model-missing"
            )

    with raises_code("cpu-model-missing", kind="DelegateError", fix="copy it there") as caught:
        run(ListedSource(range(6)), ListingSink(), task=Alone(delegate="edgetpu", dies_after=3))
    assert all(part in caught.value.found for part in ("edgetpu", "gone", "no m.tflite"))
