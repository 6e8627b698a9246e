"""Boards that cannot be reached, will not do, or are in the middle of something."""

import asyncio
import fcntl
import subprocess
import threading
from pathlib import Path

import pytest
import tiny_models
from errors import error_code
from ssh_board import SshBoard, Workstation

from boards.deploy import offline, ssh
from edge.errors import BoardError

from .conftest import RUN, Edge

NO = "exit 127\n"


def test_a_host_that_does_not_answer(edge: Edge, out: Path, board: SshBoard) -> None:
    closed = board.address.replace(str(board.port), "1")
    told = edge("deploy", out, closed, "--run", RUN)
    assert (told.code, error_code(told.err)) == (2, "board-unreachable")
    assert closed in told.err
    assert f"ssh -p 1 {closed.partition(':')[0]}" in told.err


@pytest.mark.parametrize("host", ["pi@nowhere.invalid", "pi@a..b", f"pi@{'x' * 70}"])
def test_a_host_that_nobody_knows(
    edge: Edge, out: Path, workstation: Workstation, host: str
) -> None:
    told = edge("deploy", out, host, "--run", RUN)
    assert (told.code, error_code(told.err)) == (2, "board-unreachable")
    assert host in told.err


@pytest.mark.parametrize(
    "host", ["pi@", "pi@camera:door", "pi@camera:65536", "-oProxyCommand=x", ""]
)
def test_an_address_that_is_none(
    edge: Edge, out: Path, workstation: Workstation, host: str
) -> None:
    told = edge("deploy", out, "--run", RUN, "--", host)
    assert (told.code, error_code(told.err)) == (2, "invalid-board-address")
    assert f"'{host}'" in told.err


def test_a_key_that_the_board_does_not_know(
    edge: Edge, out: Path, board: SshBoard, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True)
    told = edge("deploy", out, board.address, "--run", RUN, "--identity", other)
    assert (told.code, error_code(told.err)) == (2, "ssh-login-refused")
    assert board.address in told.err
    assert "ssh-copy-id" in told.err


def test_a_key_that_cannot_be_used(edge: Edge, out: Path, board: SshBoard, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", locked], check=True)
    for path, error in {
        locked: "ssh-key-unusable",
        tmp_path / "none": "ssh-key-not-found",
        out / "labels.txt": "ssh-key-unusable",
    }.items():
        told = edge("status", board.address, "-i", path)
        assert (told.code, error_code(told.err)) == (2, error), told.err
        assert str(path) in told.err


def test_a_board_whose_key_changed(
    edge: Edge, out: Path, board: SshBoard, workstation: Workstation, tmp_path: Path
) -> None:
    lines = workstation.known_hosts.read_text().splitlines(keepends=True)
    mine = f"[127.0.0.1]:{board.port} "
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True)
    others = [line for line in lines if not line.startswith(mine)]
    try:
        workstation.known_hosts.write_text(
            "".join([*others, mine + other.with_suffix(".pub").read_text()])
        )
        changed = edge("deploy", out, board.address, "--run", RUN)
        workstation.known_hosts.write_text("".join(others))
        unknown = edge("deploy", out, board.address, "--run", RUN)
    finally:
        workstation.known_hosts.write_text("".join(lines))
    assert (changed.code, unknown.code) == (2, 2)
    assert error_code(changed.err) == "host-key-changed"
    assert f"ssh-keygen -R '[127.0.0.1]:{board.port}'" in changed.err
    assert error_code(unknown.err) == "host-key-unknown"
    assert not board.root.joinpath("releases").exists()


def test_a_full_disk(edge: Edge, out: Path, board: SshBoard) -> None:
    board.stand_in(
        "df", "echo Filesystem 1024-blocks Used Available\necho /dev/root 30000000 29980000 20000\n"
    )
    told = edge("deploy", out, board.address, "--run", RUN)
    assert (told.code, error_code(told.err)) == (2, "board-disk-full")
    assert f"{board.root} on {board.address}" in told.err
    assert " 20 MiB" in told.err
    assert board.running == ""


def test_a_disk_that_fills_up_meanwhile(
    edge: Edge, out: Path, board: SshBoard, environments: Path
) -> None:
    board.stand_in("tar", "echo tar: x: Cannot write: No space left on device >&2\nexit 2\n")
    told = edge("deploy", out, board.address, "--run", RUN)
    assert (told.code, error_code(told.err)) == (2, "board-disk-full")
    assert f"{board.root} on {board.address}" in told.err
    assert not list(board.root.glob("releases/*"))


def test_a_release_that_is_tampered_with_on_the_way(edge: Edge, out: Path, board: SshBoard) -> None:
    board.stand_in(
        "tar",
        '/usr/bin/tar "$@" || exit\nfor a; do :; done\n[ ! -e "$a/run" ] || echo >>"$a/run"\n',
    )
    told = edge("deploy", out, board.address, "--run", RUN)
    assert (told.code, error_code(told.err)) == (2, "release-corrupt")
    assert board.address in told.err
    assert (board.running, list(board.root.glob("releases/*"))) == ("", [])


def test_a_python_that_is_too_old(edge: Edge, out: Path, board: SshBoard) -> None:
    for name in ("python3.13", "python3.12", "python3.11"):
        board.stand_in(name, NO)
    board.stand_in("python3", "echo 3.9\n")
    told = edge("deploy", out, board.address, "--run", RUN)
    assert (told.code, error_code(told.err)) == (2, "board-python-unsupported")
    assert board.address in told.err
    assert " 3.9 (" in told.err


