"""`edge convert` as a user runs it, on the generated data set, and what it leaves behind."""

import hashlib
import json
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from errors import error_code
from op_by_op import op_by_op
from quick_recipes import PACKED, write

import edge
from converters import tf
from edge.installation import install_command

RunEdge = Callable[..., "subprocess.CompletedProcess[str]"]

LIGHT = Path(__file__).resolve().parents[2] / "support" / "light_environment.py"
SMALL = ("--weights", "builtin", "--size", "96", "--fine-tune", "never")


@pytest.fixture(scope="module")
def report(converted: tuple[Path, Any]) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((converted[0] / "report.json").read_text())
    return record


def test_everything_promised_is_there(converted: tuple[Path, Any]) -> None:
    out, _ = converted
    files = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert files == {
        "model.tflite",
        "labels.txt",
        "report.json",
        "report.html",
        "variants/float32.tflite",
        "variants/float16.tflite",
        "variants/int8.tflite",
    }
    assert (out / "labels.txt").read_text().split() == json.loads(
        (out / "report.json").read_text()
    )["dataset"]["classes"]
    assert (out / "model.tflite").read_bytes() == (out / "variants/int8.tflite").read_bytes()


def test_neither_tensorflow_nor_other_heavy_packages_are_imported(
    converted: tuple[Path, Any],
) -> None:
    imported = set((converted[0].parent / "modules").read_text().split())
    assert "numpy" in imported
    assert not imported & {"tensorflow", "tf_keras", "scipy", "sklearn", "h5py", "matplotlib"}


def test_the_interpreter_does_not_announce_itself(converted: tuple[Path, Any]) -> None:
    assert "XNNPACK" not in converted[1].stderr


def test_json_alone_on_stdout(converted: tuple[Path, Any], report: dict[str, Any]) -> None:
    assert json.loads(converted[1].stdout) == report


def test_the_report_measures_the_files_that_lie_there(
    converted: tuple[Path, Any], report: dict[str, Any]
) -> None:
    for name in ("float32", "float16", "int8"):
        variant = report["variants"][name]
        assert variant["bytes"] == (converted[0] / variant["file"]).stat().st_size
        assert variant["gzip_bytes"] < variant["bytes"] * 1.01
        assert 0 <= variant["accuracy"] <= 1
        assert variant["p50_ms"] > 0
    assert report["variants"]["float32"]["agreement"] == 1
    assert report["variants"]["int8"]["bytes"] < report["variants"]["float32"]["bytes"] / 2


def test_the_recorded_accuracy_is_that_of_the_file_on_the_recorded_test_side(
    converted: tuple[Path, Any], report: dict[str, Any], micro_dataset: Path
) -> None:
    model = edge.Classifier.open(converted[0] / "model.tflite")
    by_digest = {
        hashlib.sha256(path.read_bytes()).hexdigest(): path
        for path in micro_dataset.rglob("*")
        if path.is_file()
    }
    right = [
        model.predict(by_digest[digest]).best.label == by_digest[digest].parent.name
        for digest in report["split"]["test"]
    ]
    assert np.mean(right) == pytest.approx(report["variants"]["int8"]["accuracy"])


def test_the_file_says_where_it_comes_from(
    converted: tuple[Path, Any], report: dict[str, Any]
) -> None:
    model = edge.Classifier.open(converted[0] / "model.tflite")
    assert model.labels == tuple(report["dataset"]["classes"])
    assert model.metadata is not None
    assert model.metadata.provenance is not None
    assert model.metadata.provenance["seed"] == report["seed"]
    assert "edge-toolkit" in model.metadata.provenance["toolkit"]


def test_the_report_is_one_file_without_addresses(converted: tuple[Path, Any]) -> None:
    page = (converted[0] / "report.html").read_text()
    assert "data:image/" in page
    assert 'src="http' not in page
    assert 'href="http' not in page


def test_the_page_says_what_may_come_from_an_earlier_run(converted: tuple[Path, Any]) -> None:
    page = (converted[0] / "report.html").read_text()
    assert "what their frozen backbone computes of an image may come from an earlier run" in page


def test_ten_added_images_cost_ten_embeddings(
    converted: tuple[Path, Any],
    report: dict[str, Any],
    micro_dataset: Path,
    tmp_path: Path,
) -> None:
    """In an environment with the extras "convert" and "web" alone."""
    from micro import write_dataset

    photos, more = tmp_path / "photos", tmp_path / "more"
    shutil.copytree(micro_dataset, photos)
    write_dataset(more, seed=99)
    added = [path for path in sorted(more.rglob("*")) if path.is_file()][:10]
    for path in added:
        shutil.copy(path, photos / path.parent.name / f"added-{path.name}")
    command = [
        sys.executable, LIGHT, "convert", photos, "-o", tmp_path / "out", *SMALL, "--json",
    ]  # fmt: skip
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 3), done.stderr
    after = json.loads(done.stdout)
    used, sides = after["training"]["details"]["embeddings"], after["split"]
    # The test side is never embedded: what the added images push out of it is new as well.
    pushed_out = set(report["split"]["test"]) & {*sides["train"], *sides["validation"]}
    assert used["computed"] <= 10 + len(pushed_out)
    assert len(pushed_out) <= 5
    assert used["cached"] > 30


