"""A board for tests: a real sshd on this machine, with a folder that stands in for the board.

A login has its own home and PATH. That PATH has stand-ins for programs that a test must not touch
(systemctl, journalctl, loginctl) or needs to change: a full disk, an older Python, no root
privileges. Everything else is from this machine. Its Python creates environments that use the
packages of this one, so that a deployment takes seconds.
"""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

SUPPORT = Path(__file__).parent
SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


@dataclass(frozen=True, slots=True)
class Workstation:
    """A home with a key and known hosts, from which ``edge`` is run."""

    home: Path

    @property
    def key(self) -> Path:
        return self.home / ".ssh/id_ed25519"

    @property
    def known_hosts(self) -> Path:
        return self.home / ".ssh/known_hosts"

    @property
    def environment(self) -> dict[str, str]:
        """Environment of a subprocess; no agent, so that no other key is accepted."""
        kept = {key: value for key, value in os.environ.items() if key != "SSH_AUTH_SOCK"}
        return kept | {"HOME": str(self.home), "COLUMNS": "100"}

    def start(self, *words: object) -> "subprocess.Popen[str]":
        """Start an ``edge`` command here."""
        return subprocess.Popen(
            [sys.executable, "-m", "edge", *map(str, words)], env=self.environment,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def edge(self, *words: object, code: int = 0) -> tuple[str, str]:
        """Run an ``edge`` command here; return stdout and stderr."""
        running = self.start(*words)
        out, err = running.communicate(timeout=1800)
        assert running.returncode == code, out + err
        return out, err


@dataclass(frozen=True, slots=True)
class SshBoard:
    """``home``: of the login user; ``bin``: the first folder on the PATH."""

    home: Path
    bin: Path
    port: int

    @property
    def address(self) -> str:
        return f"{pwd.getpwuid(os.getuid()).pw_name}@127.0.0.1:{self.port}"

    @property
    def root(self) -> Path:
        return self.home / "edge-toolkit"

    @property
    def running(self) -> str:
        """The release that ``current`` points to, "" for none."""
        link = self.root / "current"
        return link.readlink().name if link.is_symlink() else ""

    def stand_in(self, name: str, script: str) -> None:
        """Put a shell script as a program on the board's PATH."""
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\n{textwrap.dedent(script)}")
        path.chmod(0o755)

    def systemctl(self, *words: str) -> str:
        """Return the output of the board's systemctl --user."""
        environment = {"HOME": str(self.home), "PATH": f"{self.bin}:{os.environ['PATH']}"}
        command = [self.bin / "systemctl", "--user", *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    def process(self) -> int:
        """Return the process id of the service, 0 if it does not run."""
        output = self.systemctl("show", "edge-toolkit", "--property=MainPID")
        return int(output.partition("=")[2])


def make_workstation(home: Path) -> Workstation:
    """Create a home with a new key."""
    (home / ".ssh").mkdir(parents=True, mode=0o700)
    workstation = Workstation(home)
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", workstation.key], check=True
    )
    return workstation


def packages(folder: Path) -> Path:
    """Create a folder of links to the packages installed here, except edge-toolkit itself."""
    import numpy

    folder.mkdir()
    for path in Path(numpy.__file__).parents[1].iterdir():
        if "edge_vision_toolkit" not in path.name and path.suffix != ".pth":
            (folder / path.name).symlink_to(path)
    return folder


@contextmanager
def board(
    folder: Path, workstation: Workstation, package_links: Path, environments: Path | None = None
) -> Iterator[SshBoard]:
    """Run a board in ``folder``; it and the workstation know each other's keys.

    ``package_links``: from :func:`packages`; ``environments``: folder of environments that boards
    share.
    """
    home, programs = folder / "home", folder / "bin"
    for path in (home, programs):
        path.mkdir(parents=True)
    if environments is not None:
        (home / "edge-toolkit").mkdir()
        (home / "edge-toolkit/envs").symlink_to(environments)
    for name in ("systemctl", "journalctl"):
        script = (SUPPORT / "systemctl_standin.py").read_text().splitlines(keepends=True)
        (programs / name).write_text("".join([f"#!{sys.executable}\n", *script[1:]]))
        (programs / name).chmod(0o755)
    with _sshd(folder, workstation, home, programs) as port:
        emulated = SshBoard(home, programs, port)
        emulated.stand_in("loginctl", "exit 0\n")
        emulated.stand_in("sudo", "exit 1\n")
        emulated.stand_in("sync", "exit 0\n")  # it waits for the disk of the whole machine
        emulated.stand_in(
            "id", f'case $1 in -u) echo {os.getuid() or 1000} ;; *) exec /usr/bin/id "$@" ;; esac\n'
        )
        emulated.stand_in("python3", _python(package_links))
        for other in ("python3.11", "python3.12", "python3.13"):  # those of this machine
            emulated.stand_in(other, "exit 127\n")
        yield emulated
        emulated.systemctl("stop", "edge-toolkit")


def _python(package_links: Path) -> str:
    """Return a script that runs this Python; its environments use the packages in the links."""
    base = getattr(sys, "_base_executable", sys.executable)
    site = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    return f"""\
        [ "$1 $2" = "-m venv" ] || exec {base} "$@"
        shift 2
        {base} -m venv --without-pip "$@" || exit  # pip is among the packages, too
        shift $(($# - 1))
        echo {package_links} >"$1/{site}/links.pth"
    """


@contextmanager
def _sshd(folder: Path, workstation: Workstation, home: Path, programs: Path) -> Iterator[int]:
    """Run an sshd; yield its port."""
    key, keys, enter = folder / "host_key", folder / "authorized_keys", folder / "enter"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    shutil.copy(workstation.key.with_suffix(".pub"), keys)
    enter.write_text(
        f"#!/bin/sh\nexport HOME={home} PATH={programs}:{os.environ['PATH']}\ncd\n"
        "unset XDG_CONFIG_HOME PYTHONPATH VIRTUAL_ENV EDGE_CACHE\n"
        'exec sh -c "$SSH_ORIGINAL_COMMAND"\n'
    )
    enter.chmod(0o755)
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    config = folder / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {key}\nAuthorizedKeysFile {keys}\n"
        f"ForceCommand {enter}\nPidFile none\nStrictModes no\nUsePAM no\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
        "PermitRootLogin prohibit-password\nMaxStartups 100\nMaxSessions 20\n"
    )
    with (folder / "sshd.log").open("w") as log:
        server = subprocess.Popen([str(SSHD), "-D", "-e", "-f", config], stderr=log)
    try:
        _wait_for_sshd(port, server, folder / "sshd.log")
        public = key.with_suffix(".pub").read_text()
        with workstation.known_hosts.open("a") as known:
            known.write(f"[127.0.0.1]:{port} {public}")
        yield port
    finally:
        server.terminate()
        server.wait()


def _wait_for_sshd(port: int, server: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until the server responds."""
    end = time.monotonic() + 20
    while time.monotonic() < end and server.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                if connection.recv(4) == b"SSH-":
                    return
        except OSError:
            time.sleep(0.02)
    raise AssertionError(log.read_text())
