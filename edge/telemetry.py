"""Telemetry of the board: temperature and throttling."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path("/")

_THROTTLED = {
    0: "under-voltage",
    1: "frequency capped",
    2: "throttled",
    3: "soft temperature limit",
}
"""Bits of ``vcgencmd get_throttled`` on a Raspberry Pi; 16 bits higher: since the start.

https://www.raspberrypi.com/documentation/computers/os.html#get_throttled
"""


def telemetry(root: Path = ROOT) -> dict[str, Any]:
    """Read ``temperature_c`` of the hottest zone and ``throttling``, where they can be read."""
    values: dict[str, Any] = {}
    if (hottest := temperature(root)) is not None:
        values["temperature_c"] = hottest
    if (throttling := _throttling()) is not None:
        values["throttling"] = throttling
    return values


def temperature(root: Path = ROOT) -> float | None:
    """Read the temperature of the hottest zone in °C; None where it cannot be read."""
    values = []
    for zone in root.glob("sys/class/thermal/thermal_zone*/temp"):
        try:
            values.append(int(zone.read_text()) / 1000)
        except (OSError, ValueError):  # a zone that is switched off
            continue
    return max(values, default=None)


def _throttling() -> list[str] | None:
    """Read the reasons for throttling, now or since the start; None where they are unknown."""
    command = shutil.which("vcgencmd")
    if command is None:
        return None
    try:
        output = subprocess.run(
            [command, "get_throttled"], capture_output=True, text=True, timeout=2, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return throttling_of(output)


def throttling_of(output: str) -> list[str] | None:
    """Parse ``throttled=0x…`` into reasons; None for other text.

    >>> throttling_of("throttled=0x50005")
    ['under-voltage now', 'throttled now', 'under-voltage earlier', 'throttled earlier']
    """
    try:
        bits = int(output.strip().partition("=")[2], 16)
    except ValueError:
        return None
    return [
        f"{word} {when}"
        for shift, when in ((0, "now"), (16, "earlier"))
        for bit, word in _THROTTLED.items()
        if bits >> (bit + shift) & 1
    ]
