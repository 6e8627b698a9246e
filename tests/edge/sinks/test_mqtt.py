"""Messages, through a real broker."""

import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from errors import raises_code

from edge.installation import install_command
from edge.sinks import open_sink


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def until(true: Callable[[], object], seconds: float = 15.0) -> bool:
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
    return bool(true())


class Broker:
    """A mosquitto on a port of its own; ``start`` again after ``stop`` for the same port."""

    def __init__(self, folder: Path, *lines: str) -> None:
        self.port = free_port()
        self._folder = folder
        settings = [f"listener {self.port} 127.0.0.1", *(lines or ("allow_anonymous true",))]
        (folder / "mosquitto.conf").write_text("\n".join(settings) + "\n")
        self._run: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}/camera/door"

    def start(self) -> None:
        program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
        if program is None:
            pytest.skip("no mosquitto: apt-get install mosquitto")
        self._run = subprocess.Popen(
            [program, "-c", str(self._folder / "mosquitto.conf")],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert until(self._answers)

    def stop(self) -> None:
        if self._run is not None:
            self._run.terminate()
            self._run.wait(timeout=10)

    def _answers(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0


class Listener:
    """Keeps what comes on ``camera/#``."""

    def __init__(self, port: int) -> None:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        self.got: list[tuple[str, str]] = []
        ready = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = lambda *call: self.got.append(
            (call[2].topic, call[2].payload.decode())
        )
        self._client.on_connect = lambda client, *_: client.subscribe("camera/#")
        self._client.on_subscribe = lambda *_: ready.set()
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert ready.wait(10)

    def frames(self) -> list[int]:
        lines = [payload for topic, payload in list(self.got) if topic == "camera/door"]
        return [json.loads(line)["frame"] for line in lines]

    def status(self) -> list[str]:
        return [payload for topic, payload in list(self.got) if topic == "camera/door/status"]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    pytest.importorskip("paho.mqtt", reason="no paho-mqtt: the extra mqtt")
    server = Broker(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def listener(broker: Broker) -> Iterator[Listener]:
    subscriber = Listener(broker.port)
    yield subscriber
    subscriber.close()


def test_a_message_for_every_frame(
    broker: Broker, listener: Listener, stream: Any, output: Any
) -> None:
    sink = open_sink(broker.uri, stream.context)
    for index in range(300):
        sink.write(output(index))
    sink.close()
    assert until(lambda: listener.status() == ["online", "offline"])
    assert listener.frames() == list(range(300))
    first = next(payload for topic, payload in listener.got if topic == "camera/door")
    assert json.loads(first)["classes"][0]["label"] == "cat"
    assert stream.notes == []


def test_a_program_that_dies_is_said_to_be_offline(
    broker: Broker, listener: Listener, stream: Any
) -> None:
    sink: Any = open_sink(broker.uri, stream.context)
    assert until(lambda: listener.status() == ["online"])
    sink._client.loop_stop()
    sink._client.socket().shutdown(socket.SHUT_RDWR)  # as the kernel does for the dead
    assert until(lambda: listener.status() == ["online", "offline"])


def test_a_broker_that_is_lost_does_not_end_the_stream(
    broker: Broker, stream: Any, output: Any
) -> None:
    sink = open_sink(broker.uri, stream.context)
    sink.write(output(0))
    broker.stop()
    assert until(lambda: stream.notes)
    assert "connection lost" in stream.notes[0]
    for index in range(1, 200):
        sink.write(output(index))
    broker.start()
    assert until(lambda: any("reconnected" in note for note in stream.notes))
    assert any("199 messages could not be sent" in note for note in stream.notes)
    listener = Listener(broker.port)
    sink.write(output(200))
    assert until(listener.frames)
    assert listener.frames() == [200]
    assert listener.status() == ["online"]
    sink.close()
    listener.close()
    assert stream.stopped == 0


def test_a_broker_that_stays_away_does_not_keep_the_end(
    broker: Broker, stream: Any, output: Any
) -> None:
    sink = open_sink(broker.uri, stream.context)
    broker.stop()
    assert until(lambda: stream.notes)
    sink.write(output(0))
    start = time.monotonic()
    sink.close()
    assert time.monotonic() - start < 30  # a hang guard
    assert "1 messages" in stream.notes[-1]


def test_a_password(tmp_path: Path, stream: Any, output: Any) -> None:
    pytest.importorskip("paho.mqtt", reason="no paho-mqtt: the extra mqtt")
    tool = shutil.which("mosquitto_passwd")
    if tool is None:
        pytest.skip("no mosquitto: apt-get install mosquitto")
    passwords = tmp_path / "passwords"
    subprocess.run([tool, "-b", "-c", str(passwords), "anna", "s3cret/@"], check=True)
    passwords.chmod(0o644)
    tmp_path.chmod(0o755)
    broker = Broker(tmp_path, "allow_anonymous false", f"password_file {passwords}", "user root")
    broker.start()
    try:
        with_it = broker.uri.replace("//", "//anna:s3cret%2F%40@")
        sink = open_sink(with_it, stream.context)
        sink.write(output())
        sink.close()
        assert "s3cret" not in sink.name
        for uri in (broker.uri, broker.uri.replace("//", "//anna:wrong@")):
            with raises_code("mqtt-connection-failed", found="not authorized") as caught:
                open_sink(uri, stream.context)
            assert "wrong" not in str(caught.value)
    finally:
        broker.stop()


def test_no_broker_is_one_clear_line(stream: Any) -> None:
    pytest.importorskip("paho.mqtt", reason="no paho-mqtt: the extra mqtt")
    port = free_port()
    with raises_code("mqtt-connection-failed", expected=f"127.0.0.1:{port}", found="refused"):
        open_sink(f"mqtt://127.0.0.1:{port}/camera", stream.context)
    with raises_code("mqtt-connection-failed", expected="nowhere.invalid"):
        open_sink("mqtt://nowhere.invalid/camera", stream.context)


def test_a_server_that_is_no_broker(stream: Any) -> None:
    pytest.importorskip("paho.mqtt", reason="no paho-mqtt: the extra mqtt")
    from edge.sinks.mqtt import MqttSink

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        with raises_code("mqtt-connection-failed", found="no answer"):
            MqttSink("127.0.0.1", port, "camera", stream.context, timeout_s=0.5).connect("", "")


@pytest.mark.parametrize(
    "uri", ["mqtt://host", "mqtt://host/", "mqtt:///topic", "mqtt://host:x/t", "mqtt://host/a/#"]
)
def test_an_address_that_is_none(uri: str, stream: Any) -> None:
    with raises_code("invalid-address", expected="mqtt://"):
        open_sink(uri, stream.context)


def test_without_the_package_the_extra_is_named(
    stream: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "paho.mqtt.client", None)
    with raises_code("missing-package", fix="[mqtt]") as error:
        open_sink("mqtt://localhost/camera", stream.context)
    assert error.value.fix == install_command("mqtt")
