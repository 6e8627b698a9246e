"""Deployments to a Debian with a real systemd, booted as a container of this machine."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import booted_root
import pytest
from booted_root import UNPRIVILEGED_USER, Machine
from emulated_root import USER
from errors import error_code
from ssh_board import make_workstation

pytestmark = pytest.mark.board

MODEL = "mobilenet_v1_0.25_128_quant.tflite"
RUN = "demo classify --source /data/people.gif --loop --realtime --sink text --threads 1"
WATCHDOG = 60


@pytest.fixture(scope="module")
def machine(
    board_cache: Path, test_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machine]:
    reason = booted_root.missing_requirements()
    if reason:
        pytest.fail(reason)
    workstation = make_workstation(tmp_path_factory.mktemp("workstation"))
    log = tmp_path_factory.mktemp("booted") / "log"
    with booted_root.machine(board_cache, workstation, log) as booted:
        (booted.folder / "data").mkdir()
        content = (test_data / "video/store-aisle.gif").read_bytes()
        (booted.folder / "data/people.gif").write_bytes(content)
        yield booted


def deploy(
    machine: Machine, test_data: Path, run: str = RUN, user: str = USER, code: int = 0
) -> tuple[str, str]:
    return machine.workstation.edge(
        "deploy", test_data / "models" / MODEL, machine.address(user), "--run", run, "--offline",
        "-i", machine.workstation.key, code=code,
    )  # fmt: skip


def properties(machine: Machine, *names: str, scope: str = "", user: str = USER) -> dict[str, str]:
    """Return properties of the service, from systemd."""
    output = machine.run(f"systemctl {scope} show edge-toolkit -p {','.join(names)}", user)
    return dict(line.split("=", 1) for line in output.splitlines())


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.5)


def test_the_service_starts_at_boot(machine: Machine, test_data: Path) -> None:
    with machine.running():
        deploy(machine, test_data)
    with machine.running():
        wait_until(lambda: properties(machine, "ActiveState") == {"ActiveState": "active"}, 30)
        assert properties(machine, "NRestarts") == {"NRestarts": "0"}


@pytest.fixture(scope="module")
def deployed(machine: Machine, test_data: Path) -> Iterator[Machine]:
    with machine.running():
        deploy(machine, test_data)
        yield machine


def test_a_hardened_service_runs_and_is_reported(deployed: Machine) -> None:
    values = properties(
        deployed, "ActiveState", "User", "NoNewPrivileges", "MemoryMax", "NRestarts"
    )
    assert values.pop("MemoryMax").isdecimal(), "a limit"
    assert values == {
        "ActiveState": "active", "User": "edge-toolkit", "NoNewPrivileges": "yes",
        "NRestarts": "0",
    }  # fmt: skip
    key = deployed.workstation.key
    wait_until(lambda: "fps on cpu" in properties(deployed, "StatusText")["StatusText"], 5)
    out, _ = deployed.workstation.edge("status", deployed.address(), "-i", key, "--json")
    assert json.loads(out)[0]["state"] == "active"
    out, _ = deployed.workstation.edge("logs", deployed.address(), "-i", key)
    assert "Started edge-toolkit.service" in out
    assert " s  " in out, "output of the stream"


def test_repeating_a_deploy_changes_nothing(deployed: Machine, test_data: Path) -> None:
    before = properties(deployed, "MainPID")
    out, _ = deploy(deployed, test_data)
    assert "(unchanged)" in out
    assert properties(deployed, "MainPID") == before


def test_a_release_without_frames_is_rolled_back(deployed: Machine, test_data: Path) -> None:
    link = deployed.folder / "opt/edge-toolkit/current"
    old = link.readlink()
    _, err = deploy(deployed, test_data, "demo classify --source /no.mp4 --sink none", code=3)
    assert error_code(err) == "no-frame-processed"
    assert "/no.mp4" in err, "the journal says why"
    assert link.readlink() == old
    assert properties(deployed, "ActiveState") == {"ActiveState": "active"}


def test_a_hanging_stream_is_restarted(deployed: Machine) -> None:
    before = properties(deployed, "MainPID", "NRestarts")
    deployed.run("sudo systemctl kill --signal=STOP edge-toolkit")
    wait_until(
        lambda: properties(deployed, "NRestarts") != {"NRestarts": before["NRestarts"]},
        2 * WATCHDOG,
    )
    wait_until(lambda: properties(deployed, "ActiveState") == {"ActiveState": "active"}, 30)
    assert properties(deployed, "MainPID")["MainPID"] != before["MainPID"]


def test_without_privileges_it_is_a_service_of_the_user(deployed: Machine, test_data: Path) -> None:
    _, err = deploy(deployed, test_data, user=UNPRIVILEGED_USER)
    assert f"sudo loginctl enable-linger {UNPRIVILEGED_USER}\n" in err
    deployed.run(f"sudo loginctl enable-linger {UNPRIVILEGED_USER}")
    wait_until(lambda: properties(deployed, "ActiveState", scope="--user", user=UNPRIVILEGED_USER)
          == {"ActiveState": "active"}, 30)  # fmt: skip
    process = properties(deployed, "MainPID", scope="--user", user=UNPRIVILEGED_USER)
    key = deployed.workstation.key
    out, _ = deployed.workstation.edge(
        "logs", deployed.address(UNPRIVILEGED_USER), "-i", key, "-n", 5
    )
    assert "Hint" not in out and " s  " in out
    assert properties(deployed, "MainPID", scope="--user", user=UNPRIVILEGED_USER) == process, (
        "it survives a logout"
    )
