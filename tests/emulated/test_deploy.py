"""Deployments to an emulated board over a real sshd: success, failures, rollback.

systemd does not run in a chroot: a stand-in (tests/support/systemctl_standin.py) starts the unit's
command as the unit's user. The unit itself is verified by the board's own systemd-analyze.
"""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from emulated_root import USER, Board, sshd
from errors import error_code
from ssh_board import Workstation, make_workstation

pytestmark = pytest.mark.board

FIRST, SECOND = "mobilenet_v1_0.25_128_quant.tflite", "coco_ssd_mobilenet_v1_1.0_quant.tflite"
RUNS = {
    FIRST: "demo classify --source /data/people.gif --loop --threads 1 --sink none",
    SECOND: "demo detect --source /data/people.gif --loop --threads 1 --sink none",
}
UNIT = "/etc/systemd/system/edge-toolkit.service"
ROOT = "/opt/edge-toolkit"


@dataclass(frozen=True, slots=True)
class Deployed:
    """A board with a first release, and the workstation that deployed it."""

    board: Board
    workstation: Workstation
    address: str
    models: Path

    def deploy_words(self, model: str) -> tuple[object, ...]:
        return ("deploy", self.models / model, self.address, "--run", RUNS[model],
                "--offline", "--wait", 300, "-i", self.workstation.key)  # fmt: skip

    def deploy(self, model: str, code: int = 0) -> tuple[str, str]:
        return self.workstation.edge(*self.deploy_words(model), code=code)

    @property
    def folder(self) -> Path:
        return self.board.root.folder / ROOT.lstrip("/")

    @property
    def running(self) -> str:
        return (self.folder / "current").readlink().name

    def process(self) -> int:
        done = self.board.root.run("systemctl", "show", "edge-toolkit", "--property=MainPID")
        return int(done.stdout.partition("=")[2])


@pytest.fixture(scope="module")
def deployed(
    board: Board, test_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployed]:
    workstation = make_workstation(tmp_path_factory.mktemp("workstation"))
    standin = Path(__file__).parents[1] / "support/systemctl_standin.py"
    for name in ("systemctl", "journalctl"):
        board.root.copy_in(standin, f"/usr/local/bin/{name}")
        (board.root.folder / "usr/local/bin" / name).chmod(0o755)
    with sshd(board.root, workstation.key.with_suffix(".pub"), workstation.known_hosts) as port:
        first = Deployed(board, workstation, f"{USER}@127.0.0.1:{port}", test_data / "models")
        first.deploy(FIRST)
        yield first
        board.root.run("systemctl", "stop", "edge-toolkit", check=False)


def test_the_service_runs_as_a_dedicated_user(deployed: Deployed) -> None:
    status = Path(f"/proc/{deployed.process()}/status").read_text()
    (ids,) = [line.split()[1:] for line in status.splitlines() if line.startswith("Uid")]
    owner = deployed.board.root.run("id", "-u", "edge-toolkit").stdout.strip()
    assert set(ids) == {owner} != {"0"}


def test_systemd_accepts_the_unit(deployed: Deployed) -> None:
    done = deployed.board.root.run("systemd-analyze", "verify", UNIT)
    assert (done.stdout, done.stderr) == ("", "")


def test_status_reports_the_release(deployed: Deployed) -> None:
    key = deployed.workstation.key
    out, _ = deployed.workstation.edge("status", deployed.address, "-i", key, "--json")
    (row,) = json.loads(out)
    assert row["release"] == deployed.running
    assert row["state"] == "active"


def test_the_same_deploy_again_changes_nothing(deployed: Deployed) -> None:
    process, inode = deployed.process(), (deployed.folder / "current").lstat().st_ino
    deployed.deploy(deployed_model(deployed))
    assert deployed.process() == process
    assert (deployed.folder / "current").lstat().st_ino == inode


