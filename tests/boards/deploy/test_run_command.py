"""The command that a board runs: checked here, with its extras, files and pages."""

from pathlib import Path

import pytest
from errors import error_code
from ssh_board import Workstation

from boards.deploy import run_command, steps
from boards.deploy.ssh import BoardAddress
from boards.deploy.steps import Outcome
from edge import cli

from .conftest import Edge

CAMERA_RUN = "demo classify --source 0"


@pytest.mark.parametrize(
    ("run", "extras", "system"),
    [
        ("demo classify --source 0", (), False),
        ("edge demo track --source 0 --sink web", ("track", "web"), False),
        ("demo pose --source picamera --sink mqtt://broker/topic", ("mqtt", "pose"), True),
    ],
)
def test_extras_of_a_command(run: str, extras: tuple[str, ...], system: bool) -> None:
    parsed = run_command.parse(run)
    assert (parsed.extras, parsed.system_packages) == (extras, system)


def test_pages_that_only_the_board_can_open() -> None:
    for sink, ports in {
        "web": (8080,), "web:8081": (8081,), "web:localhost:8181": (8181,), "web:0.0.0.0": (),
        "web:0": (), "none": (),
    }.items():  # fmt: skip
        assert run_command.parse(f"{CAMERA_RUN} --sink {sink}").page_ports == ports
    tunnel = "ssh -L 8080:127.0.0.1:8080 -p 2222 pi@camera.local"
    assert BoardAddress.parse("pi@camera.local:2222").tunnel(8080) == tunnel


def test_the_tunnel_to_such_a_page_is_printed(
    out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def deploy(address: BoardAddress, *_: object) -> Outcome:
        return Outcome(address, "0123456789ab", changed=True)

    monkeypatch.setattr(steps, "deploy", deploy)
    words = ["deploy", str(out), "pi@camera.local", "--run"]
    assert cli.run([*words, f"{CAMERA_RUN} --sink web"]) == 0
    (note,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("note:")]
    assert "'ssh -L 8080:127.0.0.1:8080 pi@camera.local'" in note
    assert "http://127.0.0.1:8080/" in note
    assert cli.run([*words, f"{CAMERA_RUN} --sink none"]) == 0
    assert "note:" not in capsys.readouterr().err


def test_a_background_is_included_if_it_is_an_image(tmp_path: Path) -> None:
    image = tmp_path / "beach.png"
    image.write_bytes(b"an image")
    run = "demo segment --source 0 --background"
    for words in (f"{run} {image}", f"{run}={image}"):
        parsed = run_command.parse(words)
        assert parsed.files == (image,)
        assert parsed.words[-1].endswith(f"{run_command.HERE}/beach.png")
    assert run_command.parse(f"{run} blur").files == ()


def test_an_invalid_command_is_refused(edge: Edge, out: Path, workstation: Workstation) -> None:
    for run, error, word in (
        ("demo clasify --source 0", "unknown-command", "'edge demo classify'"),
        ("demo classify --sorce 0", "usage", "'--sorce'"),
        ("bench", "invalid-run-command", "'bench'"),
        ("demo classify --model x.tflite", "run-command-names-model", "x.tflite"),
        ("demo classify --source 0 --labels none.txt", "file-not-found", "none.txt"),
        ("demo classify --source browser --sink web", "source-not-on-board", "browser"),
        ("demo classify --sink 'x", "invalid-run-command", "'x"),
        ("demo classify --line door:0,0,9,9", "option-of-another-demo", "demo track"),
    ):
        result = edge("deploy", out, "pi@nowhere.invalid", "--run", run)
        assert (result.code, error_code(result.err)) == (2, error), result.err
        assert word in result.err
