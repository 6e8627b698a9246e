"""Messages over MQTT: what ``jsonl`` writes into a line, published for each frame.

Beside ``topic`` there is ``topic/status``, retained: "online", and "offline" after the end, told by
the broker itself where this program dies (its last will).
"""

import json
import threading
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit

from edge.errors import OutputError, UsageError
from edge.frame import Output
from edge.installation import install_command
from edge.sinks.jsonl import record
from edge.streaming.sink import StreamContext

_PORT = 1883
_BACKLOG = 1000
_TIMEOUT = 5.0
"""Seconds that a broker may take to answer at the start, and to take the last message."""

_KEEPALIVE = 15
"""Seconds after which a broker that says nothing is asked, and after as many more lost."""

_WAITING = 64
"""Messages that may be on their way; then the broker's connection is waited for."""


def open_mqtt(address: str, context: StreamContext) -> "MqttSink":
    """Messages to the broker and topic of ``//[USER:PASSWORD@]HOST[:PORT]/TOPIC``.

    Raises:
        OutputError: there is no broker, it refuses, or paho-mqtt is not installed.
        UsageError: the address is none.
    """
    shown = f"mqtt:{address}"
    try:
        parts = urlsplit(address)
        host, port, topic = parts.hostname, parts.port or _PORT, unquote(parts.path).strip("/")
    except ValueError:
        host, port, topic = None, 0, ""
    if not host or not topic or parts.query or "#" in address or "+" in topic:
        hint = "use --sink mqtt://localhost/camera"
        raise UsageError(
            "mqtt://HOST[:PORT]/TOPIC",
            f"'{shown.rpartition('@')[2]}'",
            hint,
            code="invalid-address",
        )
    sink = MqttSink(host, port, topic, context)
    sink.connect(unquote(parts.username or ""), unquote(parts.password or ""))
    return sink


class MqttSink:
    wants_images, queue_size = False, _BACKLOG

    def __init__(self, host: str, port: int, topic: str, context: StreamContext) -> None:
        self.name = f"mqtt://{host}:{port}/{topic}"
        self._host, self._port, self._topic = host, port, topic
        self._say = context.say
        self._answered = threading.Event()
        self._refusal = "no answer"
        self._lost, self._unsent, self._sent = False, 0, 0
        self._client = _client()
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.will_set(f"{topic}/status", "offline", qos=1, retain=True)
        self._client.reconnect_delay_set(min_delay=1, max_delay=30)

    def connect(self, user: str, password: str) -> None:
        """Wait until the broker has taken us.

        Raises:
            OutputError: it has not.
        """
        if user:
            self._client.username_pw_set(user, password or None)
        self._client.connect_timeout = _TIMEOUT
        try:
            self._client.connect(self._host, self._port, _KEEPALIVE)
        except OSError as error:
            self._refuse((error.strerror or str(error) or "no answer").lower())
        self._client.loop_start()
        self._answered.wait(_TIMEOUT)
        if self._refusal:
            self._client.disconnect()
            self._client.loop_stop()
            self._refuse(self._refusal)

    def write(self, output: Output) -> None:
        sent = self._client.publish(self._topic, json.dumps(record(output)))
        self._unsent += sent.rc != 0
        self._sent += 1
        if self._sent % _WAITING == 0:
            _wait(sent)

    def close(self) -> None:
        if self._client.is_connected():
            _wait(self._client.publish(f"{self._topic}/status", "offline", qos=1, retain=True))
        self._client.disconnect()
        self._client.loop_stop()
        self._tell_unsent()

    def _connected(self, client: Any, _: Any, __: Any, reason: Any, ___: Any) -> None:
        self._refusal = str(reason).lower() if reason.is_failure else ""
        self._answered.set()
        if self._refusal:
            return
        client.publish(f"{self._topic}/status", "online", qos=1, retain=True)
        if self._lost:
            self._say(f"{self.name}: reconnected")
            self._lost = False
            self._tell_unsent()

    def _disconnected(self, _: Any, __: Any, ___: Any, reason: Any, ____: Any) -> None:
        if not reason.is_failure or self._refusal:  # by ourselves, or never taken
            return
        if not self._lost:
            self._say(f"{self.name}: connection lost, reconnecting while the stream continues")
        self._lost = True

    def _tell_unsent(self) -> None:
        if self._unsent:
            self._say(f"{self.name}: {self._unsent} messages could not be sent")
            self._unsent = 0

    def _refuse(self, reason: str) -> None:
        place = f"{self._host}:{self._port}"
        fix = "check the address, and whether the broker is running: systemctl status mosquitto"
        raise OutputError(
            f"an MQTT broker at {place}",
            reason,
            fix,
            code="mqtt-connection-failed",
            summary=f"cannot connect to the MQTT broker at {place} ({reason})",
        )


def _wait(sent: Any) -> None:
    with suppress(RuntimeError, ValueError):  # lost on the way: counted where it is noticed
        sent.wait_for_publish(_TIMEOUT)


def _client() -> Any:
    try:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion
    except ImportError:
        raise OutputError(
            "the package paho-mqtt",
            "none",
            install_command("mqtt"),
            code="missing-package",
            summary="MQTT requires the package paho-mqtt",
        ) from None
    return Client(CallbackAPIVersion.VERSION2)
