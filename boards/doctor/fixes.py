"""Commands that mend what ails an Edge TPU. None of them was tried on one."""

from pathlib import Path

from boards.doctor.platform import release
from boards.doctor.system import HostSystem
from boards.profile import find

SWITCH_PCIE_ON = "echo dtparam=pciex1 | sudo tee -a /boot/firmware/config.txt && sudo reboot"

SMALL_PAGES = "echo kernel=kernel8.img | sudo tee -a /boot/firmware/config.txt && sudo reboot"

DRIVER = """\
sudo apt-get install -y git devscripts debhelper dh-dkms dkms "linux-headers-$(uname -r)"
git clone https://github.com/feranick/gasket-driver && cd gasket-driver && debuild -us -uc -tc -b
sudo apt-get install -y ../gasket-dkms_*_all.deb && sudo modprobe apex"""

LOOK = {
    "pcie": "lspci -nn -d 1ac1:089a\nsudo dmesg | grep -iE 'pcie|apex|gasket'",
    "usb2": "lsusb\nsudo dmesg | grep -i usb",
}
"""Bus of an Edge TPU that is soldered on → what shows whether the kernel sees it."""

APPLY_RULES = "sudo udevadm control --reload-rules && sudo udevadm trigger"

_LIBRARY = "https://github.com/feranick/libedgetpu/releases/download/16.0TF2.19.1-1"
_BUILDS = ("trixie", "bookworm")
_DEBIAN = {"x86_64": "amd64", "aarch64": "arm64"}

_PROFILES = {"plugdev": "coral-usb", "apex": "coral-pcie"}
"""Group that an Edge TPU belongs to → the accelerator whose profile holds the rules of udev."""


def library(system: HostSystem) -> str:
    """Install the maintained build of libedgetpu for this release of Debian."""
    codename, machine = release(system), system.ask("uname", "-m") or ""
    build = codename if codename in _BUILDS else _BUILDS[-1]
    file = f"libedgetpu1-std_16.0tf2.19.1-1.{build}_{_DEBIAN.get(machine, 'arm64')}.deb"
    return f"curl -fLO {_LIBRARY}/{file}\nsudo apt-get install -y ./{file}"


def rules(system: HostSystem) -> list[str]:
    """The texts of udev's rules that speak of an Edge TPU."""
    folders = ("etc", "usr/lib", "lib", "run", "usr/local/lib")
    paths = [path for one in folders for path in system.found(f"{one}/udev/rules.d/*.rules")]
    texts = [system.text(path) or "" for path in paths]
    return [text for text in texts if "1a6e" in text or "apex" in text]


def rule(group: str, joined: bool) -> str:
    """Join ``group``, and write the rules that give it the device: udev obeys none for a group that
    is not there yet."""
    accelerator = find(_PROFILES[group])
    lines = " ".join(f"'{line}'" for line in accelerator.udev)
    path = Path("/etc/udev/rules.d") / f"60-{accelerator.name}.rules"
    write = f"printf '%s\\n' {lines} | sudo tee {path}\n{APPLY_RULES}"
    return write if joined else f"{join(group)}\n{write}"


def join(group: str) -> str:
    return f'sudo groupadd -f {group} && sudo usermod -aG {group} "$USER"'
