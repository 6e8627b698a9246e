"""The Edge TPU: device, driver, permission, library, and whether the library runs.

None of the commands that fix an Edge TPU was tested on a real one.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from boards.doctor.finding import Finding, fail, ok, warn
from boards.doctor.platform import board_model, os_release
from boards.doctor.system import DIED, TIMEOUT, HostSystem
from boards.profile import Profile, find
from edge.edgetpu_probe import CRASHED, NOT_LOADABLE

UNUSED, USED = "1a6e:089a", "18d1:9302"
"""USB ids of an Edge TPU before and after its first use, which loads its firmware."""

_PCI = ("0x1ac1", "0x089a")

_LIBRARIES = ("usr/lib/*/libedgetpu.so.1", "usr/lib/libedgetpu.so.1",
              "usr/local/lib/libedgetpu.so.1")  # fmt: skip

_ENABLE_PCIE = "echo dtparam=pciex1 | sudo tee -a /boot/firmware/config.txt && sudo reboot"

_USE_4K_PAGES = "echo kernel=kernel8.img | sudo tee -a /boot/firmware/config.txt && sudo reboot"

_INSTALL_DRIVER = """\
sudo apt-get install -y git devscripts debhelper dh-dkms dkms "linux-headers-$(uname -r)"
git clone https://github.com/feranick/gasket-driver && cd gasket-driver && debuild -us -uc -tc -b
sudo apt-get install -y ../gasket-dkms_*_all.deb && sudo modprobe apex"""

INSPECT = {
    "pcie": "lspci -nn -d 1ac1:089a\nsudo dmesg | grep -iE 'pcie|apex|gasket'",
    "usb2": "lsusb\nsudo dmesg | grep -i usb",
}
"""Bus of an Edge TPU that is soldered on → commands that show whether the kernel sees it."""

_APPLY_RULES = "sudo udevadm control --reload-rules && sudo udevadm trigger"

_LIBRARY = "https://github.com/feranick/libedgetpu/releases/download/16.0TF2.19.1-1"
_BUILDS = ("trixie", "bookworm")
_DEBIAN = {"x86_64": "amd64", "aarch64": "arm64"}

_PROFILES = {"plugdev": "coral-usb", "apex": "coral-pcie"}
"""Group of an Edge TPU's device file → the accelerator whose profile has the udev rules."""


@dataclass(frozen=True, slots=True)
class UsbDevice:
    """``id``: "vendor:product"; ``node``: path below /; ``mbit``: Mbit/s, None: unknown."""

    id: str
    node: str
    mbit: float | None

    @property
    def speed(self) -> str:
        """USB generation and speed, in words.

        https://www.kernel.org/doc/Documentation/ABI/testing/sysfs-bus-usb (1.5, 12, 480, 5000, …)
        """
        if self.mbit is None:
            return "at an unknown speed"
        generation = 3 if self.mbit >= 5000 else 2 if self.mbit >= 480 else 1
        return f"at USB {generation} ({self.mbit:g} Mbit/s)"


@dataclass(frozen=True, slots=True)
class EdgeTpuDevices:
    """The Edge TPUs of a machine.

    Attributes:
        usb: those on USB.
        pci: True if the kernel sees one on PCIe.
        apex: device files of the PCIe driver, inside this container or only outside of it.
    """

    usb: tuple[UsbDevice, ...]
    pci: bool
    apex: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.usb or self.pci or self.apex)


def edgetpu(system: HostSystem, profile: Profile) -> Iterator[Finding]:
    """Check the Edge TPU: device, driver, permission and library, and run a model on it."""
    present = find_devices(system)
    if not present:
        yield _missing(system, profile)
        if profile.run.delegate == "edgetpu":
            yield from _library(system)
        return
    obstacles = [*_library(system), *_permissions(system, present)]
    yield from obstacles
    if all(finding.state == "ok" for finding in obstacles):
        yield from _test_run(system, present)
        present = find_devices(system)  # the first use changes a USB accelerator's id and path
    yield from _on_usb(profile, present)
    yield from _on_pci(system, present)


def find_devices(system: HostSystem) -> EdgeTpuDevices:
    """Find the Edge TPUs on USB and PCIe."""
    cards = system.glob("sys/bus/pci/devices/*/vendor")
    ids = [(system.text(card), system.text(card.with_name("device"))) for card in cards]
    nodes = (*system.glob("dev/apex_*"), *system.glob("sys/class/apex/apex_*"))
    return EdgeTpuDevices(
        tuple(device for device in _usb_devices(system) if device.id in (UNUSED, USED)),
        _PCI in ids,
        tuple(sorted({f"dev/{path.name}" for path in nodes})),
    )


