"""A board that is booted, with a real systemd: a Debian of this machine's own processor.

systemd-nspawn boots it out of a folder, as a container on this machine's network. It is what the
emulated boards are not, and the other way round: systemd is real, the processor not the board's.
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
OTHER = "ann"
"""Who logs in as well, and has no rights of root."""

_PACKAGES = (
    "ca-certificates", "dbus", "dbus-user-session", "libgl1", "libglib2.0-0", "libpam-systemd",
    "openssh-server", "python3", "python3-pip", "python3-venv", "sudo", "systemd", "systemd-sysv",
)  # fmt: skip
_TOOLS = {"debootstrap": "debootstrap", "systemd-nspawn": "systemd-container", "zstd": "zstd"}


def missing() -> str | None:
    """Why nothing can be booted here, with what mends it; None if it can."""
    if os.geteuid() != 0:
        return "expected root, to boot a container: sudo make test-board"
    lacking = sorted(package for tool, package in _TOOLS.items() if shutil.which(tool) is None)
    return f"expected Debian packages: apt-get install -y {' '.join(lacking)}" if lacking else None


@dataclass(frozen=True, slots=True)
class Machine:
    """A Debian in ``folder``, into which ``workstation`` logs in at ``port`` when it is booted."""

    folder: Path
    port: int
    workstation: Workstation
    log: Path

    @contextmanager
    def running(self) -> Iterator[None]:
        """Boot it; it is shut down afterwards."""
        command = ["systemd-nspawn", "--boot", f"--directory={self.folder}", "--register=no",
                   "--keep-unit"]  # fmt: skip
        with self.log.open("ab") as told:
            container = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=told, stderr=told
            )
        try:
            wait_for(self.port, container)
            yield
        finally:
            container.terminate()  # upon which it shuts down
            try:
                container.wait(60)
            except subprocess.TimeoutExpired:
                container.kill()
                container.wait()

    def address(self, user: str = USER) -> str:
        return f"{user}@127.0.0.1:{self.port}"

    def run(self, command: str, user: str = USER) -> str:
        """What a command says that is run there over ssh."""
        done = subprocess.run(
            ["ssh", f"-p{self.port}", f"-i{self.workstation.key}", "-oBatchMode=yes",
             f"-oUserKnownHostsFile={self.workstation.known_hosts}", f"{user}@127.0.0.1", command],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        return done.stdout.strip()


@contextmanager
def machine(cache: Path, workstation: Workstation, log: Path) -> Iterator[Machine]:
    """A fresh one out of the cache, not booted; it is made first where it is not there.

    :data:`USER` may log in there, with sudo, and :data:`OTHER`, without.
    """
    asked = subprocess.run(
        ["dpkg", "--print-architecture"], capture_output=True, text=True, check=True
    )
    own = asked.stdout.strip()
    archive = cache / f"{RELEASE}-{own}-systemd.tar.zst"
    if not archive.exists():
        build(RELEASE, archive, own, _PACKAGES)
    folder = Path(tempfile.mkdtemp(prefix="board-systemd-"))
    try:
        unpack(archive, folder)
        folder.chmod(0o755)
        for user in (USER, OTHER):
            key = workstation.key.with_suffix(".pub")
            add_user(folder, user, key, sudo=user == USER)
        yield Machine(folder, _port(folder, workstation), workstation, log)
    finally:
        subprocess.run(["rm", "-rf", "--one-file-system", str(folder)], check=True)


def _port(folder: Path, workstation: Workstation) -> int:
    """A free one, where its sshd shall listen; its key is written down."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    config = folder / "etc/ssh/sshd_config.d/port.conf"
    config.write_text(f"Port {port}\nListenAddress 127.0.0.1\nMaxStartups 100\n")
    host = (folder / "etc/ssh/ssh_host_ed25519_key.pub").read_text()
    with workstation.known_hosts.open("a") as known:
        known.write(f"[127.0.0.1]:{port} {host}")
    return int(port)
