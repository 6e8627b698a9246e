"""MQTT sink: publishes a message per frame, with the content of a line of ``jsonl``.

The retained topic ``TOPIC/status`` is "online", and "offline" after the end; the broker itself
announces it if this program dies (its last will).
"""

import json
import threading
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit

from edge.errors import OutputError, UsageError
from edge.frame import Output
from edge.installation import install_command
from edge.redaction import ENCODING_ADVICE, is_split_by_password, redact
from edge.sinks.jsonl import to_record
from edge.streaming.sink import StreamContext

_PORT = 1883
_QUEUE_SIZE = 1000

TIMEOUT_S = 5.0
"""Seconds that a broker may take to answer at the start, and to take the last message."""

_KEEPALIVE_S = 15
"""Seconds of silence after which a broker is pinged, and after as many more lost."""

_MAX_IN_FLIGHT = 64
"""Messages that may be in flight; then the sink waits for the connection."""


def open_mqtt(address: str, context: StreamContext) -> "MqttSink":
    """Connect to the broker of ``//[USER:PASSWORD@]HOST[:PORT]/TOPIC``.

    Raises:
        OutputError: There is no broker, it refuses, or paho-mqtt is not installed.
        UsageError: The address is invalid.
    """
    try:
        parts = urlsplit(address)
        host, port, topic = parts.hostname, parts.port or _PORT, unquote(parts.path).strip("/")
    except ValueError:
        host, port, topic = None, 0, ""
    if not host or not topic or parts.query or "#" in address or "+" in topic:
        raise UsageError(
            "mqtt://HOST[:PORT]/TOPIC",
            "one with a query" if "?" in address else f"'mqtt:{address}'",
            ENCODING_ADVICE
            if is_split_by_password(address)
            else "use --sink mqtt://localhost/camera",
            code="invalid-address",
        )
    sink = MqttSink(host, port, topic, context)
    sink.connect(unquote(parts.username or ""), unquote(parts.password or ""))
    return sink


class MqttSink:
    """Publishes messages to a topic; ``timeout_s``: seconds that the broker may take to answer."""

    wants_images, queue_size = False, _QUEUE_SIZE

    def __init__(
        self,
        host: str,
        port: int,
        topic: str,
        context: StreamContext,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.name = redact(f"mqtt://{host}:{port}/{topic}")
        self._host, self._port, self._topic = host, port, topic
        self._say, self._timeout_s = context.say, timeout_s
        self._answered = threading.Event()
        self._refusal = "no answer"
        self._lost, self._unsent, self._sent = False, 0, 0
        self._has_user = False
        self._client = _client()
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.will_set(f"{topic}/status", "offline", qos=1, retain=True)
        self._client.reconnect_delay_set(min_delay=1, max_delay=30)

    def connect(self, user: str, password: str) -> None:
        """Connect, and wait until the broker accepts.

        Raises:
            OutputError: It does not.
        """
        self._has_user = bool(user)
        if user:
            self._client.username_pw_set(user, password or None)
        self._client.connect_timeout = self._timeout_s
        try:
            self._client.connect(self._host, self._port, _KEEPALIVE_S)
        except OSError as error:
            self._refuse((error.strerror or str(error) or "no answer").lower())
        except UnicodeError:  # of the codec for host names
            self._refuse("an invalid host name")
        self._client.loop_start()
        self._answered.wait(self._timeout_s)
        if self._refusal:
            self._client.disconnect()
            self._client.loop_stop()
            self._refuse(self._refusal)

    def write(self, output: Output) -> None:
        """Publish the message of an output."""
        sent = self._client.publish(self._topic, json.dumps(to_record(output)))
        self._unsent += sent.rc != 0
        self._sent += 1
        if self._sent % _MAX_IN_FLIGHT == 0:
            self._wait(sent)

    def close(self) -> None:
        """Publish "offline" and disconnect."""
        if self._client.is_connected():
            self._wait(self._client.publish(f"{self._topic}/status", "offline", qos=1, retain=True))
        self._client.disconnect()
        self._client.loop_stop()
        self._report_unsent()

    def _connected(self, client: Any, _: Any, __: Any, reason: Any, ___: Any) -> None:
        self._refusal = str(reason).lower() if reason.is_failure else ""
        self._answered.set()
        if self._refusal:
            return
        client.publish(f"{self._topic}/status", "online", qos=1, retain=True)
        if self._lost:
            self._say(f"{self.name}: reconnected")
            self._lost = False
            self._report_unsent()

    def _disconnected(self, _: Any, __: Any, ___: Any, reason: Any, ____: Any) -> None:
        if not reason.is_failure or self._refusal:  # by ourselves, or never accepted
            return
        if not self._lost:
            self._say(f"{self.name}: connection lost, reconnecting while the stream continues")
        self._lost = True

    def _report_unsent(self) -> None:
        if self._unsent:
            self._say(f"{self.name}: {self._unsent} messages could not be sent")
            self._unsent = 0

    def _wait(self, sent: Any) -> None:
        with suppress(RuntimeError, ValueError):  # lost on the way: counted by write()
            sent.wait_for_publish(self._timeout_s)

    def _refuse(self, reason: str) -> None:
        fix = "check the address, and whether the broker is running: systemctl status mosquitto"
        if "@" in self._topic or (self._has_user and ("auth" in reason or "password" in reason)):
            fix = f"check the user name and password, and {ENCODING_ADVICE}"
        raise OutputError(
            f"an MQTT broker at {self.name}",
            reason,
            fix,
            code="mqtt-connection-failed",
            summary=f"cannot connect to the MQTT broker at {self.name} ({reason})",
        )


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
