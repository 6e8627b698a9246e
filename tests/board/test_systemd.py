"""Deploys to a Debian with a real systemd, booted as a container of this machine."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import booted_root
import pytest
from booted_root import OTHER, Machine
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
    why = booted_root.missing()
    if why:
        pytest.fail(why)
    workstation = make_workstation(tmp_path_factory.mktemp("workstation"))
    log = tmp_path_factory.mktemp("booted") / "log"
    with booted_root.machine(board_cache, workstation, log) as made:
        (made.folder / "data").mkdir()
        content = (test_data / "video/store-aisle.gif").read_bytes()
        (made.folder / "data/people.gif").write_bytes(content)
        yield made


def deploy(
    machine: Machine, test_data: Path, run: str = RUN, user: str = USER, code: int = 0
) -> tuple[str, str]:
    return machine.workstation.edge(
        "deploy", test_data / "models" / MODEL, machine.address(user), "--run", run, "--offline",
        "-i", machine.workstation.key, code=code,
    )  # fmt: skip


def told(machine: Machine, *names: str, scope: str = "", user: str = USER) -> dict[str, str]:
    """What systemd says of the service."""
    said = machine.run(f"systemctl {scope} show edge-toolkit -p {','.join(names)}", user)
    return dict(line.split("=", 1) for line in said.splitlines())


def until(happens: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.5)


def test_it_runs_again_after_a_boot(machine: Machine, test_data: Path) -> None:
    with machine.running():
        deploy(machine, test_data)
    with machine.running():
        until(lambda: told(machine, "ActiveState") == {"ActiveState": "active"}, 30)
        assert told(machine, "NRestarts") == {"NRestarts": "0"}


@pytest.fixture(scope="module")
def deployed(machine: Machine, test_data: Path) -> Iterator[Machine]:
    with machine.running():
        deploy(machine, test_data)
        yield machine


def test_a_hardened_service_runs_and_is_told_of(deployed: Machine) -> None:
    said = told(deployed, "ActiveState", "User", "NoNewPrivileges", "MemoryMax", "NRestarts")
    assert said.pop("MemoryMax").isdecimal(), "a limit"
    assert said == {
        "ActiveState": "active", "User": "edge-toolkit", "NoNewPrivileges": "yes",
        "NRestarts": "0",
    }  # fmt: skip
    key = deployed.workstation.key
    until(lambda: "fps on cpu" in told(deployed, "StatusText")["StatusText"], 5)
    out, _ = deployed.workstation.edge("status", deployed.address(), "-i", key, "--json")
    assert json.loads(out)[0]["state"] == "active"
    out, _ = deployed.workstation.edge("logs", deployed.address(), "-i", key)
    assert "Started edge-toolkit.service" in out
    assert " s  " in out, "what the stream prints"


def test_the_same_again_changes_nothing(deployed: Machine, test_data: Path) -> None:
    before = told(deployed, "MainPID")
    out, _ = deploy(deployed, test_data)
    assert "(unchanged)" in out
    assert told(deployed, "MainPID") == before


def test_a_release_without_frames_is_taken_back(deployed: Machine, test_data: Path) -> None:
    link = deployed.folder / "opt/edge-toolkit/current"
    old = link.readlink()
    _, err = deploy(deployed, test_data, "demo classify --source /no.mp4 --sink none", code=3)
    assert error_code(err) == "no-frame-processed"
    assert "/no.mp4" in err, "the journal says why"
    assert link.readlink() == old
    assert told(deployed, "ActiveState") == {"ActiveState": "active"}


def test_a_stream_that_hangs_is_started_again(deployed: Machine) -> None:
    before = told(deployed, "MainPID", "NRestarts")
    deployed.run("sudo systemctl kill --signal=STOP edge-toolkit")
    until(lambda: told(deployed, "NRestarts") != {"NRestarts": before["NRestarts"]}, 2 * WATCHDOG)
    until(lambda: told(deployed, "ActiveState") == {"ActiveState": "active"}, 30)
    assert told(deployed, "MainPID")["MainPID"] != before["MainPID"]


def test_without_rights_it_is_a_service_of_the_user(deployed: Machine, test_data: Path) -> None:
    _, err = deploy(deployed, test_data, user=OTHER)
    assert f"sudo loginctl enable-linger {OTHER}\n" in err
    deployed.run(f"sudo loginctl enable-linger {OTHER}")
    until(lambda: told(deployed, "ActiveState", scope="--user", user=OTHER)
          == {"ActiveState": "active"}, 30)  # fmt: skip
    process = told(deployed, "MainPID", scope="--user", user=OTHER)
    key = deployed.workstation.key
    out, _ = deployed.workstation.edge("logs", deployed.address(OTHER), "-i", key, "-n", 5)
    assert "Hint" not in out and " s  " in out
    assert told(deployed, "MainPID", scope="--user", user=OTHER) == process, "it outlives a log-out"
