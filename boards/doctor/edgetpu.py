"""The Edge TPU: device, driver, permission, library, and whether the library runs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from boards.doctor import fixes
from boards.doctor.finding import Finding, fail, ok, warn
from boards.doctor.platform import model
from boards.doctor.system import DIED, TIMEOUT, HostSystem
from boards.doctor.usb import UsbDevice, devices
from boards.profile import Profile
from edge.edgetpu_probe import CRASHED, NOT_LOADABLE

UNUSED, USED = "1a6e:089a", "18d1:9302"
"""USB ids of an Edge TPU before its first use, which loads its firmware, and after."""

_PCI = ("0x1ac1", "0x089a")

_LIBRARIES = ("usr/lib/*/libedgetpu.so.1", "usr/lib/libedgetpu.so.1",
              "usr/local/lib/libedgetpu.so.1")  # fmt: skip


@dataclass(frozen=True, slots=True)
class EdgeTpuDevices:
    """What there is of Edge TPUs: on USB, on PCIe (seen or not), and the driver's files.

    ``apex``: those that the driver made, whether they are passed into this container or not.
    """

    usb: tuple[UsbDevice, ...]
    pci: bool
    apex: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.usb or self.pci or self.apex)


def edgetpu(system: HostSystem, profile: Profile) -> Iterator[Finding]:
    present = find_devices(system)
    if not present:
        yield _none(system, profile)
        if profile.run.delegate == "edgetpu":
            yield from _library(system)
        return
    obstacles = [*_library(system), *_permissions(system, present)]
    yield from obstacles
    if all(finding.state == "ok" for finding in obstacles):
        yield from _trial(system, present)
        present = find_devices(system)  # the first use changes a USB accelerator's id and place
    yield from _on_usb(profile, present)
    yield from _on_pci(system, present)


def find_devices(system: HostSystem) -> EdgeTpuDevices:
    cards = system.found("sys/bus/pci/devices/*/vendor")
    ids = [(system.text(card), system.text(card.with_name("device"))) for card in cards]
    made = (*system.found("dev/apex_*"), *system.found("sys/class/apex/apex_*"))
    return EdgeTpuDevices(
        tuple(device for device in devices(system) if device.id in (UNUSED, USED)),
        _PCI in ids,
        tuple(sorted({f"dev/{path.name}" for path in made})),
    )


def _none(system: HostSystem, profile: Profile) -> Finding:
    if profile.run.delegate != "edgetpu":
        return ok("Edge TPU", "none; models run on the CPU")
    if profile.accelerator is None:
        return _none_of_its_own(profile)
    buses = profile.accelerator.buses
    found = f"none on {_describe(buses)}, but the profile {profile.name} has one"
    means = "Models compiled for it cannot run. Plug it in directly, without a hub."
    switched_on = "dtparam=pciex1" in (system.text("boot/firmware/config.txt") or "")
    if "pcie" in buses and model(system).startswith("Raspberry Pi 5") and not switched_on:
        means = "The PCIe connector is disabled until it is turned on."
        return fail("Edge TPU", found, means, fixes.SWITCH_PCIE_ON)
    return fail("Edge TPU", found, means)


def _none_of_its_own(profile: Profile) -> Finding:
    """Where one is soldered on, nothing can be plugged in."""
    found = f"none on {_describe((profile.edgetpu,))}, but the {profile.title} has one soldered on"
    means = (
        "Models compiled for it cannot run. The kernel does not see it: turn the board off and on "
        "again, and if that does not help, check the kernel's log."
    )
    return fail("Edge TPU", found, means, fixes.LOOK[profile.edgetpu])


def _describe(buses: Iterable[str]) -> str:
    """The buses as people call them: "USB", or "PCIe"."""
    return " or ".join(dict.fromkeys("PCIe" if bus == "pcie" else "USB" for bus in buses))


def _library(system: HostSystem) -> Iterator[Finding]:
    there = [path for pattern in _LIBRARIES for path in system.found(pattern)]
    if not there:
        means = "Without this library, no model can use an Edge TPU."
        yield fail("libedgetpu", "not installed", means, fixes.library(system))
        return
    name = f"/{there[0].relative_to(system.root)}"
    format_ = "--showformat=${Package} ${Version} ${db:Status-Status}\\n"
    command = ("dpkg-query", "--show", format_, "libedgetpu1-std", "libedgetpu1-max")
    # It ends with 1 where one of them is unknown, and tells of the other.
    lines = (line.split() for line in system.run(command, TIMEOUT).out.splitlines())
    packages = {line[0]: line[1] for line in lines if len(line) == 3 and line[2] == "installed"}
    if not packages:
        yield ok("libedgetpu", f"{name}, not installed from a package")
        return
    package, version = next(iter(packages.items()))
    found = f"{package} {version}"
    if "tf" in version:
        yield ok("libedgetpu", found)
    else:
        means = "Google's 2021 build crashes with current interpreters; use the maintained build."
        yield fail("libedgetpu", found, means, fixes.library(system))


def _trial(system: HostSystem, present: EdgeTpuDevices) -> Iterator[Finding]:
    """Load the library in a process of its own, since it may crash or hang."""
    module = system.probe("interpreter").get("module")
    if module is None:  # which the check of the interpreter tells
        return
    reason = system.probe("edgetpu", module).get("trouble")
    nodes = (*present.apex, *(device.node for device in present.usb))
    if reason is None:
        means = "To run a compiled model, use 'edge bench MODEL_edgetpu.tflite'."
        yield ok("Edge TPU", "libedgetpu loads and a device responds", means)
    elif reason.startswith((DIED, CRASHED, NOT_LOADABLE)):
        means = "Every program that uses it crashes. Install a current build."
        yield fail("Edge TPU", reason, means, fixes.library(system))
    else:
        means = (
            "Only one program at a time can use it: check which one does. "
            "If none does, unplug it and plug it in again."
        )
        yield fail("Edge TPU", reason, means, f"sudo fuser -v {' '.join(f'/{n}' for n in nodes)}")


def _on_usb(profile: Profile, present: EdgeTpuDevices) -> Iterator[Finding]:
    for device in present.usb:
        state = "before its first use" if device.id == UNUSED else "in use since it was plugged in"
        found = f"on USB: {device.id}, {state}, {device.speed}"
        slow = device.id == USED and device.mbit is not None and device.mbit < 5000
        if slow and "usb3" in profile.buses:
            means = "At USB 2 it is about three times slower. Use a USB 3 port (blue) and cable."
            yield warn("Edge TPU", found, means)
        else:
            yield ok("Edge TPU", found)


def _on_pci(system: HostSystem, present: EdgeTpuDevices) -> Iterator[Finding]:
    for node in present.apex:
        yield ok("Edge TPU", f"on PCIe: /{node}")
    if present.apex or not present.pci:
        return
    found = "on PCIe, but /dev/apex_0 is missing"
    kernel = system.ask("uname", "-r") or ""
    if system.found("sys/module/apex") and system.ask("getconf", "PAGESIZE") == "16384":
        means = (
            "The driver does not work with 16 KiB kernel pages; use the kernel with 4 KiB pages."
        )
        yield fail("Edge TPU", found, means, fixes.SMALL_PAGES)
    elif system.found("sys/module/apex"):
        means = "The driver is loaded, but rejected the device; the kernel's log says why."
        yield fail("Edge TPU", found, means, "sudo dmesg | grep -iE 'apex|gasket'")
    elif system.found(f"lib/modules/{kernel}/**/apex.ko*"):
        yield fail("Edge TPU", found, "The driver is not loaded.", "sudo modprobe apex")
    else:
        means = "Its driver (gasket, apex) was removed from Linux 5.13 and is not installed."
        yield fail("Edge TPU", found, means, fixes.DRIVER)


def _permissions(system: HostSystem, present: EdgeTpuDevices) -> Iterator[Finding]:
    for device in present.usb:
        yield from _permission(system, device.node, "plugdev")
    for node in present.apex:
        yield from _permission(system, node, "apex")


def _permission(system: HostSystem, node: str, group: str) -> Iterator[Finding]:
    path = system.root / node
    if not path.exists():
        means = "Inside a container, the device must be passed in."
        yield fail("Edge TPU", f"no /{node}", means, f"docker run --device /{node} …")
    elif not system.may_use(path):
        rule = any(group in text for text in fixes.rules(system))
        joined = group in (system.ask("id", "-nG") or "").split()
        found = f"no permission for /{node}"
        if not rule:
            means = f"No udev rule gives the group {group} access."
            yield fail("Edge TPU", found, means, fixes.rule(group, joined))
        elif not joined:
            means = f"Only the group {group} may use it. Log out and back in afterwards."
            yield fail("Edge TPU", found, means, fixes.join(group))
        else:
            means = (
                f"You are in the group {group}, but the rule is newer. Plug the device in again."
            )
            yield fail("Edge TPU", found, means, fixes.APPLY_RULES)
