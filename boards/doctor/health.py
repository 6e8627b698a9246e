"""Temperature, and what the firmware says of power and clock."""

from collections.abc import Iterator

from boards.doctor.finding import Finding, fail, ok, warn
from boards.doctor.subprocesses import MISSING
from boards.doctor.system import TIMEOUT, HostSystem
from boards.profile import Profile
from edge.telemetry import temperature, throttling_of

_HOT = 80.0
"""°C from which a Raspberry Pi lowers its clock.

https://www.raspberrypi.com/documentation/computers/raspberry-pi.html#frequency-management-and-thermal-control
"""


def heat(system: HostSystem, _: Profile) -> Iterator[Finding]:
    degrees = temperature(system.root)
    if degrees is None:
        return
    found = f"{degrees:.0f} °C"
    if degrees >= _HOT:
        means = f"The clock is throttled from {_HOT:.0f} °C. Add a heat sink, a fan or ventilation."
        yield warn("temperature", found, means)
    else:
        yield ok("temperature", found)


def power(system: HostSystem, profile: Profile) -> Iterator[Finding]:
    """The bits of ``vcgencmd get_throttled``, on a Raspberry Pi."""
    if not profile.name.startswith("raspberry-pi"):
        return
    answer = system.run(("vcgencmd", "get_throttled"), TIMEOUT)
    if answer.code == MISSING:
        means = "Without it, a weak power supply cannot be detected."
        yield warn(
            "power", "vcgencmd is not installed", means, "sudo apt-get install -y raspi-utils"
        )
        return
    slowed = throttling_of(answer.out)
    if slowed is None:
        found = (answer.err or answer.out).strip() or f"vcgencmd exited with code {answer.code}"
        means = "vcgencmd needs access to the firmware. Log out and back in afterwards."
        yield warn("power", found, means, 'sudo usermod -aG video "$USER"')
    elif not slowed:
        yield ok("power", "no under-voltage or throttling since boot")
    else:
        yield _slowed(slowed)


def _slowed(slowed: list[str]) -> Finding:
    found = ", ".join(slowed)
    weak = (
        "The power supply or its cable is too weak: USB devices disconnect, cards get damaged, "
        "and the clock is throttled. Use the board's official power supply."
    )
    if "under-voltage now" in slowed:
        return fail("power", found, weak)
    if "under-voltage earlier" in slowed:
        return warn("power", found, weak)
    return warn(
        "power", found, "The board is throttled by heat. Add a heat sink, a fan or ventilation."
    )
