"""Deploys of a real model: without an index, over a line that is cut at each step, and by Ansible.

The board is a real sshd on this machine; its systemd is a stand-in that starts units for real.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cutting_proxy
import pytest
from cutting_proxy import Line
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


def test_a_real_model_in_a_real_deploy(
    edge: Edge, board: SshBoard, test_data: Path, run: str
) -> None:
    told = edge("deploy", test_data / "models" / MODEL, board.address, "--run", run)
    assert told.code == 0, told.err
    assert "fps on cpu" in edge("status", board.address).out
    selftest = subprocess.run(
        [board.root / "current/env/bin/edge", "selftest", board.root / "current"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert f"{MODEL} " in selftest.stdout


@pytest.fixture
def line(board: SshBoard, workstation: Workstation):  # type: ignore[no-untyped-def]
    with cutting_proxy.line_to(board.port) as made:
        known = workstation.known_hosts.read_text()
        mine = next(one for one in known.splitlines() if f":{board.port} " in one)
        with workstation.known_hosts.open("a") as lines:
            lines.write(mine.replace(f":{board.port} ", f":{made.port} ") + "\n")
        yield made


def test_a_line_that_is_cut_at_any_step_leaves_what_runs(
    edge: Edge, board: SshBoard, line: Line, test_data: Path, run: str
) -> None:
    model = test_data / "models" / MODEL
    address = board.address.replace(str(board.port), str(line.port))
    assert edge("deploy", model, address, "--run", run).code == 0
    old, process = board.running, board.process()
    releases = board.root / "releases"
    environments = set((board.root / "envs").iterdir())

    steps: dict[str, Callable[[], bool]] = {
        "environment": lambda: set((board.root / "envs").iterdir()) != environments,
        "release": lambda: any(releases.glob(".*.part")),
        "self-test": lambda: _runs("selftest", releases),
    }
    wanted = f"{run} --top 2"
    for step, happens in steps.items():
        with line.cut_when(happens) as was_cut:
            told = edge("deploy", model, address, "--run", wanted, "--extra", "mqtt")
        assert was_cut.is_set(), f"{step} was never seen"
        assert (told.code, error_code(told.err)) == (2, "connection-lost"), told.err
        assert (board.running, board.process()) == (old, process), step

    with line.cut_when(lambda: board.running != old) as was_cut:
        told = edge("deploy", model, address, "--run", wanted, "--extra", "mqtt")
    assert was_cut.is_set()
    assert told.code == 2
    _until(lambda: board.process() != process)
    _until(lambda: board.systemctl("is-active", "edge-toolkit") == "active")
    assert board.running != old, "the switch went on to its end"
    again = edge("deploy", model, address, "--run", wanted, "--extra", "mqtt", "--json")
    (row,) = json.loads(again.out)
    assert (again.code, row["release"], row["changed"]) == (0, board.running, False)


def _runs(word: str, place: Path) -> bool:
    """Whether a program with a word and a place among its own is running."""
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = process.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if word in words and str(place) in words:
            return True
    return False


def _until(happens: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_ansible_does_the_same_and_a_second_time_nothing(
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
