"""`edge compress` as a user runs it, on what `edge convert` left behind."""

import hashlib
import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from errors import error_code
from op_by_op import op_by_op
from quick_recipes import HALF, write

import edge
from converters.tf import keras
from converters.writer.classifier import read_classifier

RunEdge = Callable[..., "subprocess.CompletedProcess[str]"]
Converted = tuple[Path, "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def compressed(converted: Converted, run_here: RunEdge, tmp_path_factory: Any) -> Converted:
    """The earlier result with half of its channels, and what the command printed."""
    place = tmp_path_factory.mktemp("compressed")
    with op_by_op():
        done = run_here(
            "compress", converted[0], "--recipe", write(place, "half", HALF), "-o", place / "out",
            "--precision", "0.9", "--json",
        )  # fmt: skip
    assert done.returncode in (0, 3), done.stderr
    return place / "out", done


def report_of(folder: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return record


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def copy_of(folder: Path, place: Path, **changes: Any) -> Path:
    """A copy of a result whose record differs in ``changes``."""
    shutil.copytree(folder, place)
    (place / "report.json").write_text(json.dumps(report_of(place) | changes), encoding="utf-8")
    return place


def test_the_recipe_is_measured_beside_what_is_always_made(compressed: Converted) -> None:
    out, done = compressed
    report = report_of(out)
    assert json.loads(done.stdout) == report
    assert list(report["variants"]) == ["float32", "float16", "int8", "half"]
    half, int8 = report["variants"]["half"], report["variants"]["int8"]
    assert half["recipe"] == "half"
    assert [step["method"] for step in half["steps"]] == ["channels", "int8"]
    assert half["notes"]
    assert half["multiply_adds"] < 0.75 * int8["multiply_adds"]
    assert half["bytes"] < int8["bytes"]
    assert half["edgetpu"]["status"] == "full"
    assert half["latencies"][0]["threads"] == 1
    assert report["chosen"] == report["verdict"]["variant"] == "half"
    assert digest(out / "model.tflite") == digest(out / "variants/half.tflite")


def test_it_is_of_the_same_images_and_says_where_it_comes_from(
    converted: Converted, compressed: Converted
) -> None:
    before, after = report_of(converted[0]), report_of(compressed[0])
    for section in ("split", "preprocessing", "weights", "training", "seed"):
        assert after[section] == before[section]
    assert after["source"] == {
        "name": "out",
        "created": before["created"],
        "command": before["command"],
        "chosen": "int8",
    }
    # The network comes calibrated: float32 is what it was.
    assert after["confidence"]["temperature"] == 1
    for figure in ("accuracy", "log_loss", "ece"):
        assert after["variants"]["float32"][figure] == pytest.approx(
            before["variants"]["float32"][figure]
        )


def test_a_process_of_its_own_prints_one_line(run_edge: RunEdge, tmp_path: Path) -> None:
    done = run_edge("compress", tmp_path, "--recipe", "int8", "-o", tmp_path / "out")
    assert done.returncode == 2
    assert error_code(done.stderr) == "result-not-found"
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1


def test_the_network_left_behind_is_the_one_of_the_model(
    converted: Converted, compressed: Converted
) -> None:
    assert not (converted[0] / "model.keras").exists()  # TensorFlow had no part in it
    whole = read_classifier(converted[0] / "variants/float32.tflite")
    assert zipfile.is_zipfile(compressed[0] / "model.keras")
    half = keras().models.load_model(compressed[0] / "model.keras", compile=False)
    parameters = whole.head.kernel.size + sum(
        array.size for arrays in whole.weights.values() for array in arrays
    )
    assert half.count_params() < 0.8 * parameters
    assert half.get_layer("head").output.shape == (None, whole.classes)


def test_the_wanted_precision_is_in_the_model(compressed: Converted) -> None:
    threshold = report_of(compressed[0])["variants"]["half"]["threshold"]
    assert threshold["wanted"] == 0.9
    model = edge.Classifier.open(compressed[0] / "model.tflite")
    if threshold["reached"] >= 0.9:
        assert model.threshold == pytest.approx(threshold["score"])
    else:
        assert model.threshold is None


def test_what_was_compressed_can_be_compressed_again_within_limits(
    compressed: Converted, micro_dataset: Path, run_here: RunEdge, tmp_path: Path
) -> None:
    moved = copy_of(
        compressed[0], tmp_path / "half",
        dataset=report_of(compressed[0])["dataset"] | {"path": str(tmp_path / "gone")},
    )  # fmt: skip
    arguments = ("compress", moved, "--recipe", "int8", "-o", tmp_path / "again")
    lost = run_here(*arguments)
    assert lost.returncode == 2
    assert error_code(lost.stderr) == "dataset-not-found"
    assert "--data" in lost.stderr
    done = run_here(*arguments, "--data", micro_dataset, "--max-size", "1")
    assert done.returncode == 3, done.stderr
    assert "--max-size" in done.stdout
    report = report_of(tmp_path / "again")
    assert report["choice"]["met"] is False
    assert {failure["limit"] for failure in report["choice"]["failures"]} == {"max_size_kb"}
    assert report["variants"]["int8"]["multiply_adds"] == pytest.approx(
        report_of(compressed[0])["variants"]["half"]["multiply_adds"]
    )
    assert report["variants"]["int8"]["threshold"]["wanted"] == 0.9  # as it was asked for before
    assert edge.Classifier.open(tmp_path / "again/model.tflite").labels


def no_folder(converted: Path, place: Path) -> list[object]:
    return [place / "nothing", "--recipe", "int8"]


def no_result(converted: Path, place: Path) -> list[object]:
    (place / "photos").mkdir()
    return [place / "photos", "--recipe", "int8"]


def no_record(converted: Path, place: Path) -> list[object]:
    (place / "broken").mkdir()
    (place / "broken/report.json").write_text("{", encoding="utf-8")
    return [place / "broken", "--recipe", "int8"]


def record_with_gaps(converted: Path, place: Path) -> list[object]:
    return [copy_of(converted, place / "gaps", training={}), "--recipe", "int8"]


def later_record(converted: Path, place: Path) -> list[object]:
    return [copy_of(converted, place / "later", schema=99), "--recipe", "int8"]


def no_network(converted: Path, place: Path) -> list[object]:
    copied = copy_of(converted, place / "bare")
    (copied / "variants/float32.tflite").unlink()
    return [copied, "--recipe", "int8"]


def cut_network(converted: Path, place: Path) -> list[object]:
    copied = copy_of(converted, place / "cut")
    file = copied / "variants/float32.tflite"
    file.write_bytes(file.read_bytes()[:90_000])
    return [copied, "--recipe", "int8"]


def garbage_network(converted: Path, place: Path) -> list[object]:
    copied = copy_of(converted, place / "garbage")
    (copied / "model.keras").write_bytes(b"PK\x03\x04 no network")
    return [copied, "--recipe", "int8"]


def other_images(converted: Path, place: Path) -> list[object]:
    from micro import write_dataset

    write_dataset(place / "others", seed=5)
    return [converted, "--recipe", "int8", "--data", place / "others"]


def wrong_recipe(converted: Path, place: Path) -> list[object]:
    return [converted, "--recipe", "chanels-50"]


def no_recipe(converted: Path, place: Path) -> list[object]:
    return [converted]


def onto_itself(converted: Path, place: Path) -> list[object]:
    return [converted, "--recipe", "int8", "-o", converted, "--force"]


def impossible(converted: Path, place: Path) -> list[object]:
    return [converted, "--recipe", "int8", "--min-accuracy", "95"]


@pytest.mark.parametrize(
    ("prepare", "code", "words"),
    [
        (no_folder, "result-not-found", "nothing"),
        (no_result, "result-not-found", "report.json"),
        (no_record, "result-invalid", "broken"),
        (record_with_gaps, "result-invalid", "gaps"),
        (later_record, "result-version-unsupported", "99"),
        (no_network, "trained-model-missing", "float32.tflite"),
        (cut_network, "weights-unreadable", "float32.tflite"),
        (garbage_network, "trained-model-unreadable", "model.keras"),
        (other_images, "split-images-missing", "others"),
        (wrong_recipe, "unknown-recipe", "'channels-50'"),
        (no_recipe, None, "--recipe"),
        (onto_itself, "output-overlaps-input", "-o"),
        (impossible, "option-out-of-range", "--min-accuracy 0.95"),
    ],
)
def test_what_cannot_be_compressed_is_refused_and_nothing_written(
    prepare: Callable[[Path, Path], list[object]],
    code: str | None,
    words: str,
    converted: Converted,
    run_here: RunEdge,
    tmp_path: Path,
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    arguments = prepare(converted[0], place)
    before = digest(converted[0] / "report.json")
    done = run_here("compress", "-o", tmp_path / "out", *arguments)
    assert done.returncode == 2, done.stdout
    assert code is None or error_code(done.stderr) == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["place"]
    assert digest(converted[0] / "report.json") == before