@pytest.mark.parametrize(
    "options", [("--fine-tune", "always"), ("--weights", "none"), ("--recipe", "qat")]
)
def test_what_trains_is_refused_before_it_starts_without_tensorflow(
    options: tuple[str, str],
    micro_dataset: Path,
    run_here: RunEdge,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(tf, "is_installed", lambda: False)
    done = run_here("convert", micro_dataset, "-o", tmp_path / "out", *options)
    assert done.returncode == 2
    assert error_code(done.stderr) == "missing-package"
    assert " ".join(options) in done.stderr
    assert install_command("train") in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def for_edgetpu(
    converted: tuple[Path, Any],
    micro_dataset: Path,
    run_here: RunEdge,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, "subprocess.CompletedProcess[str]"]:
    """A later conversion with two recipes, for the Edge TPU, where there is no compiler."""
    place = tmp_path_factory.mktemp("recipes")
    recipes = ("int8", write(place, "packed", PACKED))
    with op_by_op():
        done = run_here(
            "convert", micro_dataset, "-o", place / "out", *SMALL, "--target", "edgetpu",
            *(word for recipe in recipes for word in ("--recipe", recipe)),
        )  # fmt: skip
    assert done.returncode in (0, 3), done.stderr
    return place / "out", done


def test_every_recipe_is_measured_like_the_others(for_edgetpu: tuple[Path, Any]) -> None:
    report = json.loads((for_edgetpu[0] / "report.json").read_text())
    variants = report["variants"]
    assert list(variants) == ["float32", "float16", "int8", "packed"]
    assert {frozenset(variant) for variant in variants.values()} == {frozenset(variants["int8"])}
    for name, variant in variants.items():
        assert variant["bytes"] == (for_edgetpu[0] / variant["file"]).stat().st_size
        assert variant["recipe"] == (name if name == "packed" else "")
        assert variant["latencies"][0]["threads"] == 1
        assert variant["latencies"][-1]["p50_ms"] == variant["p50_ms"] > 0
    assert variants["packed"]["multiply_adds"] == variants["int8"]["multiply_adds"]
    assert variants["packed"]["sparsity"] > 0.35 > variants["int8"]["sparsity"]
    assert variants["packed"]["gzip_bytes"] < variants["int8"]["gzip_bytes"]
    assert "packed" in (for_edgetpu[0] / "report.html").read_text()


def test_the_same_seed_gives_the_same_model_from_a_warm_cache(
    converted: tuple[Path, Any],
    report: dict[str, Any],
    for_edgetpu: tuple[Path, Any],
    micro_dataset: Path,
) -> None:
    again = json.loads((for_edgetpu[0] / "report.json").read_text())
    assert again["split"] == report["split"]
    assert again["training"]["details"]["embeddings"]["computed"] == 0
    images = micro_dataset.rglob("*.jpg")
    first, second = (
        edge.Classifier.open(folder / "variants/float32.tflite")
        for folder in (converted[0], for_edgetpu[0])
    )
    for path in list(images)[:5]:
        image = edge.read_image(path)
        assert first.predict(image).best.index == second.predict(image).best.index
        assert first.predict(image).best.score == pytest.approx(
            second.predict(image).best.score, abs=1e-4
        )


def test_what_the_edge_tpu_would_refuse_is_not_chosen_for_it(
    for_edgetpu: tuple[Path, Any],
) -> None:
    out, done = for_edgetpu
    report = json.loads((out / "report.json").read_text())
    refused = {f["variant"] for f in report["choice"]["failures"] if f["limit"] == "edgetpu"}
    assert refused == {"float32", "float16"}
    assert (report["chosen"], report["choice"]["met"]) == ("packed", True)
    assert report["compiled"]["file"] is None
    assert any("edgetpu_compiler" in note for note in report["compiled"]["notes"])
    assert "edgetpu_compiler" in done.stdout


def test_scores_are_calibrated_in_every_file(
    converted: tuple[Path, Any], report: dict[str, Any], micro_dataset: Path
) -> None:
    confidence = report["confidence"]
    assert confidence["temperature"] > 0
    validation = confidence["validation"]
    assert validation["log_loss_after"] <= validation["log_loss_before"] + 1e-6
    assert report["variants"]["float32"]["log_loss"] == confidence["test"]["log_loss_after"]
    assert report["variants"]["float32"]["ece"] == confidence["test"]["ece_after"]
    counted = sum(bin_["count"] for bin_ in confidence["reliability"]["after"])
    assert counted == report["split"]["sizes"]["test"]
    float32, int8 = (
        edge.Classifier.open(converted[0] / f"variants/{name}.tflite")
        for name in ("float32", "int8")
    )
    for path in sorted(micro_dataset.rglob("*.png"))[:5]:
        image = edge.read_image(path)
        scores = [
            model.scores(model.preprocessing.resize(image[..., ::-1])) for model in (float32, int8)
        ]
        np.testing.assert_allclose(*scores, atol=0.15)


def test_an_earlier_result_is_kept_without_force(
    converted: tuple[Path, Any], micro_dataset: Path, run_here: RunEdge
) -> None:
    before = (converted[0] / "report.json").read_bytes()
    done = run_here("convert", micro_dataset, "-o", converted[0], "--weights", "none")
    assert done.returncode == 2
    assert error_code(done.stderr) == "output-exists"
    assert "--force" in done.stderr
    assert (converted[0] / "report.json").read_bytes() == before


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """A folder for which there is too little room, and what is said of it."""

    folder: Path
    output: str


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:  # who is not root
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
        yield SmallDisk(disk, "file too large")
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        return
    yield SmallDisk(disk, "no space left on device")
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_disk_that_fills_up_leaves_nothing(
    micro_dataset: Path, run_here: RunEdge, small_disk: SmallDisk
) -> None:
    out = small_disk.folder / "out"
    done = run_here("convert", micro_dataset, "-o", out, *SMALL)
    assert done.returncode == 2, done.stderr
    assert error_code(done.stderr) == "output-not-writable"
    assert small_disk.output in done.stderr
    assert "Traceback" not in done.stderr
    assert list(small_disk.folder.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told_at_once(
    micro_dataset: Path, run_here: RunEdge
) -> None:
    done = run_here("convert", micro_dataset, "-o", "/sys/out", "--weights", "none")
    assert done.returncode == 2
    assert error_code(done.stderr) == "output-not-writable"
    assert "/sys" in done.stderr
    assert done.stderr.count("\n") == 1, "something was done before"


@pytest.mark.parametrize(("order", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_run_leaves_nothing_half_written(
    micro_dataset: Path, tmp_path: Path, order: int, code: int
) -> None:
    command = [sys.executable, "-m", "edge", "convert", str(micro_dataset), "-o",
               str(tmp_path / "out"), *SMALL]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not list(tmp_path.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert list(tmp_path.iterdir()), "the run never started to write"
        time.sleep(0.2)
        process.send_signal(order)
        output = process.communicate(timeout=60)[1]
    assert process.returncode == code
    assert "Traceback" not in output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["missing-folder"], "dataset-not-found", "missing-folder"),
        ([".", "--weights", "imagnet"], "unknown-weights", "imagenet"),
        ([".", "--fine-tune", "sometimes"], None, "auto"),
        ([".", "--augment", "flipp"], "unknown-augmentation", "flip"),
        ([".", "--alpha", "0.3"], "unsupported-alpha", "0.35"),
        ([".", "--size", "100"], "unsupported-input-size", "96"),
        ([".", "--recipe", "chanels-50"], "unknown-recipe", "'channels-50'"),
        ([".", "--recipe", "missing.toml"], "recipe-not-found", "missing.toml"),
        ([".", "--target", "gpu"], "unknown-option-value", "cpu|edgetpu|all"),
        ([".", "--max-size", "-1"], "option-out-of-range", "--max-size"),
        ([".", "--max-latency", "nan"], "option-out-of-range", "--max-latency"),
        ([".", "--min-accuracy", "90"], "option-out-of-range", "--min-accuracy 0.9"),
        ([".", "--precision", "0"], "option-out-of-range", "--precision"),
        (
            [".", "--target", "edgetpu", "--max-latency", "5"],
            "conflicting-options",
            "--max-latency",
        ),
    ],
)
def test_a_wrong_word_is_answered_with_the_right_one(
    arguments: list[str],
    code: str | None,
    words: str,
    run_here: RunEdge,
    micro_dataset: Path,
    tmp_path: Path,
) -> None:
    done = run_here("convert", *arguments, "-o", tmp_path / "out", "--json", cwd=micro_dataset)
    assert done.returncode == 2, done.stderr
    assert code is None or error_code(done.stderr) == code
    assert words in done.stderr
    *steps, _ = done.stderr.strip().splitlines()
    assert all(line.startswith("Step ") for line in steps)
    assert json.loads(done.stdout)["error"]
    assert not (tmp_path / "out").exists()


def test_for_the_board_the_time_is_estimated(report: dict[str, Any]) -> None:
    board = report["board"]
    assert (board["name"], board["target"], board["size"]) == ("raspberry-pi-4b", "cpu", 96)
    assert board["threads"] == 4
    int8 = board["estimates"]["int8"]
    assert 0 < int8["low_ms"] < int8["ms"] < int8["high_ms"]
    # The published MobileNet v2 in int8: 17 ms for 300 million multiply-adds.
    adds = report["variants"]["int8"]["multiply_adds"]
    assert int8["ms"] == pytest.approx(17 * adds / 300e6)
    assert board["estimates"]["float16"]["ms"] > int8["ms"]
