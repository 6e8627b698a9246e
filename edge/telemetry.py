"""What the board says about itself while it works: temperature and throttling."""

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
    """``temperature_c`` of the hottest zone and ``throttling``; empty where it cannot be read."""
    found: dict[str, Any] = {}
    if (hottest := temperature(root)) is not None:
        found["temperature_c"] = hottest
    if (throttling := _throttling()) is not None:
        found["throttling"] = throttling
    return found


def temperature(root: Path = ROOT) -> float | None:
    """°C of the hottest zone; None where it cannot be read."""
    values = []
    for zone in root.glob("sys/class/thermal/thermal_zone*/temp"):
        try:
            values.append(int(zone.read_text()) / 1000)
        except (OSError, ValueError):  # a zone that is switched off
            continue
    return max(values, default=None)


def _throttling() -> list[str] | None:
    """What slows the board, now or since it was started; None where it does not say."""
    command = shutil.which("vcgencmd")
    if command is None:
        return None
    try:
        said = subprocess.run(
            [command, "get_throttled"], capture_output=True, text=True, timeout=2, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return throttling_of(said)


def throttling_of(said: str) -> list[str] | None:
    """The words for ``throttled=0x…``; None where it is something else.

    >>> throttling_of("throttled=0x50005")
    ['under-voltage now', 'throttled now', 'under-voltage earlier', 'throttled earlier']
    """
    try:
        bits = int(said.strip().partition("=")[2], 16)
    except ValueError:
        return None
    return [
        f"{word} {when}"
        for shift, when in ((0, "now"), (16, "earlier"))
        for bit, word in _THROTTLED.items()
        if bits >> (bit + shift) & 1
    ]
