"""``edge selftest``: whether a release is whole, and answers as where it was expected_outputs."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny_models
from errors import error_code, raises_code

from edge import cli, interpreter
from edge.deployment import golden, release
from edge.deployment.release import GoldenCheck, ReleaseManifest
from edge.interpreter import Runtime

Make = Callable[[bytes, golden.GoldenOutputs], Path]


def runtime(dtype: str = "int8") -> Runtime:
    return interpreter.load(tiny_models.color_model(dtype), name="colors", delegate="cpu")


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A release of a model that should answer as ``carried`` says."""

    def write(model: bytes, carried: golden.GoldenOutputs) -> Path:
        proofs = (GoldenCheck("m.tflite", "", "m.npz"),)
        manifest = ReleaseManifest("0", "", ("demo",), (), False, "auto", proofs)
        files = {
            "m.tflite": model,
            "m.npz": golden.pack(carried),
            "run": b"#!/bin/sh\n",
            release.MANIFEST: manifest.to_json().encode(),
        }
        sums = release.checksum_lines(files)
        folder = tmp_path / release.release_id(sums)
        folder.mkdir()
        for name, content in {**files, release.SUMS: sums}.items():
            (folder / name).write_bytes(content)
        (folder / release.ENVIRONMENT).symlink_to("/somewhere")
        return folder

    return write


@pytest.fixture
def whole(make: Make) -> Path:
    model = tiny_models.color_model("int8")
    return make(model, golden.compute(runtime(), "colors"))