def _missing(system: HostSystem, profile: Profile) -> Finding:
    if profile.run.delegate != "edgetpu":
        return ok("Edge TPU", "none; models run on the CPU")
    if profile.accelerator is None:
        return _missing_onboard(profile)
    buses = profile.accelerator.buses
    observed = f"none on {_describe(buses)}, but the profile {profile.name} has one"
    explanation = "Models compiled for it cannot run. Plug it in directly, without a hub."
    switched_on = "dtparam=pciex1" in (system.text("boot/firmware/config.txt") or "")
    if "pcie" in buses and board_model(system).startswith("Raspberry Pi 5") and not switched_on:
        explanation = "The PCIe connector is disabled until it is turned on."
        return fail("Edge TPU", observed, explanation, _ENABLE_PCIE)
    return fail("Edge TPU", observed, explanation)


def _missing_onboard(profile: Profile) -> Finding:
    """Report a missing Edge TPU on a board that has one soldered on."""
    observed = (
        f"none on {_describe((profile.edgetpu,))}, but the {profile.title} has one soldered on"
    )
    explanation = (
        "Models compiled for it cannot run. The kernel does not see it: turn the board off and on "
        "again, and if that does not help, check the kernel's log."
    )
    return fail("Edge TPU", observed, explanation, INSPECT[profile.edgetpu])


def _describe(buses: Iterable[str]) -> str:
    """Return the names of buses for people: "USB" or "PCIe"."""
    return " or ".join(dict.fromkeys("PCIe" if bus == "pcie" else "USB" for bus in buses))


def _library(system: HostSystem) -> Iterator[Finding]:
    paths = [path for pattern in _LIBRARIES for path in system.glob(pattern)]
    if not paths:
        explanation = "Without this library, no model can use an Edge TPU."
        yield fail("libedgetpu", "not installed", explanation, _install_library(system))
        return
    name = f"/{paths[0].relative_to(system.root)}"
    format_ = "--showformat=${Package} ${Version} ${db:Status-Status}\\n"
    command = ("dpkg-query", "--show", format_, "libedgetpu1-std", "libedgetpu1-max")
    # Exit code 1 means that one of them is unknown; the other one is still printed.
    lines = (line.split() for line in system.run(command, TIMEOUT).out.splitlines())
    packages = {line[0]: line[1] for line in lines if len(line) == 3 and line[2] == "installed"}
    if not packages:
        yield ok("libedgetpu", f"{name}, not installed from a package")
        return
    package, version = next(iter(packages.items()))
    observed = f"{package} {version}"
    if "tf" in version:
        yield ok("libedgetpu", observed)
    else:
        explanation = (
            "Google's 2021 build crashes with current interpreters; use the maintained build."
        )
        yield fail("libedgetpu", observed, explanation, _install_library(system))


def _test_run(system: HostSystem, present: EdgeTpuDevices) -> Iterator[Finding]:
    """Load the library in a separate process, since it may crash or hang."""
    module = system.probe("interpreter").get("module")
    if module is None:  # reported by the check of the interpreter
        return
    reason = system.probe("edgetpu", module).get("problem")
    nodes = (*present.apex, *(device.node for device in present.usb))
    if reason is None:
        explanation = "To run a compiled model, use 'edge bench MODEL_edgetpu.tflite'."
        yield ok("Edge TPU", "libedgetpu loads and a device responds", explanation)
    elif reason.startswith((DIED, CRASHED, NOT_LOADABLE)):
        explanation = "Every program that uses it crashes. Install a current build."
        yield fail("Edge TPU", reason, explanation, _install_library(system))
    else:
        explanation = (
            "Only one program at a time can use it: check which one does. "
            "If none does, unplug it and plug it in again."
        )
        yield fail(
            "Edge TPU", reason, explanation, f"sudo fuser -v {' '.join(f'/{n}' for n in nodes)}"
        )


def _on_usb(profile: Profile, present: EdgeTpuDevices) -> Iterator[Finding]:
    for device in present.usb:
        state = "before its first use" if device.id == UNUSED else "in use since it was plugged in"
        observed = f"on USB: {device.id}, {state}, {device.speed}"
        slow = device.id == USED and device.mbit is not None and device.mbit < 5000
        if slow and "usb3" in profile.buses:
            explanation = (
                "At USB 2 it is about three times slower. Use a USB 3 port (blue) and cable."
            )
            yield warn("Edge TPU", observed, explanation)
        else:
            yield ok("Edge TPU", observed)


