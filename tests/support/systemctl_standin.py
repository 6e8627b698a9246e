#!/usr/bin/env python3
"""A stand-in for systemctl and journalctl without systemd, which really starts units.

Put it on the PATH of a board with the names ``systemctl`` and ``journalctl``. It reads the same
unit files, starts ``ExecStart`` as ``User`` with exactly the environment of the unit, waits for
READY on the notification socket (``Type=notify``), restarts as in ``Restart``, kills a service that
misses its watchdog, and keeps the service's output. Sandboxing is not implemented.

Units are in ``$STANDIN_UNITS``, else in ~/.config/systemd/user with ``--user``, else in
/etc/systemd/system; their state in ``$STANDIN_STATE``, else in ~/.standin or /run/standin. It needs
the standard library only.
"""

import contextlib
import json
import os
import pwd
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

STOPPED = {"ActiveState": "inactive", "SubState": "dead", "MainPID": 0, "NRestarts": 0,
           "StatusText": "", "Result": "success", "ActiveEnterTimestamp": ""}  # fmt: skip


class Unit:
    """A unit file and its state."""

    def __init__(self, name: str, user: bool) -> None:
        self.name = name if name.endswith(".service") else f"{name}.service"
        home = Path.home()
        units = home / ".config/systemd/user" if user else Path("/etc/systemd/system")
        state = home / ".standin" if user else Path("/run/standin")
        self.file = Path(os.environ.get("STANDIN_UNITS") or units) / self.name
        self.folder = Path(os.environ.get("STANDIN_STATE") or state)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.known, self.log = (self.folder / f"{self.name}.{kind}" for kind in ("json", "log"))
        self.supervisor, self.enabled = (
            self.folder / f"{self.name}.{kind}" for kind in ("pid", "enabled")
        )

    def settings(self) -> dict[str, list[str]]:
        """Return key → values, of all sections."""
        settings: dict[str, list[str]] = {}
        for line in self.file.read_text().splitlines():
            key, equals, value = line.partition("=")
            if equals and not line.startswith(("#", ";")):
                settings.setdefault(key.strip(), []).append(value.strip())
        return settings

    def setting(self, key: str, default: str = "") -> str:
        return self.settings().get(key, [default])[-1]

    def seconds(self, key: str, default: float) -> float:
        text = self.setting(key)
        if text == "infinity":
            return float("inf")
        return float(text.removesuffix("s")) if text else default

    def state(self) -> dict[str, Any]:
        if not self.known.exists() or not self.supervised():
            return dict(STOPPED)
        known: dict[str, Any] = json.loads(self.known.read_text())
        return known

    def update(self, **changes: Any) -> None:
        part = self.known.with_suffix(f".{os.getpid()}")
        known = json.loads(self.known.read_text()) if self.known.exists() else dict(STOPPED)
        part.write_text(json.dumps(known | changes))
        part.replace(self.known)

    def supervised(self) -> int:
        """Return the process id of its supervisor, 0 for none."""
        try:
            pid = int(self.supervisor.read_text())
            with contextlib.suppress(PermissionError):  # it runs, but belongs to another user
                os.kill(pid, 0)
        except (OSError, ValueError):
            return 0
        return pid


def start(unit: Unit) -> int:
    if not unit.file.is_file():
        return fail(f"Failed to start {unit.name}: Unit {unit.name} not found.", 5)
    if unit.supervised():
        return 0 if unit.state()["ActiveState"] == "active" else 1
    unit.known.unlink(missing_ok=True)
    supervise(unit)
    while True:
        state = unit.state()
        if state["ActiveState"] == "active":
            return 0
        if state["Result"] != "success" or not unit.supervised():
            return fail(f"Job for {unit.name} failed: {state['Result']}.", 1)
        time.sleep(0.02)


def stop(unit: Unit) -> int:
    pid = unit.supervised()
    if pid:
        os.kill(pid, signal.SIGTERM)
        while unit.supervised():
            time.sleep(0.02)
    return 0


def restart(unit: Unit) -> int:
    stop(unit)
    return start(unit)


def supervise(unit: Unit) -> None:
    """Fork a supervisor of the service that outlives this process."""
    if os.fork():
        while not (unit.supervised() and unit.known.exists()):
            time.sleep(0.01)
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    code = 1
    try:
        null = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(null, number)
        for number in range(3, 256):
            with contextlib.suppress(OSError):
                os.close(number)
        unit.update(ActiveState="activating", SubState="start", Result="success", NRestarts=0)
        unit.supervisor.write_text(str(os.getpid()))
        Supervisor(unit).run()
        code = 0
    finally:
        unit.supervisor.unlink(missing_ok=True)
        os._exit(code)


