"""An emulated board: an arm64 Debian in a folder, whose programs run in qemu.

Raspberry Pi OS is Debian with another kernel: Python, C library and wheels are the same as on the
board. There is no camera, GPIO or Edge TPU, and times are meaningless.
"""

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

PYTHONS = {"bookworm": "3.11", "trixie": "3.13"}
"""Release of Debian → its Python."""

USER = "pi"
"""Login user of a board."""

MIRROR = "http://deb.debian.org/debian"

_PACKAGES = (
    "ca-certificates", "libgl1", "openssh-server", "python3", "python3-pip",
    "python3-venv", "sudo", "systemd",
)  # fmt: skip
_TOOLS = {"debootstrap": "debootstrap", "qemu-aarch64-static": "qemu-user-static", "zstd": "zstd"}
_GLIB = {"bookworm": "libglib2.0-0", "trixie": "libglib2.0-0t64"}
_MOUNTS = {"proc": "proc", "sys": "sysfs", "dev/pts": "devpts", "dev/shm": "tmpfs"}
_PROCESSOR = """\
processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd08
CPU revision\t: 3

Model\t\t: Raspberry Pi 4 Model B Rev 1.4
"""
"""LiteRT reads the processor's cores, and crashes on those of x86."""

_QEMU_CPU = ("QEMU_CPU", "cortex-a72")
"""The processor of a Raspberry Pi 4. With qemu's own choice, which has every extension, XNNPACK's
int8 kernels compute nonsense in qemu 7.2; on this one, and on a Pi 5's, they are right."""

_BINFMT = Path("/proc/sys/fs/binfmt_misc")


def missing_requirements() -> str | None:
    """Return why no board can be emulated here and how to fix that, or None."""
    if os.geteuid() != 0:
        return "expected root, for chroot and mounts: sudo make test-board"
    packages = [package for tool, package in _TOOLS.items() if shutil.which(tool) is None]
    if shutil.which("update-binfmts") is None:
        packages.append("binfmt-support")
    if packages:
        return f"expected Debian packages: apt-get install -y {' '.join(sorted(packages))}"
    return None


@contextmanager
def emulation() -> Iterator[None]:
    """Let the kernel run arm64 programs with qemu, including setuid programs such as sudo(8).

    Debian's own entry does not support setuid.
    """
    if not (_BINFMT / "register").exists():
        subprocess.run(["mount", "-t", "binfmt_misc", "none", _BINFMT], check=True)
    if not (_BINFMT / "qemu-aarch64").exists():
        subprocess.run(["update-binfmts", "--enable", "qemu-aarch64"], check=True)
    values = dict(
        line.split(" ", 1) for line in (_BINFMT / "qemu-aarch64").read_text().splitlines()[1:]
    )
    magic, mask = (re.sub("..", r"\\x\g<0>", values[key]) for key in ("magic", "mask"))
    entry = _BINFMT / f"edge-board-{os.getpid()}"
    (_BINFMT / "register").write_text(
        f":{entry.name}:M::{magic}:{mask}:{values['interpreter']}:PFC"
    )
    try:
        yield
    finally:
        entry.write_text("-1")


