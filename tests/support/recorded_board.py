"""The recorded state of a board, for the doctor: its files and the output of its commands.

The texts follow the documented formats (proc(5), the kernel's Documentation/ABI, the
Raspberry Pi documentation, the man pages of the commands); none was taken from a board.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from boards.doctor.finding import Finding
from boards.doctor.system import MISSING, CommandResult, HostSystem
from boards.profile import Profile, load

PYTHON = "/home/pi/edge/bin/python"

OS_RELEASE = """\
PRETTY_NAME="Debian GNU/Linux {version} ({codename})"
NAME="Debian GNU/Linux"
VERSION_ID="{version}"
VERSION_CODENAME={codename}
ID=debian
"""

CPUINFO = """\
processor	: {number}
BogoMIPS	: 108.00
Features	: fp asimd evtstrm crc32 cpuid
CPU implementer	: 0x41
CPU architecture: 8

"""

MEMINFO = """\
MemTotal:        3885396 kB
MemFree:         2371028 kB
MemAvailable:    3356764 kB
SwapCached:            0 kB
SwapTotal:        524284 kB
SwapFree:         524284 kB
"""

DF = """\
Filesystem     1024-blocks    Used Available Capacity Mounted on
/dev/mmcblk0p2    30358912 5242880  {available}      19% /
"""

MOUNTS = """\
/dev/mmcblk0p2 / ext4 {option},noatime 0 0
proc /proc proc rw,relatime 0 0
"""

DPKG = "libedgetpu1-{kind} {version} installed\n"

GOOGLES_RULES = """\
SUBSYSTEM=="usb",ATTRS{idVendor}=="1a6e",GROUP="plugdev"
SUBSYSTEM=="usb",ATTRS{idVendor}=="18d1",GROUP="plugdev"
"""

Check = Callable[[HostSystem, Profile], Iterator[Finding]]


class RecordedBoard:
    """A healthy Raspberry Pi 4 with a CSI camera on bookworm, which tests change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.profile = load("raspberry-pi-4b")
        self.now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
        self.inaccessible: set[str] = set()
        self.edgetpu: str | None = None
        self.edgetpu_runs: list[str] = []
        self._outputs: dict[str, CommandResult] = {}
        self._machine()
        self._environment()

    def _machine(self) -> None:
        self.file("proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4\0")
        self.file("etc/os-release", OS_RELEASE.format(version=12, codename="bookworm"))
        self.file("proc/cpuinfo", "".join(CPUINFO.format(number=core) for core in range(4)))
        self.file("proc/cmdline", "console=tty1 root=PARTUUID=1234-02 rootfstype=ext4 rootwait")
        self.file("proc/meminfo", MEMINFO)
        self.file("proc/mounts", MOUNTS.format(option="rw"))
        self.file("sys/class/thermal/thermal_zone0/temp", "48686\n")
        self.folder.joinpath("sys/bus/usb/devices").mkdir(parents=True)
        self.video(0, "unicam-image", index=0)
        self.video(10, "bcm2835-codec-decode", index=0)
        self.set_output("uname -m", "aarch64\n")
        self.set_output("uname -r", "6.6.51+rpt-rpi-v8\n")
        self.set_output("getconf LONG_BIT", "64\n")
        self.set_output("getconf PAGESIZE", "4096\n")
        self.set_output("id -nG", "pi adm sudo video plugdev users\n")
        self.set_output(f"df -Pk {PYTHON}", DF.format(available=23825408))
        self.set_output("vcgencmd get_throttled", "throttled=0x0\n")
        self.set_output("timedatectl show --property=NTPSynchronized --value", "yes\n")

    def _environment(self) -> None:
        self.set_probe("python", version="3.11.2", bits=64, environment="/home/pi/edge")
        litert = "ai_edge_litert.interpreter"
        self.set_probe("interpreter", package="ai-edge-litert 2.3.0", numpy="1.26.4", module=litert)
        self.set_probe("opencv", version="4.11.0", distributions={"opencv-python": "4.11.0.86"})
        self.set_probe("picamera", cameras=["imx708"])

    def clear(self) -> None:
        """Remove all files and commands."""
        self.folder = self.folder / "empty"
        self.folder.mkdir()
        self._outputs.clear()

    def file(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def video(self, number: int, name: str, index: int) -> None:
        self.file(f"dev/video{number}", "")
        self.file(f"sys/class/video4linux/video{number}/name", f"{name}\n")
        self.file(f"sys/class/video4linux/video{number}/index", f"{index}\n")

    def remove_video_devices(self) -> None:
        for path in self.folder.glob("dev/video*"):
            path.unlink()

    def usb(self, vendor: str, product: str, speed: str) -> None:
        """Plug in a device: it is the third of bus 2."""
        for name, text in {"idVendor": vendor, "idProduct": product, "speed": speed,
                           "busnum": "2", "devnum": "3"}.items():  # fmt: skip
            self.file(f"sys/bus/usb/devices/2-1/{name}", f"{text}\n")
        self.file("dev/bus/usb/002/003", "")

    def pci_edgetpu(self) -> None:
        self.file("sys/bus/pci/devices/0000:01:00.0/vendor", "0x1ac1\n")
        self.file("sys/bus/pci/devices/0000:01:00.0/device", "0x089a\n")

    def libedgetpu(self, version: str = "16.0tf2.19.1-1.bookworm", kind: str = "std") -> None:
        self.file("usr/lib/aarch64-linux-gnu/libedgetpu.so.1", "")
        format_ = "--showformat=${Package} ${Version} ${db:Status-Status}\\n"
        command = f"dpkg-query --show {format_} libedgetpu1-std libedgetpu1-max"
        other = "dpkg-query: no packages found matching libedgetpu1-max\n"
        self.set_output(command, DPKG.format(kind=kind, version=version), other, code=1)

    def set_output(self, command: str, out: str = "", err: str = "", code: int = 0) -> None:
        self._outputs[command] = CommandResult(out, err, code)

    def set_probe(self, name: str, **values: Any) -> None:
        self.set_output(f"{PYTHON} -P -m boards.doctor.probes {name}", json.dumps(values) + "\n")

    def crash_probe(self, name: str, code: int, err: str = "") -> None:
        self.set_output(f"{PYTHON} -P -m boards.doctor.probes {name}", err=err, code=code)

    def remove_command(self, command: str) -> None:
        self.set_output(command, err="No such file or directory", code=MISSING)

    @property
    def system(self) -> HostSystem:
        return HostSystem(
            root=self.folder,
            run=self._run,
            stop=lambda: None,
            may_use=lambda path: str(path.relative_to(self.folder)) not in self.inaccessible,
            python=PYTHON,
            now=self.now,
        )

    def _run(self, command: tuple[str, ...], _: float) -> CommandResult:
        if command[-2:-1] == ("edgetpu",):
            self.edgetpu_runs.append(command[-1])
            return CommandResult(json.dumps({"problem": self.edgetpu} if self.edgetpu else {}))
        return self._outputs.get(" ".join(command), CommandResult(code=MISSING))

    def findings(self, check: Check) -> list[Finding]:
        return list(check(self.system, self.profile))

    def finding(self, check: Check) -> Finding:
        """Return the only finding of a check."""
        (finding,) = self.findings(check)
        return finding

    def problem(self, check: Check) -> Finding:
        """Return the only finding of a check that is not ok."""
        (finding,) = [finding for finding in self.findings(check) if finding.state != "ok"]
        return finding
