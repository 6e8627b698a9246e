"""USB devices, from /sys or, where that is hidden, from lsusb."""

import re
from dataclasses import dataclass

from boards.doctor.system import HostSystem


@dataclass(frozen=True, slots=True)
class UsbDevice:
    """``id``: "vendor:product"; ``node``: its file below /; ``mbit``: its speed, None: unknown."""

    id: str
    node: str
    mbit: float | None

    @property
    def speed(self) -> str:
        """The generation of USB that it runs at.

        https://www.kernel.org/doc/Documentation/ABI/testing/sysfs-bus-usb (1.5, 12, 480, 5000, …)
        """
        if self.mbit is None:
            return "at an unknown speed"
        generation = 3 if self.mbit >= 5000 else 2 if self.mbit >= 480 else 1
        return f"at USB {generation} ({self.mbit:g} Mbit/s)"


def devices(system: HostSystem) -> list[UsbDevice]:
    """All there are."""
    if not (system.root / "sys/bus/usb/devices").is_dir():
        return _listed(system.ask("lsusb") or "")
    found = []
    for path in system.found("sys/bus/usb/devices/*/idVendor"):
        folder = path.parent.relative_to(system.root)
        names = ("idVendor", "idProduct", "busnum", "devnum", "speed")
        vendor, product, bus, number, speed = (system.text(f"{folder}/{name}") for name in names)
        if vendor and product and bus and number:
            node = f"dev/bus/usb/{int(bus):03}/{int(number):03}"
            found.append(UsbDevice(f"{vendor}:{product}", node, float(speed) if speed else None))
    return found


def _listed(told: str) -> list[UsbDevice]:
    """The lines "Bus 002 Device 003: ID 18d1:9302 Google Inc."."""
    lines = re.findall(r"^Bus (\d+) Device (\d+): ID ([0-9a-f]{4}:[0-9a-f]{4})", told, re.MULTILINE)
    return [UsbDevice(id_, f"dev/bus/usb/{bus}/{number}", None) for bus, number, id_ in lines]