@dataclass(frozen=True, slots=True)
class Root:
    """A Debian in ``folder``, with /proc and /sys mounted."""

    release: str
    folder: Path

    def run(
        self, *command: object, user: str = "root", check: bool = True, timeout: float = 1200
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command in it.

        Raises:
            AssertionError: it failed; the message has its output.
        """
        done = subprocess.run(
            self.command(*command, user=user), capture_output=True, text=True, check=False,
            env=self.environment(user), timeout=timeout,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done

    def command(self, *command: object, user: str = "root") -> list[str]:
        return ["chroot", f"--userspec={user}:{user}", str(self.folder), *map(str, command)]

    def environment(self, user: str = "root") -> dict[str, str]:
        home = "/root" if user == "root" else f"/home/{user}"
        return {
            "PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": home,
            "LANG": "C.UTF-8",
            **dict([_QEMU_CPU]),
        }

    def copy_in(self, path: Path, target: str) -> None:
        """Copy a file or folder to an absolute path in it."""
        destination = self.folder / target.lstrip("/")
        destination.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, destination, dirs_exist_ok=True)
        else:
            shutil.copy(path, destination)


@dataclass(frozen=True, slots=True)
class Board:
    """A root with the toolkit in /opt/edge, and models and images in /data."""

    root: Root
    wheel: Path
    wheels: Path

    def edge(self, *arguments: object, check: bool = True) -> "subprocess.CompletedProcess[str]":
        return self.root.run("/opt/edge/bin/edge", *arguments, check=check)


@contextmanager
def root(release: str, cache: Path) -> Iterator[Root]:
    """Create a root of ``release`` from the cache, which is filled first if necessary."""
    archive = cache / f"{release}-arm64.tar.zst"
    with emulation():
        if not archive.exists():
            build(release, archive, "arm64", (*_PACKAGES, _GLIB[release]))
        folder = Path(tempfile.mkdtemp(prefix=f"board-{release}-"))
        try:
            unpack(archive, folder)
            with _mounted(folder):
                yield Root(release, folder)
        finally:  # without crossing a mount that could not be removed
            subprocess.run(["rm", "-rf", "--one-file-system", str(folder)], check=True)


def build(release: str, archive: Path, architecture: str, packages: Sequence[str]) -> None:
    """Create the archive of a Debian with some packages."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.parent) as name:
        folder = Path(name) / "root"
        log = archive.with_suffix(".log")
        command: Sequence[str | Path] = (
            "debootstrap", f"--arch={architecture}", "--variant=minbase",
            f"--include={','.join(packages)}", release, folder, MIRROR,
        )  # fmt: skip
        with log.open("w") as output:
            done = subprocess.run(command, stdout=output, stderr=output, check=False)
        assert done.returncode == 0, f"debootstrap failed: see {log}"
        part = Path(name) / "part"
        _tar("--exclude=./var/cache/apt/archives/*.deb", "-cf", part, "-C", folder, ".")
        part.rename(archive)


def unpack(archive: Path, folder: Path) -> None:
    _tar("-xf", archive, "-C", folder)


def _tar(*arguments: str | Path) -> None:
    subprocess.run(["tar", "--zstd", *map(str, arguments)], check=True)


@contextmanager
def _mounted(folder: Path) -> Iterator[None]:
    with ExitStack() as mounts:
        for name, kind in _MOUNTS.items():
            target = folder / name
            target.mkdir(exist_ok=True)
            subprocess.run(["mount", "-t", kind, kind, str(target)], check=True)
            mounts.callback(subprocess.run, ["umount", "--lazy", str(target)], check=True)
        cpuinfo, target = folder / "cpuinfo", folder / "proc/cpuinfo"
        cpuinfo.write_text(_PROCESSOR)
        subprocess.run(["mount", "--bind", str(cpuinfo), str(target)], check=True)
        mounts.callback(subprocess.run, ["umount", "--lazy", str(target)], check=True)
        yield


@contextmanager
def sshd(root: Root, key: Path, known_hosts: Path) -> Iterator[int]:
    """Run the board's own sshd on 127.0.0.1, where :data:`USER` logs in with a key; yield its port.

    The board's host key is added to ``known_hosts``.
    """
    add_user(root.folder, USER, key, sudo=True)
    (root.folder / "run/sshd").mkdir(parents=True, exist_ok=True)
    root.run("ssh-keygen", "-A")
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    host = (root.folder / "etc/ssh/ssh_host_ed25519_key.pub").read_text()
    with known_hosts.open("a") as known:
        known.write(f"[127.0.0.1]:{port} {host}")
    options = [f"-p{port}", "-oListenAddress=127.0.0.1", "-oUsePAM=no", "-oMaxStartups=100",
               "-oStrictModes=no", f"-oSetEnv={'='.join(_QEMU_CPU)}"]  # fmt: skip
    server = subprocess.Popen(
        root.command("/usr/sbin/sshd", "-D", *options), env=root.environment(),
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(port, server)
        yield port
    finally:
        server.terminate()
        server.wait()


def add_user(folder: Path, name: str, key: Path, *, sudo: bool) -> None:
    """Add a user with a public key to a Debian in ``folder``.

    ``sudo``: allow everything without a password, as for the first user of a Raspberry Pi.
    """
    useradd = ["useradd", "--create-home", "--shell=/bin/bash", "--password=*", name]
    subprocess.run(["chroot", folder, *useradd], check=True)
    home = folder / "home" / name
    (home / ".ssh").mkdir()
    shutil.copy(key, home / ".ssh/authorized_keys")
    subprocess.run(["chroot", folder, "chown", "-R", f"{name}:", f"/home/{name}/.ssh"], check=True)
    if sudo:
        rule = folder / f"etc/sudoers.d/010_{name}-nopasswd"
        rule.write_text(f"Defaults env_keep += {_QEMU_CPU[0]}\n{name} ALL=(ALL) NOPASSWD: ALL\n")
        rule.chmod(0o440)
    (folder / "etc/hosts").write_text(f"127.0.0.1 localhost {socket.gethostname()}\n")


def wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and server.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
                if connection.recv(4) == b"SSH-":
                    return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the emulated sshd does not answer")