def _on_pci(system: HostSystem, present: EdgeTpuDevices) -> Iterator[Finding]:
    for node in present.apex:
        yield ok("Edge TPU", f"on PCIe: /{node}")
    if present.apex or not present.pci:
        return
    observed = "on PCIe, but /dev/apex_0 is missing"
    kernel = system.output("uname", "-r") or ""
    if system.glob("sys/module/apex") and system.output("getconf", "PAGESIZE") == "16384":
        explanation = (
            "The driver does not work with 16K kernel pages; use the kernel with 4K pages."
        )
        yield fail("Edge TPU", observed, explanation, _USE_4K_PAGES)
    elif system.glob("sys/module/apex"):
        explanation = "The driver is loaded, but rejected the device; the kernel's log says why."
        yield fail("Edge TPU", observed, explanation, "sudo dmesg | grep -iE 'apex|gasket'")
    elif system.glob(f"lib/modules/{kernel}/**/apex.ko*"):
        yield fail("Edge TPU", observed, "The driver is not loaded.", "sudo modprobe apex")
    else:
        explanation = "Its driver (gasket, apex) was removed from Linux 5.13 and is not installed."
        yield fail("Edge TPU", observed, explanation, _INSTALL_DRIVER)


def _permissions(system: HostSystem, present: EdgeTpuDevices) -> Iterator[Finding]:
    for device in present.usb:
        yield from _permission(system, device.node, "plugdev")
    for node in present.apex:
        yield from _permission(system, node, "apex")


def _permission(system: HostSystem, node: str, group: str) -> Iterator[Finding]:
    path = system.root / node
    if not path.exists():
        explanation = "Inside a container, the device must be passed in."
        yield fail("Edge TPU", f"no /{node}", explanation, f"docker run --device /{node} …")
    elif not system.may_use(path):
        rule = any(group in text for text in _udev_rules(system))
        joined = group in (system.output("id", "-nG") or "").split()
        observed = f"no permission for /{node}"
        if not rule:
            explanation = f"No udev rule gives the group {group} access."
            yield fail("Edge TPU", observed, explanation, _grant_access(group, joined))
        elif not joined:
            explanation = f"Only the group {group} may use it. Log out and back in afterwards."
            yield fail("Edge TPU", observed, explanation, _join_group(group))
        else:
            explanation = (
                f"You are in the group {group}, but the rule is newer. Plug the device in again."
            )
            yield fail("Edge TPU", observed, explanation, _APPLY_RULES)


def _usb_devices(system: HostSystem) -> list[UsbDevice]:
    """List the USB devices, from /sys or, if that is hidden, from lsusb."""
    if not (system.root / "sys/bus/usb/devices").is_dir():
        return _from_lsusb(system.output("lsusb") or "")
    devices = []
    for path in system.glob("sys/bus/usb/devices/*/idVendor"):
        folder = path.parent.relative_to(system.root)
        names = ("idVendor", "idProduct", "busnum", "devnum", "speed")
        vendor, product, bus, number, speed = (system.text(f"{folder}/{name}") for name in names)
        if vendor and product and bus and number:
            node = f"dev/bus/usb/{int(bus):03}/{int(number):03}"
            devices.append(UsbDevice(f"{vendor}:{product}", node, float(speed) if speed else None))
    return devices


def _from_lsusb(output: str) -> list[UsbDevice]:
    """Parse lines such as "Bus 002 Device 003: ID 18d1:9302 Google Inc."."""
    lines = re.findall(
        r"^Bus (\d+) Device (\d+): ID ([0-9a-f]{4}:[0-9a-f]{4})", output, re.MULTILINE
    )
    return [UsbDevice(id_, f"dev/bus/usb/{bus}/{number}", None) for bus, number, id_ in lines]


def _install_library(system: HostSystem) -> str:
    """Return the command that installs the maintained libedgetpu for this release of Debian."""
    codename, machine = os_release(system), system.output("uname", "-m") or ""
    build = codename if codename in _BUILDS else _BUILDS[-1]
    file = f"libedgetpu1-std_16.0tf2.19.1-1.{build}_{_DEBIAN.get(machine, 'arm64')}.deb"
    return f"curl -fLO {_LIBRARY}/{file}\nsudo apt-get install -y ./{file}"


def _udev_rules(system: HostSystem) -> list[str]:
    """Return the texts of the udev rules that concern an Edge TPU."""
    folders = ("etc", "usr/lib", "lib", "run", "usr/local/lib")
    paths = [path for folder in folders for path in system.glob(f"{folder}/udev/rules.d/*.rules")]
    texts = [system.text(path) or "" for path in paths]
    return [text for text in texts if "1a6e" in text or "apex" in text]


def _grant_access(group: str, joined: bool) -> str:
    """Return the command that writes the udev rules of ``group`` and, unless joined, joins it.

    The group comes first: udev ignores rules for a group that does not exist.
    """
    accelerator = find(_PROFILES[group])
    lines = " ".join(f"'{line}'" for line in accelerator.udev)
    path = Path("/etc/udev/rules.d") / f"60-{accelerator.name}.rules"
    write = f"printf '%s\\n' {lines} | sudo tee {path}\n{_APPLY_RULES}"
    return write if joined else f"{_join_group(group)}\n{write}"


def _join_group(group: str) -> str:
    """Return the command that adds this user to ``group``."""
    return f'sudo groupadd -f {group} && sudo usermod -aG {group} "$USER"'