class Supervisor:
    def __init__(self, unit: Unit) -> None:
        self.unit, self.stopping = unit, False
        self.process: subprocess.Popen[bytes] | None = None
        for number in (signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, self.stop)

    def stop(self, *_: object) -> None:
        self.stopping = True

    def run(self) -> None:
        restarts = 0
        while True:
            result = self.run_once()
            failed = result != "success"
            policy = self.unit.setting("Restart", "no")
            if self.stopping or policy == "no" or (policy == "on-failure" and not failed):
                state = "failed" if failed and not self.stopping else "inactive"
                self.unit.update(ActiveState=state, SubState="dead", MainPID=0, Result=result)
                return
            restarts += 1
            self.unit.update(ActiveState="activating", SubState="auto-restart", MainPID=0,
                           Result=result, NRestarts=restarts)  # fmt: skip
            self.wait(self.unit.seconds("RestartSec", 0.1))

    def wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self.stopping and time.monotonic() < end:
            time.sleep(0.02)

    def run_once(self) -> str:
        """Run the service until it ends; return the result as systemd names it."""
        path = str(self.unit.folder / f"notify-{os.getpid()}")
        Path(path).unlink(missing_ok=True)
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifications,
            self.unit.log.open("ab") as log,
        ):
            notifications.bind(path)
            Path(path).chmod(0o777)
            notifications.settimeout(0.05)
            watchdog = self.unit.seconds("WatchdogSec", float("inf"))
            self.process = self.launch(path, watchdog, log)
            self.unit.update(MainPID=self.process.pid)
            try:
                return self.monitor(notifications, watchdog)
            finally:
                self.end()
                Path(path).unlink(missing_ok=True)

    def monitor(self, notifications: socket.socket, watchdog: float) -> str:
        assert self.process is not None
        ready = self.unit.setting("Type", "simple") != "notify"
        if ready:
            self.set_active()
        deadline = time.monotonic() + (
            watchdog if ready else self.unit.seconds("TimeoutStartSec", 90)
        )
        while not self.stopping:
            for key, value in self.receive(notifications):
                if (key, value) == ("READY", "1"):
                    ready = True
                    self.set_active()
                    deadline = time.monotonic() + watchdog
                elif (key, value) == ("WATCHDOG", "1") and ready:
                    deadline = time.monotonic() + watchdog
                elif key == "STATUS":
                    self.unit.update(StatusText=value)
            if self.process.poll() is not None:
                code = self.process.returncode
                return "success" if code == 0 and ready else "exit-code" if code >= 0 else "signal"
            if time.monotonic() > deadline:
                return "watchdog" if ready else "timeout"
        return "success"

    def set_active(self) -> None:
        now = time.strftime("%a %Y-%m-%d %H:%M:%S UTC", time.gmtime())
        self.unit.update(ActiveState="active", SubState="running", Result="success",
                       ActiveEnterTimestamp=now)  # fmt: skip

    def receive(self, notifications: socket.socket) -> Iterator[tuple[str, str]]:
        try:
            message = notifications.recv(65536).decode()
        except TimeoutError:
            return
        for line in message.splitlines():
            key, _, value = line.partition("=")
            yield key, value

    def launch(self, path: str, watchdog: float, log: Any) -> "subprocess.Popen[bytes]":
        unit = self.unit
        account = pwd.getpwnam(unit.setting("User")) if unit.setting("User") else None
        home = account.pw_dir if account else str(Path.home())
        environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": home, "LANG": "C.UTF-8",
                       "NOTIFY_SOCKET": path}  # fmt: skip
        if watchdog != float("inf"):
            environment["WATCHDOG_USEC"] = str(round(watchdog * 1e6))
        for line in unit.settings().get("Environment", []):
            environment |= dict(word.split("=", 1) for word in shlex.split(line))
        account_options: dict[str, Any] = {}
        if account is not None and os.geteuid() == 0:
            groups = os.getgrouplist(account.pw_name, account.pw_gid)
            account_options = {
                "user": account.pw_uid,
                "group": account.pw_gid,
                "extra_groups": groups,
            }
        return subprocess.Popen(
            shlex.split(unit.setting("ExecStart")), cwd=unit.setting("WorkingDirectory") or home,
            env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **account_options,
        )  # fmt: skip

    def end(self) -> None:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(self.unit.seconds("TimeoutStopSec", 10))
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def is_active(unit: Unit) -> int:
    state = unit.state()["ActiveState"]
    print(state)
    return 0 if state == "active" else 3


def is_enabled(unit: Unit) -> int:
    print("enabled" if unit.enabled.exists() else "disabled")
    return 0 if unit.enabled.exists() else 1


def enable(unit: Unit) -> int:
    unit.enabled.touch()
    return 0


def disable(unit: Unit) -> int:
    unit.enabled.unlink(missing_ok=True)
    return 0


def show(unit: Unit, properties: str) -> int:
    state = unit.state()
    for key in properties.split(",") if properties else state:
        print(f"{key}={state.get(key, '')}")
    return 0


def journal(words: list[str]) -> int:
    """``journalctl -u UNIT|--user-unit UNIT [-n N] [-f]``."""
    values = dict(pairwise(words))
    user = "--user-unit" in values
    unit = Unit(values["--user-unit" if user else "-u"], user)
    lines = unit.log.read_text().splitlines() if unit.log.exists() else []
    print("\n".join(lines[-int(values.get("-n", 1000)) :]), flush=True)
    while "-f" in words:
        time.sleep(0.1)
        new = unit.log.read_text().splitlines()
        for line in new[len(lines) :]:
            print(line, flush=True)
        lines = new
    return 0


def fail(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    return code


VERBS: dict[str, Callable[[Unit], int]] = {
    "start": start, "stop": stop, "restart": restart, "is-active": is_active,
    "enable": enable, "disable": disable, "is-enabled": is_enabled, "reset-failed": lambda _: 0,
}  # fmt: skip


def main(words: list[str]) -> int:
    """``systemctl [--user] VERB [UNIT] [--property=A,B]``."""
    user = "--user" in words
    verb, *names = (word for word in words if not word.startswith("-"))
    if verb in ("daemon-reload", "is-system-running"):
        return 0
    unit = Unit(names[0], user)
    if verb == "show":
        properties = [word for word in words if word.startswith("--property=")]
        return show(unit, "".join(properties).removeprefix("--property="))
    if verb not in VERBS:
        return fail(f"Unknown command verb {verb}.", 1)
    return VERBS[verb](unit)


def run() -> NoReturn:
    name = Path(sys.argv[0]).name
    sys.exit(journal(sys.argv[1:]) if name == "journalctl" else main(sys.argv[1:]))


if __name__ == "__main__":
    run()
