"""An emulated board: an arm64 Debian in a folder, in which programs run through qemu.

Raspberry Pi OS is Debian with another kernel, so that its Python, its C library and its wheels are
the board's own. What it is not: a board. There is no camera, no GPIO and no Edge TPU in it, and
times mean nothing.
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
"""Who logs in to a board."""

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
"""LiteRT looks up the processor's cores; told of an x86 one, it crashes."""

_BINFMT = Path("/proc/sys/fs/binfmt_misc")


def missing() -> str | None:
    """Why there can be no emulated board here, with what mends it; None if there can."""
    if os.geteuid() != 0:
        return "expected root, for chroot and mounts: sudo make test-board"
    lacking = [package for tool, package in _TOOLS.items() if shutil.which(tool) is None]
    if shutil.which("update-binfmts") is None:
        lacking.append("binfmt-support")
    if lacking:
        return f"expected Debian packages: apt-get install -y {' '.join(sorted(lacking))}"
    return None


@contextmanager
def emulation() -> Iterator[None]:
    """Let the kernel hand arm64 programs to qemu, with the rights of their owner where sudo(8)
    wants them: Debian's own entry leaves these away."""
    if not (_BINFMT / "register").exists():
        subprocess.run(["mount", "-t", "binfmt_misc", "none", _BINFMT], check=True)
    if not (_BINFMT / "qemu-aarch64").exists():
        subprocess.run(["update-binfmts", "--enable", "qemu-aarch64"], check=True)
    said = dict(
        line.split(" ", 1) for line in (_BINFMT / "qemu-aarch64").read_text().splitlines()[1:]
    )
    magic, mask = (re.sub("..", r"\\x\g<0>", said[key]) for key in ("magic", "mask"))
    entry = _BINFMT / f"edge-board-{os.getpid()}"
    (_BINFMT / "register").write_text(f":{entry.name}:M::{magic}:{mask}:{said['interpreter']}:PFC")
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
            AssertionError: it failed; its output is told.
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
        }

    def copy_in(self, path: Path, place: str) -> None:
        """Copy a file or folder to an absolute place in it."""
        goal = self.folder / place.lstrip("/")
        goal.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, goal, dirs_exist_ok=True)
        else:
            shutil.copy(path, goal)


@dataclass(frozen=True, slots=True)
class Board:
    """A root with the toolkit in /opt/edge, and with models and images in /data."""

    root: Root
    wheel: Path
    wheels: Path

    def edge(self, *arguments: object, check: bool = True) -> "subprocess.CompletedProcess[str]":
        return self.root.run("/opt/edge/bin/edge", *arguments, check=check)


@contextmanager
def root(release: str, cache: Path) -> Iterator[Root]:
    """A fresh root of ``release``, out of the cache; it is made first where it is not there."""
    archive = cache / f"{release}-arm64.tar.zst"
    with emulation():
        if not archive.exists():
            build(release, archive, "arm64", (*_PACKAGES, _GLIB[release]))
        place = Path(tempfile.mkdtemp(prefix=f"board-{release}-"))
        try:
            unpack(archive, place)
            with _mounted(place):
                yield Root(release, place)
        finally:  # never into a mount that could not be undone
            subprocess.run(["rm", "-rf", "--one-file-system", str(place)], check=True)


def build(release: str, archive: Path, architecture: str, packages: Sequence[str]) -> None:
    """Make the archive of a Debian with some packages."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.parent) as name:
        folder = Path(name) / "root"
        log = archive.with_suffix(".log")
        command: Sequence[str | Path] = (
            "debootstrap", f"--arch={architecture}", "--variant=minbase",
            f"--include={','.join(packages)}", release, folder, MIRROR,
        )  # fmt: skip
        with log.open("w") as told:
            done = subprocess.run(command, stdout=told, stderr=told, check=False)
        assert done.returncode == 0, f"debootstrap failed: see {log}"
        part = Path(name) / "part"
        _tar("--exclude=./var/cache/apt/archives/*.deb", "-cf", part, "-C", folder, ".")
        part.rename(archive)


def unpack(archive: Path, place: Path) -> None:
    _tar("-xf", archive, "-C", place)


def _tar(*arguments: str | Path) -> None:
    subprocess.run(["tar", "--zstd", *map(str, arguments)], check=True)


@contextmanager
def _mounted(folder: Path) -> Iterator[None]:
    with ExitStack() as mounts:
        for place, kind in _MOUNTS.items():
            goal = folder / place
            goal.mkdir(exist_ok=True)
            subprocess.run(["mount", "-t", kind, kind, str(goal)], check=True)
            mounts.callback(subprocess.run, ["umount", "--lazy", str(goal)], check=True)
        told, goal = folder / "cpuinfo", folder / "proc/cpuinfo"
        told.write_text(_PROCESSOR)
        subprocess.run(["mount", "--bind", str(told), str(goal)], check=True)
        mounts.callback(subprocess.run, ["umount", "--lazy", str(goal)], check=True)
        yield


@contextmanager
def sshd(root: Root, key: Path, known_hosts: Path) -> Iterator[int]:
    """A running sshd of the board's own on 127.0.0.1, that lets :data:`USER` in by a key; its port.

    The board's host key is written down in ``known_hosts``.
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
               "-oStrictModes=no"]  # fmt: skip
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
    """A user of a Debian in ``folder`` whom a public key lets in. ``sudo``: who may do everything
    without a password, like the first one of a Raspberry Pi."""
    useradd = ["useradd", "--create-home", "--shell=/bin/bash", "--password=*", name]
    subprocess.run(["chroot", folder, *useradd], check=True)
    home = folder / "home" / name
    (home / ".ssh").mkdir()
    shutil.copy(key, home / ".ssh/authorized_keys")
    subprocess.run(["chroot", folder, "chown", "-R", f"{name}:", f"/home/{name}/.ssh"], check=True)
    if sudo:
        rule = folder / f"etc/sudoers.d/010_{name}-nopasswd"
        rule.write_text(f"{name} ALL=(ALL) NOPASSWD: ALL\n")
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
