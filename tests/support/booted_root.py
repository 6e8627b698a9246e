"""A booted board with a real systemd: a Debian for this machine's own processor.

systemd-nspawn boots it from a folder, as a container on this machine's network. It complements the
emulated boards: here systemd is real, there the processor is the board's.
"""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from emulated_root import USER, add_user, build, unpack, wait_for
from ssh_board import Workstation

RELEASE = "bookworm"
UNPRIVILEGED_USER = "ann"
"""A second login user, without root privileges."""

_PACKAGES = (
    "ca-certificates", "dbus", "dbus-user-session", "libgl1", "libglib2.0-0", "libpam-systemd",
    "openssh-server", "python3", "python3-pip", "python3-venv", "sudo", "systemd", "systemd-sysv",
)  # fmt: skip
_TOOLS = {"debootstrap": "debootstrap", "systemd-nspawn": "systemd-container", "zstd": "zstd"}


def missing_requirements() -> str | None:
    """Return why nothing can be booted here and how to fix that, or None."""
    if os.geteuid() != 0:
        return "expected root, to boot a container: sudo make test-board"
    packages = sorted(package for tool, package in _TOOLS.items() if shutil.which(tool) is None)
    return (
        f"expected Debian packages: apt-get install -y {' '.join(packages)}" if packages else None
    )


@dataclass(frozen=True, slots=True)
class Machine:
    """A Debian in ``folder``; when booted, ``workstation`` can log in at ``port``."""

    folder: Path
    port: int
    workstation: Workstation
    log: Path

    @contextmanager
    def running(self) -> Iterator[None]:
        """Boot the machine for the block, then shut it down."""
        command = ["systemd-nspawn", "--boot", f"--directory={self.folder}", "--register=no",
                   "--keep-unit"]  # fmt: skip
        with self.log.open("ab") as log:
            container = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            wait_for(self.port, container)
            yield
        finally:
            container.terminate()  # starts its shutdown
            try:
                container.wait(60)
            except subprocess.TimeoutExpired:
                container.kill()
                container.wait()

    def address(self, user: str = USER) -> str:
        return f"{user}@127.0.0.1:{self.port}"

    def run(self, command: str, user: str = USER) -> str:
        """Run a command there over ssh; return its output."""
        done = subprocess.run(
            ["ssh", f"-p{self.port}", f"-i{self.workstation.key}", "-oBatchMode=yes",
             f"-oUserKnownHostsFile={self.workstation.known_hosts}", f"{user}@127.0.0.1", command],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        return done.stdout.strip()


@contextmanager
def machine(cache: Path, workstation: Workstation, log: Path) -> Iterator[Machine]:
    """Create a machine from the cache, which is filled first if necessary; it is not booted.

    :data:`USER` can log in with sudo, :data:`UNPRIVILEGED_USER` without.
    """
    done = subprocess.run(
        ["dpkg", "--print-architecture"], capture_output=True, text=True, check=True
    )
    architecture = done.stdout.strip()
    archive = cache / f"{RELEASE}-{architecture}-systemd.tar.zst"
    if not archive.exists():
        build(RELEASE, archive, architecture, _PACKAGES)
    folder = Path(tempfile.mkdtemp(prefix="board-systemd-"))
    try:
        unpack(archive, folder)
        folder.chmod(0o755)
        for user in (USER, UNPRIVILEGED_USER):
            key = workstation.key.with_suffix(".pub")
            add_user(folder, user, key, sudo=user == USER)
        yield Machine(folder, _port(folder, workstation), workstation, log)
    finally:
        subprocess.run(["rm", "-rf", "--one-file-system", str(folder)], check=True)


def _port(folder: Path, workstation: Workstation) -> int:
    """Configure its sshd with a free port and record its host key; return the port."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    config = folder / "etc/ssh/sshd_config.d/port.conf"
    config.write_text(f"Port {port}\nListenAddress 127.0.0.1\nMaxStartups 100\n")
    host = (folder / "etc/ssh/ssh_host_ed25519_key.pub").read_text()
    with workstation.known_hosts.open("a") as known:
        known.write(f"[127.0.0.1]:{port} {host}")
    return int(port)
