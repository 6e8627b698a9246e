"""Releases: named by their content, with the model, its companion files and golden outputs."""

import shutil
import zipfile
from pathlib import Path

import pytest
import tiny_models
from errors import error_code, raises_code
from ssh_board import Workstation

from boards.deploy import package, run_command
from boards.deploy.package import ReleasePackage
from edge.deployment import release

from .conftest import RUN, Edge

PACK_RUN = "demo classify --source 0"


def pack(out: Path, run: str = PACK_RUN) -> ReleasePackage:
    command = run_command.parse(run)
    return package.pack(package.model_files(str(out), command.delegate, print), command)


def test_the_name_of_a_release_is_its_content(out: Path, tmp_path: Path) -> None:
    first = pack(out)
    assert first == pack(out)
    assert first.name != pack(out, f"{PACK_RUN} --top 2").name
    other = tmp_path / "out"
    shutil.copytree(out, other)
    (other / "labels.txt").write_text("rot\ngrün\nblau\n")
    assert first.name != pack(other).name


def test_a_release_has_the_model_its_labels_and_its_command(out: Path, tmp_path: Path) -> None:
    labels = tmp_path / "my names.txt"
    labels.write_text("a\nb\nc\n")
    packed = pack(out, f"{PACK_RUN} --labels '{labels}' --top 2")
    assert sorted(packed.files) == [
        "SHA256SUMS", "model.tflite", "model.vectors.npz", "my names.txt", "release.json",
        "run",
    ]  # fmt: skip
    assert packed.files["run"].decode().splitlines()[-1] == (
        'exec "$here/env/bin/edge" demo classify --model "$here"/model.tflite --source 0 '
        "--labels \"$here\"/'my names.txt' --top 2"
    )
    assert b"  model.tflite\n" in packed.files["SHA256SUMS"]


def test_the_description_of_a_head_is_included(tmp_path: Path) -> None:
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
def test_two_files_of_the_same_name_are_refused(out: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("a\nb\nc\n")
    with raises_code("duplicate-release-file", found=name, fix=str(tmp_path / name)):
        pack(out, f"{PACK_RUN} --labels {tmp_path / name}")


def test_a_model_for_the_edge_tpu_includes_the_one_for_the_cpu(tmp_path: Path) -> None:
    (tmp_path / "model_edgetpu.tflite").write_bytes(tiny_models.edgetpu_model())
    (tmp_path / "model.tflite").write_bytes(tiny_models.color_model("uint8"))
    packed = pack(tmp_path)
    assert {"model_edgetpu.tflite", "model.tflite"} <= set(packed.files)
    (check,) = packed.manifest.proofs
    assert check.file == "model_edgetpu.tflite", "the model that runs is the one that is tested"
    on_cpu = pack(tmp_path, f"{PACK_RUN} --delegate cpu")
    assert "model_edgetpu.tflite" not in on_cpu.files


def test_a_bundle_is_tested_model_by_model(tmp_path: Path) -> None:
    path = tmp_path / "pose.task"
    with zipfile.ZipFile(path, "w") as bundle:
        for name in ("detector", "landmarks"):
            bundle.writestr(f"{name}.tflite", tiny_models.color_model("float32"))
    packed = pack(path, "demo pose --source 0")
    members = {check.member for check in packed.manifest.proofs}
    assert members == {"detector.tflite", "landmarks.tflite"}


def test_a_packed_release_can_be_read(out: Path, tmp_path: Path) -> None:
    packed = pack(out)
    folder = tmp_path / packed.name
    folder.mkdir()
    for name, content in packed.files.items():
        (folder / name).write_bytes(content)
    assert release.read(folder) == packed.manifest


@pytest.mark.parametrize(
    ("content", "delegate", "error"),
    [
        (tiny_models.color_model("int8"), "edgetpu", "model-not-for-edgetpu"),
        (tiny_models.edgetpu_model(), "cpu", "model-not-for-cpu"),
    ],
)
def test_a_model_for_another_delegate_is_refused(
    edge: Edge,
    workstation: Workstation,
    tmp_path: Path,
    content: bytes,
    delegate: str,
    error: str,
) -> None:
    path = tmp_path / "model_edgetpu.tflite"
    path.write_bytes(content)
    result = edge("deploy", path, "pi@nowhere.invalid", "--run", f"{RUN} --delegate {delegate}")
    assert (result.code, error_code(result.err)) == (2, error)
    assert str(tmp_path) in result.err


def test_a_model_for_the_edge_tpu_without_the_one_for_the_cpu(
    edge: Edge, workstation: Workstation, tmp_path: Path
) -> None:
    path = tmp_path / "model_edgetpu.tflite"
    path.write_bytes(tiny_models.edgetpu_model())
    result = edge("deploy", path, "pi@nowhere.invalid", "--run", f"{RUN} --delegate edgetpu")
    assert (result.code, error_code(result.err)) == (2, "cpu-model-missing")
    assert f"{tmp_path / 'model.tflite'}" in result.err


def test_only_the_command_itself_has_the_password_of_a_camera(out: Path) -> None:
    files = pack(out, "demo classify --source rtsp://adm1n:s3cret@192.0.2.7/live").files
    assert [name for name, content in files.items() if b"s3cret" in content] == ["run"]
    assert b"192.0.2.7" in files["release.json"]
