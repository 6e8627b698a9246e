"""A network camera that speaks RTSP, from a real server: frames, a wrong path, a lost camera."""

import threading

import pytest
import rtsp
from errors import raises_code
from streams import ListingSink, MeanTask

import edge
from edge.sources import open_source


@pytest.fixture(scope="module", autouse=True)
def _server() -> None:
    rtsp.require()


def test_frames_of_an_rtsp_camera() -> None:
    with rtsp.camera(rtsp.free_port()) as address:
        source = open_source(address)
        assert source.live
        assert source.fps == pytest.approx(25)
        frames = [source.read() for _ in range(10)]
        source.close()
        assert all(frame is not None and frame.image.shape == (120, 160, 3) for frame in frames)
        assert len({frame.image.tobytes() for frame in frames if frame is not None}) > 5
        with raises_code("stream-unavailable"):
            open_source(address.replace("camera", "nothing"))


def test_a_lost_rtsp_camera_is_reopened() -> None:
    port, notes, sink = rtsp.free_port(), [], ListingSink()
    gone = threading.Event()

    def say(note: str) -> None:
        notes.append(note)
        gone.set()

    done = []
    with rtsp.camera(port) as address:
        stream = threading.Thread(
            target=lambda: done.append(
                edge.run(MeanTask(), address, [sink, edge.callback_sink(count)], frames=60, say=say)
            )
        )
        reached = threading.Event()

        def count(output: edge.Output) -> None:
            if output.index >= 20:
                reached.set()

        stream.start()
        assert reached.wait(20)
    assert gone.wait(20)
    with rtsp.camera(port):
        stream.join(30)
    assert done
    assert (done[0].frames, done[0].reconnects) == (60, 1)
    assert len(notes) == 2
    assert all(address in note for note in notes)
    times = [output.time_s for output in sink.got]
    assert times == sorted(times)
