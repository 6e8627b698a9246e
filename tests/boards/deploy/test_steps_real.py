"""Deployments of a real model: over a connection that is cut at each step, and with Ansible.

The board is a real sshd on this machine; its systemd is a stand-in that really starts units.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cutting_proxy
import pytest
from cutting_proxy import CuttableProxy
from errors import error_code
from ssh_board import SshBoard, Workstation

from .conftest import Edge

pytestmark = pytest.mark.realdata

MODEL, LABELS = "mobilenet_v1_0.25_128_quant.tflite", "imagenet_labels.txt"


@pytest.fixture
def run(test_data: Path) -> str:
    source = test_data / "video/pose_1.mp4"
    labels = test_data / "models" / LABELS
    return f"demo classify --source {source} --loop --realtime --sink none --labels {labels}"


def test_a_real_model_is_deployed(edge: Edge, board: SshBoard, test_data: Path, run: str) -> None:
    result = edge("deploy", test_data / "models" / MODEL, board.address, "--run", run)
    assert result.code == 0, result.err
    assert "fps on cpu" in edge("status", board.address).out
    selftest = subprocess.run(
        [board.root / "current/env/bin/edge", "selftest", board.root / "current"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert f"{MODEL} " in selftest.stdout


@pytest.fixture
def proxy(board: SshBoard, workstation: Workstation):  # type: ignore[no-untyped-def]
    with cutting_proxy.proxy_to(board.port) as proxy:
        known = workstation.known_hosts.read_text()
        mine = next(entry for entry in known.splitlines() if f":{board.port} " in entry)
        with workstation.known_hosts.open("a") as lines:
            lines.write(mine.replace(f":{board.port} ", f":{proxy.port} ") + "\n")
        yield proxy


def test_a_lost_connection_at_any_step_keeps_the_old_release(
    edge: Edge, board: SshBoard, proxy: CuttableProxy, test_data: Path, run: str
) -> None:
    model = test_data / "models" / MODEL
    address = board.address.replace(str(board.port), str(proxy.port))
    assert edge("deploy", model, address, "--run", run).code == 0
    old, process = board.running, board.process()
    releases = board.root / "releases"
    environments = set((board.root / "envs").iterdir())

    steps: dict[str, Callable[[], bool]] = {
        "environment": lambda: set((board.root / "envs").iterdir()) != environments,
        "release": lambda: any(releases.glob(".*.part")),
        "self-test": lambda: _runs("selftest", releases),
    }
    new_run = f"{run} --top 2"
    for step, condition in steps.items():
        with proxy.cut_when(condition) as was_cut:
            result = edge("deploy", model, address, "--run", new_run, "--extra", "mqtt")
        assert was_cut.is_set(), f"{step} was never seen"
        assert (result.code, error_code(result.err)) == (2, "connection-lost"), result.err
        assert (board.running, board.process()) == (old, process), step

    with proxy.cut_when(lambda: board.running != old) as was_cut:
        result = edge("deploy", model, address, "--run", new_run, "--extra", "mqtt")
    assert was_cut.is_set()
    assert result.code == 2
    _wait_until(lambda: board.process() != process)
    _wait_until(lambda: board.systemctl("is-active", "edge-toolkit") == "active")
    assert board.running != old, "the switch was completed"
    again = edge("deploy", model, address, "--run", new_run, "--extra", "mqtt", "--json")
    (row,) = json.loads(again.out)
    assert (again.code, row["release"], row["changed"]) == (0, board.running, False)


def _runs(word: str, path: Path) -> bool:
    """Return True if a process has a word and a path in its command proxy."""
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = process.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if word in words and str(path) in words:
            return True
    return False


def _wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_ansible_does_the_same_and_repeating_it_changes_nothing(
    edge: Edge,
    board: SshBoard,
    workstation: Workstation,
    test_data: Path,
    run: str,
    tmp_path: Path,
) -> None:
    program = Path(sys.executable).with_name("ansible-playbook")
    if not program.exists():
        pytest.skip("no ansible-playbook: pip install ansible-core")
    fleet, model = tmp_path / "fleet", test_data / "models" / MODEL
    assert edge("deploy", model, board.address, "--run", run, "--ansible", fleet).code == 0
    arguments = f"-o UserKnownHostsFile={workstation.known_hosts} -o IdentityFile={workstation.key}"
    words = [
        program, "-i", fleet / "inventory.yml", fleet / "deploy.yml", "-e", "edge_scope=user",
        "-e", f"ansible_python_interpreter={board.bin}/python3",
        "-e", f"ansible_ssh_common_args='{arguments}'",
        "-e", "ansible_ssh_transfer_method=piped",
    ]  # fmt: skip

    def play(*more: str) -> str:
        done = subprocess.run(
            [*words, *more], capture_output=True, text=True, check=False, cwd=tmp_path,
            env=workstation.environment | {"LC_ALL": "C.UTF-8", "ANSIBLE_NOCOLOR": "1"},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.splitlines()[-2]

    assert "changed=0 " not in play("--check")
    assert (board.running, board.root.joinpath("releases").exists()) == ("", False)
    assert "changed=0 " not in play()
    assert board.systemctl("is-active", "edge-toolkit") == "active"
    assert "changed=0 " in play()
    (row,) = json.loads(edge("deploy", model, board.address, "--run", run, "--json").out)
    assert (row["good"], row["changed"]) == (True, False)