def test_a_failed_self_test_keeps_the_old_release(deployed: Deployed) -> None:
    old, process = deployed.running, deployed.process()
    (library,) = (deployed.folder / "envs").glob(
        "*/lib/python3*/site-packages/ai_edge_litert/_pywrap_litert_interpreter_wrapper*"
    )
    away = library.with_suffix(".away")
    library.rename(away)  # the running release has it open
    try:
        _, stderr = deployed.deploy(other_model(deployed), code=3)
    finally:
        away.rename(library)
    assert error_code(stderr) == "selftest-failed"
    assert (deployed.running, deployed.process()) == (old, process)


def test_an_interrupted_deploy_keeps_the_old_release_and_the_next_one_works(
    deployed: Deployed,
) -> None:
    old, process, new = deployed.running, deployed.process(), other_model(deployed)
    cut = deployed.workstation.start(*deployed.deploy_words(new))
    wait_for(lambda: is_running(deployed, "selftest"))
    cut.send_signal(signal.SIGKILL)
    cut.wait()
    assert (deployed.running, deployed.process()) == (old, process)
    wait_for(lambda: (deployed.folder / "lock").read_text() == "")
    deployed.deploy(new)
    assert deployed.running != old
    assert deployed.process() != process


def test_a_rollback_restores_the_previous_release(deployed: Deployed) -> None:
    if not (deployed.folder / "previous").exists():
        deployed.deploy(other_model(deployed))
    before = (deployed.folder / "previous").readlink().name
    deployed.workstation.edge("rollback", deployed.address, "-i", deployed.workstation.key)
    assert deployed.running == before
    assert deployed.process()


def test_the_playbook_changes_nothing_the_second_time(deployed: Deployed, tmp_path: Path) -> None:
    folder = tmp_path / "fleet"
    words = [word for word in deployed.deploy_words(other_model(deployed)) if word != "--offline"]
    deployed.workstation.edge(*words, "--ansible", folder)
    recaps = [play(deployed, folder) for _ in range(2)]
    assert "failed=0" in recaps[0]
    assert "changed=0" in recaps[1]
    assert deployed.process()


def test_the_doctor_runs_over_ssh(deployed: Deployed) -> None:
    running = deployed.workstation.start(
        "doctor", deployed.address, "-i", deployed.workstation.key, "--json"
    )
    out, err = running.communicate(timeout=600)
    assert running.returncode in (0, 1, 3), err
    findings = {finding["subject"]: finding for finding in json.loads(out)["findings"]}
    assert findings["architecture"]["found"].startswith("aarch64")
    assert findings["interpreter"]["state"] == "ok"


def deployed_model(deployed: Deployed) -> str:
    """Return the model that runs."""
    script = (deployed.folder / "current/run").read_text()
    return FIRST if "demo classify" in script else SECOND


def other_model(deployed: Deployed) -> str:
    """Return the model that does not run."""
    return SECOND if deployed_model(deployed) == FIRST else FIRST


def play(deployed: Deployed, folder: Path) -> str:
    """Run the playbook; return its recap."""
    command = [Path(sys.executable).with_name("ansible-playbook"), "-i", "inventory.yml",
               f"--private-key={deployed.workstation.key}", "deploy.yml"]  # fmt: skip
    known = f"-o UserKnownHostsFile={deployed.workstation.known_hosts}"
    environment = deployed.workstation.environment | {"ANSIBLE_SSH_COMMON_ARGS": known}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False,
        timeout=1800,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.rpartition("PLAY RECAP")[2]


def is_running(deployed: Deployed, word: str) -> bool:
    """Return True if a process of the board has a word in its command line."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            inside = (process / "root").readlink() == deployed.board.root.folder
            if inside and word.encode() in (process / "cmdline").read_bytes():
                return True
        except OSError:
            continue
    return False


def wait_for(condition, seconds: float = 600) -> None:  # type: ignore[no-untyped-def]
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