def test_a_python_without_venv(edge: Edge, out: Path, board: SshBoard) -> None:
    for name in ("python3.13", "python3.12", "python3.11"):
        board.stand_in(name, NO)
    board.stand_in("python3", "case $2 in *venv*) exit 1 ;; *) echo 3.11 ;; esac\n")
    told = edge("deploy", out, board.address, "--run", RUN)
    assert (told.code, error_code(told.err)) == (2, "board-python-without-venv")
    assert "apt-get install -y python3.11-venv" in told.err


def test_a_system_of_32_bits(edge: Edge, out: Path, board: SshBoard) -> None:
    board.stand_in("getconf", "[ $1 != LONG_BIT ] || echo 32\n")
    board.stand_in("uname", "echo aarch64\n")
    told = edge("deploy", out, board.address, "--run", RUN)
    assert (told.code, error_code(told.err)) == (2, "board-architecture-unsupported")
    assert board.address in told.err
    assert "32-bit" in told.err and "aarch64" in told.err


def test_packages_that_do_not_install(edge: Edge, out: Path, board: SshBoard) -> None:
    board.root.joinpath("envs").unlink()
    board.stand_in(
        "python3",
        """\
        case "$1 $2" in
        "-m venv")
            mkdir -p "$3/bin"
            printf '#!/bin/sh\necho ERROR: No matching distribution found for numpy >&2; exit 1\n' \
                >"$3/bin/python"
            chmod +x "$3/bin/python" ;;
        *) echo 3.11 ;;
        esac
        """,
    )
    told = edge("deploy", out, board.address, "--run", RUN)
    assert (told.code, error_code(told.err)) == (2, "packages-not-installed")
    assert "ERROR: No matching distribution found for numpy" in told.err
    assert not list(board.root.glob("envs/*")), "a half-made environment stayed"


def test_the_lock_is_held_while_wheels_are_fetched(
    edge: Edge, out: Path, board: SshBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive = threading.Event()

    async def beat(process: object) -> None:
        while True:
            alive.set()
            await asyncio.sleep(0.01)

    def fetch(*_: object) -> dict[str, bytes]:
        alive.clear()
        assert alive.wait(5), "no sign of life meanwhile"
        raise BoardError("wheels", "none", "go on", code="wheels-not-found")

    monkeypatch.setattr(ssh, "_send_heartbeat", beat)
    monkeypatch.setattr(offline, "fetch", fetch)
    told = edge("deploy", out, board.address, "--run", f"{RUN} --top 3", "--offline",
                "--extra", "mqtt")  # fmt: skip
    assert error_code(told.err) == "wheels-not-found"


def test_a_second_deploy_while_one_runs(edge: Edge, out: Path, board: SshBoard) -> None:
    with (board.root / "lock").open("w") as lock:
        lock.write("ann@desk since 12:00:00\n")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = edge("deploy", out, board.address, "--run", RUN)
    assert (told.code, error_code(told.err)) == (2, "deploy-in-progress")
    assert board.address in told.err
    assert "ann@desk since 12:00:00" in told.err
    assert not board.root.joinpath("releases").exists()


@pytest.mark.parametrize(
    ("content", "asked", "error"),
    [
        (tiny_models.color_model("int8"), "edgetpu", "model-not-for-edgetpu"),
        (tiny_models.edgetpu_model(), "cpu", "model-not-for-cpu"),
    ],
)
def test_a_model_for_another_delegate(
    edge: Edge,
    workstation: Workstation,
    tmp_path: Path,
    content: bytes,
    asked: str,
    error: str,
) -> None:
    path = tmp_path / "model_edgetpu.tflite"
    path.write_bytes(content)
    told = edge("deploy", path, "pi@nowhere.invalid", "--run", f"{RUN} --delegate {asked}")
    assert (told.code, error_code(told.err)) == (2, error)
    assert str(tmp_path) in told.err


def test_a_model_for_the_edge_tpu_without_the_one_for_the_cpu(
    edge: Edge, workstation: Workstation, tmp_path: Path
) -> None:
    path = tmp_path / "model_edgetpu.tflite"
    path.write_bytes(tiny_models.edgetpu_model())
    told = edge("deploy", path, "pi@nowhere.invalid", "--run", f"{RUN} --delegate edgetpu")
    assert (told.code, error_code(told.err)) == (2, "cpu-model-missing")
    assert f"{tmp_path / 'model.tflite'}" in told.err


def test_a_model_for_an_accelerator_that_the_board_lacks(
    edge: Edge, board: SshBoard, out: Path, tmp_path: Path
) -> None:
    path = tmp_path / "model_edgetpu.tflite"
    path.write_bytes(tiny_models.edgetpu_model())
    (tmp_path / "model.tflite").write_bytes(tiny_models.color_model("uint8"))
    told = edge("deploy", path, board.address, "--run", f"{RUN} --delegate edgetpu")
    assert (told.code, error_code(told.err)) == (3, "selftest-failed")
    assert "Edge TPU" in told.err
    assert board.running == ""


def test_a_command_that_is_none(edge: Edge, out: Path, workstation: Workstation) -> None:
    for run, error, word in (
        ("demo clasify --source 0", "unknown-command", "'edge demo classify'"),
        ("demo classify --sorce 0", "usage", "'--sorce'"),
        ("bench", "invalid-run-command", "'bench'"),
        ("demo classify --model x.tflite", "run-command-names-model", "x.tflite"),
        ("demo classify --source 0 --labels none.txt", "file-not-found", "none.txt"),
        ("demo classify --source browser --sink web", "source-not-on-board", "browser"),
        ("demo classify --sink 'x", "invalid-run-command", "'x"),
    ):
        told = edge("deploy", out, "pi@nowhere.invalid", "--run", run)
        assert (told.code, error_code(told.err)) == (2, error), told.err
        assert word in told.err