def test_a_release_with_matching_outputs_passes(
    whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["selftest", str(whole), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["release"], report["passed"]) == (whole.name, True)
    assert report["models"][0]["deviation"] == 0
    link = whole.with_name("current")
    link.symlink_to(whole.name)
    assert cli.run(["selftest", str(link)]) == 0
    assert "m.tflite" in capsys.readouterr().out


def test_a_model_with_other_outputs_fails(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    right = golden.compute(runtime(), "colors")
    turned = tuple(np.roll(answer, 1, axis=-1) for answer in right.outputs)
    folder = make(tiny_models.color_model("int8"), golden.GoldenOutputs(right.inputs, turned))
    assert cli.run(["selftest", str(folder), "--json"]) == 3
    report = json.loads(capsys.readouterr().out)
    assert (report["passed"], report["models"][0]["passed"]) == (False, False)
    assert cli.run(["selftest", str(folder)]) == 3
    assert "DIFFERS" in capsys.readouterr().out


def broken_model() -> bytes:
    """One whose weights became NaN, and with them its answers."""
    weight, nan = np.float32(0.25).tobytes(), np.float32("nan").tobytes()
    return tiny_models.color_model("float32").replace(weight, nan)


def test_a_model_with_nan_outputs_is_an_error(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make(broken_model(), golden.compute(runtime("float32"), "colors"))
    assert cli.run(["selftest", str(folder), "--json"]) == 2
    out, err = capsys.readouterr()
    report = json.loads(out, parse_constant=pytest.fail)  # NaN is no JSON
    assert report["error"]["code"] == "output-not-finite"
    assert error_code(err) == "output-not-finite" and "m.tflite" in err


def test_nan_is_noticed_in_every_output(monkeypatch: pytest.MonkeyPatch) -> None:
    expected_outputs = golden.compute(runtime("float32"), "colors")
    answers, lost = expected_outputs.outputs[0], np.full_like(expected_outputs.outputs[0], np.nan)
    monkeypatch.setattr(golden, "_compared", lambda _: (0, 0))
    twice = golden.GoldenOutputs(expected_outputs.inputs, (answers, answers))
    monkeypatch.setattr(golden, "compute_outputs", lambda *_: (answers, lost))
    with raises_code("output-not-finite"):
        golden.deviation(runtime("float32"), twice)
    without = golden.GoldenOutputs(expected_outputs.inputs, (answers, lost))
    assert golden.deviation(runtime("float32"), without) == 0  # it never was one


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        (lambda folder: (folder / "m.tflite").write_bytes(b"x"), "m.tflite"),
        (lambda folder: (folder / "run").unlink(), "run"),
        (lambda folder: (folder / "more.py").touch(), "more.py"),
        (lambda folder: (folder / "SHA256SUMS").write_text(""), "SHA256SUMS"),
        (
            lambda folder: [(folder / "m.npz").unlink(), (folder / "m.npz").symlink_to("m.tflite")],
            "m.npz",
        ),
    ],
)
def test_a_modified_release_is_an_error(
    whole: Path, harm: Callable[[Path], object], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    harm(whole)
    assert cli.run(["selftest", str(whole)]) == 2
    assert error_code(capsys.readouterr().err) == "release-modified"
    with raises_code("release-modified", expected=whole.name) as caught:
        release.check(whole)
    assert caught.value.found.endswith(f" {named}")


def test_a_folder_that_is_not_a_release_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["selftest", str(tmp_path / "none")]) == 2
    assert error_code(capsys.readouterr().err) == "release-unreadable"


@pytest.mark.parametrize("dtype", ["uint8", "int8", "float32"])
def test_golden_outputs_survive_packing(dtype: str) -> None:
    expected_outputs = golden.compute(runtime(dtype), "colors")
    assert expected_outputs.inputs[0].shape == (golden.COUNT, 1, 4, 4, 3)
    packed = golden.pack(expected_outputs)
    assert packed == golden.pack(golden.compute(runtime(dtype), "colors"))
    read = golden.unpack(packed, "x.npz")
    assert golden.deviation(runtime(dtype), read) == 0


def test_a_few_rounding_steps_are_not_a_deviation() -> None:
    expected_outputs = golden.compute(runtime(), "colors")
    step = runtime().outputs[0].scale
    off = golden.GoldenOutputs(
        expected_outputs.inputs, tuple(answer + 3 * step for answer in expected_outputs.outputs)
    )
    assert golden.deviation(runtime(), off) == 0
    far = golden.GoldenOutputs(
        expected_outputs.inputs, tuple(answer + 60 * step for answer in expected_outputs.outputs)
    )
    assert golden.deviation(runtime(), far) > golden.LIMIT


def test_golden_outputs_of_another_model_are_rejected() -> None:
    expected_outputs = golden.compute(runtime(), "colors")
    other = interpreter.load(
        tiny_models.color_model("int8", classes=5), name="other", delegate="cpu"
    )
    with raises_code("golden-shape-mismatch"):
        golden.deviation(other, expected_outputs)
    with raises_code("golden-unreadable", found="x.npz"):
        golden.unpack(b"PK\x03\x04 and then nothing", "x.npz")


@pytest.mark.realdata
@pytest.mark.parametrize(
    "name",
    ["mobilenet_v1_0.25_128_quant", "tf2_mobilenet_v2_1.0_224_ptq", "yolo_fastest_1.1_int8",
     "coco_ssd_mobilenet_v1_1.0_quant", "movenet_single_pose_lightning_ptq"],
)  # fmt: skip
def test_another_interpreter_passes_and_other_weights_fail(test_data: Path, name: str) -> None:
    pytest.importorskip("tflite_runtime.interpreter")
    content = (test_data / "models" / f"{name}.tflite").read_bytes()
    here = interpreter.load(content, name=name, delegate="cpu")
    expected_outputs = golden.compute(here, name)
    there = interpreter.load(content, name=name, delegate="cpu", interpreter="tflite-runtime")
    assert golden.deviation(there, expected_outputs) < golden.LIMIT
    start, size = max(here.file.buffers, key=lambda buffer: buffer[1])
    weights = np.frombuffer(content, np.uint8, size, start).copy()
    np.random.default_rng(1).shuffle(weights[: size // 4 * 4].view(np.uint32))
    broken = content[:start] + weights.tobytes() + content[start + size :]
    wrong = interpreter.load(broken, name=name, delegate="cpu")
    assert golden.deviation(wrong, expected_outputs) > golden.LIMIT


def test_a_result_folder_is_no_release(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "model.tflite").write_bytes(tiny_models.color_model("int8"))
    assert cli.run(["selftest", str(tmp_path)]) == 2
    printed = capsys.readouterr().err
    assert error_code(printed) == "not-a-release"
    assert f"edge bench {tmp_path}" in printed
