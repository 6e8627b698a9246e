"""A board of tests: a real sshd on this machine, behind which a folder plays a board.

Who logs in finds a home and a PATH of its own. On that PATH lie stand-ins for what a test must
not touch (systemctl, journalctl, loginctl) and for what it wants to be otherwise: a full disk, an
older Python, no rights of root. All else is what this machine has. Its Python makes environments
that see the packages of this one, so that a deploy takes seconds.
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
    """A home with a key and known hosts, from which ``edge`` is called."""

    home: Path

    @property
    def key(self) -> Path:
        return self.home / ".ssh/id_ed25519"

    @property
    def known_hosts(self) -> Path:
        return self.home / ".ssh/known_hosts"

    @property
    def environment(self) -> dict[str, str]:
        """For a subprocess; no agent, so that no other key lets in."""
        kept = {key: value for key, value in os.environ.items() if key != "SSH_AUTH_SOCK"}
        return kept | {"HOME": str(self.home), "COLUMNS": "100"}

    def start(self, *words: object) -> "subprocess.Popen[str]":
        """Start an ``edge`` command here."""
        return subprocess.Popen(
            [sys.executable, "-m", "edge", *map(str, words)], env=self.environment,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def edge(self, *words: object, code: int = 0) -> tuple[str, str]:
        """What an ``edge`` command prints here, on stdout and stderr."""
        running = self.start(*words)
        out, err = running.communicate(timeout=1800)
        assert running.returncode == code, out + err
        return out, err


@dataclass(frozen=True, slots=True)
class SshBoard:
    """``home``: of who logs in; ``bin``: the first folder of its PATH."""

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
        """Put a program of a shell script on the board's PATH."""
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\n{textwrap.dedent(script)}")
        path.chmod(0o755)

    def systemctl(self, *words: str) -> str:
        """What the board's systemctl --user says."""
        environment = {"HOME": str(self.home), "PATH": f"{self.bin}:{os.environ['PATH']}"}
        command = [self.bin / "systemctl", "--user", *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    def process(self) -> int:
        """The process id of the service, 0 where it does not run."""
        told = self.systemctl("show", "edge-toolkit", "--property=MainPID")
        return int(told.partition("=")[2])


def make_workstation(home: Path) -> Workstation:
    """A home with a fresh key."""
    (home / ".ssh").mkdir(parents=True, mode=0o700)
    made = Workstation(home)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", made.key], check=True)
    return made


def packages(folder: Path) -> Path:
    """A folder of links to the packages installed here, but for edge-toolkit itself."""
    import numpy

    folder.mkdir()
    for path in Path(numpy.__file__).parents[1].iterdir():
        if "edge_vision_toolkit" not in path.name and path.suffix != ".pth":
            (folder / path.name).symlink_to(path)
    return folder


@contextmanager
def board(
    folder: Path, workstation: Workstation, seen: Path, environments: Path | None = None
) -> Iterator[SshBoard]:
    """A board in ``folder`` that knows the workstation, and whose key that knows.

    ``seen``: what :func:`packages` made; ``environments``: a folder of environments that boards
    share.
    """
    home, programs = folder / "home", folder / "bin"
    for place in (home, programs):
        place.mkdir(parents=True)
    if environments is not None:
        (home / "edge-toolkit").mkdir()
        (home / "edge-toolkit/envs").symlink_to(environments)
    for name in ("systemctl", "journalctl"):
        script = (SUPPORT / "systemctl_standin.py").read_text().splitlines(keepends=True)
        (programs / name).write_text("".join([f"#!{sys.executable}\n", *script[1:]]))
        (programs / name).chmod(0o755)
    with _sshd(folder, workstation, home, programs) as port:
        made = SshBoard(home, programs, port)
        made.stand_in("loginctl", "exit 0\n")
        made.stand_in("sudo", "exit 1\n")
        made.stand_in(
            "id", f'case $1 in -u) echo {os.getuid() or 1000} ;; *) exec /usr/bin/id "$@" ;; esac\n'
        )
        made.stand_in("python3", _python(seen))
        yield made
        made.systemctl("stop", "edge-toolkit")


def _python(seen: Path) -> str:
    """This Python; the environments that it makes see the packages in ``seen``."""
    base = getattr(sys, "_base_executable", sys.executable)
    site = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    return f"""\
        {base} "$@" || exit
        if [ "$1 $2" = "-m venv" ]; then
            shift $(($# - 1))
            echo {seen} >"$1/{site}/seen.pth"
        fi
    """


@contextmanager
def _sshd(folder: Path, workstation: Workstation, home: Path, programs: Path) -> Iterator[int]:
    """A running sshd; its port."""
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
        _answers(port, server, folder / "sshd.log")
        public = key.with_suffix(".pub").read_text()
        with workstation.known_hosts.open("a") as known:
            known.write(f"[127.0.0.1]:{port} {public}")
        yield port
    finally:
        server.terminate()
        server.wait()


def _answers(port: int, server: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until the server does."""
    end = time.monotonic() + 20
    while time.monotonic() < end and server.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                if connection.recv(4) == b"SSH-":
                    return
        except OSError:
            time.sleep(0.02)
    raise AssertionError(log.read_text())
