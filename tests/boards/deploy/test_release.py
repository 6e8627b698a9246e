"""What is sent: a release by its content, the wheel of this toolkit, the unit of the service."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import tiny_models
from errors import raises_code

from boards.deploy import package, run_command, steps, systemd_unit, wheel
from boards.deploy.package import ReleasePackage
from boards.deploy.ssh import BoardAddress
from boards.deploy.steps import Outcome
from edge import cli
from edge.deployment import release

RUN = "demo classify --source 0"


def pack(out: Path, run: str = RUN) -> ReleasePackage:
    return package.pack(str(out), run_command.parse(run), print)


def test_the_name_of_a_release_is_its_content(out: Path, tmp_path: Path) -> None:
    first = pack(out)
    assert first == pack(out)
    assert first.name != pack(out, f"{RUN} --top 2").name
    other = tmp_path / "out"
    shutil.copytree(out, other)
    (other / "labels.txt").write_text("rot\ngrün\nblau\n")
    assert first.name != pack(other).name


def test_a_release_holds_the_model_its_labels_and_what_runs_it(out: Path, tmp_path: Path) -> None:
    labels = tmp_path / "names of mine.txt"
    labels.write_text("a\nb\nc\n")
    made = pack(out, f"{RUN} --labels '{labels}' --top 2")
    assert sorted(made.files) == [
        "SHA256SUMS", "model.tflite", "model.vectors.npz", "names of mine.txt", "release.json",
        "run",
    ]  # fmt: skip
    assert made.files["run"].decode().splitlines()[-1] == (
        'exec "$here/env/bin/edge" demo classify --model "$here"/model.tflite --source 0 '
        "--labels \"$here\"/'names of mine.txt' --top 2"
    )
    assert b"  model.tflite\n" in made.files["SHA256SUMS"]


def test_the_description_of_a_head_goes_along(tmp_path: Path) -> None:
    (tmp_path / "yolo.tflite").write_bytes(tiny_models.color_model("int8"))
    (tmp_path / "yolo.toml").write_text('head = "yolo-grid"\n')
    run = "demo detect --source 0"
    assert "yolo.toml" in pack(tmp_path / "yolo.tflite", run).files
    other = tmp_path / "other.toml"
    other.write_text('head = "ssd"\n')
    named = pack(tmp_path / "yolo.tflite", f"{run} --head {other}").files
    assert "other.toml" in named
    assert "yolo.toml" not in named


@pytest.mark.parametrize("name", ["run", "model.tflite"])
def test_files_of_one_name_are_not_mixed(out: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("a\nb\nc\n")
    with raises_code("duplicate-release-file", found=name, fix=str(tmp_path / name)):
        pack(out, f"{RUN} --labels {tmp_path / name}")


def test_a_model_for_the_edge_tpu_brings_the_one_for_the_cpu(tmp_path: Path) -> None:
    (tmp_path / "model_edgetpu.tflite").write_bytes(tiny_models.edgetpu_model())
    (tmp_path / "model.tflite").write_bytes(tiny_models.color_model("uint8"))
    made = pack(tmp_path)
    assert {"model_edgetpu.tflite", "model.tflite"} <= set(made.files)
    (proof,) = made.manifest.proofs
    assert proof.file == "model_edgetpu.tflite", "the model that runs is the one that is tested"
    on_cpu = pack(tmp_path, f"{RUN} --delegate cpu")
    assert "model_edgetpu.tflite" not in on_cpu.files


def test_a_bundle_is_tested_model_by_model(tmp_path: Path) -> None:
    path = tmp_path / "pose.task"
    with zipfile.ZipFile(path, "w") as bundle:
        for name in ("detector", "landmarks"):
            bundle.writestr(f"{name}.tflite", tiny_models.color_model("float32"))
    made = package.pack(str(path), run_command.parse("demo pose --source 0"), print)
    members = {proof.member for proof in made.manifest.proofs}
    assert members == {"detector.tflite", "landmarks.tflite"}


@pytest.mark.parametrize(
    ("run", "extras", "system"),
    [
        ("demo classify --source 0", (), False),
        ("edge demo track --source 0 --sink web", ("track", "web"), False),
        ("demo pose --source picamera --sink mqtt://broker/topic", ("mqtt", "pose"), True),
    ],
)
def test_what_a_command_needs(run: str, extras: tuple[str, ...], system: bool) -> None:
    parsed = run_command.parse(run)
    assert (parsed.extras, parsed.system_packages) == (extras, system)


def test_a_page_that_only_the_board_can_open_is_known() -> None:
    for sink, ports in {
        "web": (8080,), "web:8081": (8081,), "web:localhost:81": (81,), "web:0.0.0.0": (),
        "web:0": (), "none": (),
    }.items():  # fmt: skip
        assert run_command.parse(f"{RUN} --sink {sink}").pages == ports
    tunnel = "ssh -L 8080:127.0.0.1:8080 -p 2222 pi@camera.local"
    assert BoardAddress.parse("pi@camera.local:2222").tunnel(8080) == tunnel


def test_the_way_to_such_a_page_is_told(
    out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def deploy(address: BoardAddress, *_: object) -> Outcome:
        return Outcome(address, "0123456789ab", changed=True)

    monkeypatch.setattr(steps, "deploy", deploy)
    words = ["deploy", str(out), "pi@camera.local", "--run"]
    assert cli.run([*words, f"{RUN} --sink web"]) == 0
    (note,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("note:")]
    assert "'ssh -L 8080:127.0.0.1:8080 pi@camera.local'" in note
    assert "http://127.0.0.1:8080/" in note
    assert cli.run([*words, f"{RUN} --sink none"]) == 0
    assert "note:" not in capsys.readouterr().err


def test_a_background_goes_along_where_it_is_an_image(tmp_path: Path) -> None:
    image = tmp_path / "beach.png"
    image.write_bytes(b"an image")
    run = "demo segment --source 0 --background"
    for words in (f"{run} {image}", f"{run}={image}"):
        parsed = run_command.parse(words)
        assert parsed.carried == (image,)
        assert parsed.words[-1].endswith(f"{run_command.HERE}/beach.png")
    assert run_command.parse(f"{run} blur").carried == ()


def test_what_was_packed_can_be_read_and_nothing_else(out: Path, tmp_path: Path) -> None:
    made = pack(out)
    folder = tmp_path / made.name
    folder.mkdir()
    for name, content in made.files.items():
        (folder / name).write_bytes(content)
    assert release.read(folder) == made.manifest


def test_the_wheel_installs_and_runs(tmp_path: Path) -> None:
    own = wheel.build_own_wheel()
    path = tmp_path / own.name
    path.write_bytes(own.content)
    place = tmp_path / "site"
    command_line = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index",
                    "--no-compile", "--target", place, path]  # fmt: skip
    subprocess.run(command_line, check=True, capture_output=True)
    program = "import edge.cli, boards.deploy.systemd_unit as unit; print(unit.__file__, edge.__version__)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(place), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.stdout.startswith(str(place)), done.stderr
    assert (place / "boards/deploy/scripts/switch.sh").is_file()
    assert (place / "bin/edge").is_file()
    assert wheel.build_own_wheel.__wrapped__() == wheel.build_own_wheel.__wrapped__()


@pytest.mark.parametrize("owner", ["edge-toolkit", ""])
def test_systemd_takes_the_unit_without_a_word(tmp_path: Path, owner: str) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd-analyze: apt-get install systemd")
    (tmp_path / "current").mkdir()
    (tmp_path / "current/run").write_text("#!/bin/sh\n")
    (tmp_path / "current/run").chmod(0o755)
    path = tmp_path / "edge-toolkit.service"
    path.write_text(systemd_unit.render_unit(root=str(tmp_path), owner=owner, wait=20))
    words = [program, *([] if owner else ["--user"]), "verify", path]
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, env={"XDG_RUNTIME_DIR": str(tmp_path)}
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
