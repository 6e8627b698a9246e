"""The command ``edge evaluate``, on tiny models of each task."""

import json
import re
import sys
from pathlib import Path

import labeled_sets
import pytest
from errors import error_code, raises_code

import converters

FOUR = {"task", "metrics", "per_class", "images"}


def test_a_classifier_on_class_folders(run_edge, tmp_path: Path) -> None:
    model, _ = labeled_sets.color_models(tmp_path)
    dataset = labeled_sets.colors(tmp_path / "photos")

    done = run_edge("evaluate", model, dataset, "--json", "-o", tmp_path / "out")

    assert done.returncode == 0, done.stderr
    values = json.loads(done.stdout)
    assert values.keys() >= FOUR
    assert values["task"] == "classify"
    assert values["images"] == 19
    assert values["metrics"]["accuracy"] == pytest.approx(18 / 19, abs=1e-6)
    assert values["per_class"]["red"]["recall"] == pytest.approx(6 / 7, abs=1e-6)
    assert values["mistakes"][0]["image"] == "red/wrong.png"
    assert json.loads((tmp_path / "out" / "evaluation.json").read_text()) == values
    page = (tmp_path / "out" / "evaluation.html").read_text()
    assert "red/<wbr>wrong.png" in page
    assert "data:image/jpeg" in page


def test_a_detector_on_boxes(run_here, tmp_path: Path) -> None:
    model, dataset = labeled_sets.detector(tmp_path), labeled_sets.boxes(tmp_path / "set")

    done = run_here("evaluate", model, dataset, "-o", tmp_path / "out", "--json")

    assert done.returncode == 0, done.stderr
    values = json.loads(done.stdout)
    assert values["task"] == "detect"
    assert values["images"] == 4
    assert values["metrics"]["map50"] == pytest.approx((92.5 / 101 + 1) / 2, abs=1e-6)
    assert values["per_class"]["Cat"]["objects"] == 3
    assert values["false_alarms_per_100"] == 200
    page = (tmp_path / "out" / "evaluation.html").read_text()
    assert page.count("<svg") == 2
    assert "1 dog wrongly detected" in page


def test_a_detector_of_points_on_boxes(run_here, tmp_path: Path) -> None:
    model, dataset = labeled_sets.counter(tmp_path), labeled_sets.boxes(tmp_path / "set")

    done = run_here("evaluate", model, dataset, "-o", tmp_path / "out", "--json", "--min-f1", "0.8")

    assert done.returncode == 3, done.stderr
    values = json.loads(done.stdout)
    assert values["task"] == "count"
    # Cats in three of four images and dogs in two; both are found in all of them.
    assert values["metrics"]["f1"] == pytest.approx(2 * 5 / (8 + 5), abs=1e-6)
    assert values["metrics"]["count_error"] == pytest.approx(3 / 5, abs=1e-6)
    assert values["counts"]["error"] == values["counts"]["bias"] == pytest.approx(3 / 4)
    assert values["per_class"]["Cat"]["f1"] == pytest.approx(6 / 7, abs=1e-6)
    assert values["mistakes"][0]["words"] == "2 counted, 0 there: 2 wrong"
    page = (tmp_path / "out" / "evaluation.html").read_text()
    assert "0.8 too many in the mean" in page
    assert "data:image/jpeg" in page


def test_points_are_no_boxes(run_here, tmp_path: Path) -> None:
    dataset = labeled_sets.boxes(tmp_path / "set")
    for model, task in ((labeled_sets.counter(tmp_path), "detect"),
                        (labeled_sets.detector(tmp_path), "count")):  # fmt: skip
        done = run_here("evaluate", model, dataset, "--task", task)
        assert error_code(done.stderr) == "model-wrong-task"


def test_a_segmenter_on_masks(run_here, tmp_path: Path) -> None:
    model, dataset = labeled_sets.segmenter(tmp_path), labeled_sets.masks(tmp_path / "set")

    done = run_here("evaluate", model, dataset, "-o", tmp_path / "out", "--json")

    assert done.returncode == 0, done.stderr
    values = json.loads(done.stdout)
    assert values["task"] == "segment"
    assert values["metrics"]["pixel_accuracy"] == pytest.approx(2 / 3, abs=1e-6)
    assert values["per_class"]["red thing"]["iou"] == pytest.approx(0.5, abs=1e-6)
    assert values["mistakes"][0]["image"].endswith("3.png")
    assert "data:image/jpeg" in (tmp_path / "out" / "evaluation.html").read_text()


def test_two_models_in_words(run_here, tmp_path: Path) -> None:
    right, wrong = labeled_sets.color_models(tmp_path)
    dataset = labeled_sets.colors(tmp_path / "photos")

    done = run_here("evaluate", wrong, dataset, "--against", right)

    assert done.returncode == 0
    text = " ".join(done.stdout.split())
    assert "points less than right.tflite" in text
    assert "proven to be lower" in text
    assert "The classes that lose most of their recall: green 100.0 points" in text
    assert re.search(r"An image takes .*× the time", text)


def test_a_minimum_that_is_not_reached_exits_with_3(run_here, tmp_path: Path) -> None:
    model, _ = labeled_sets.color_models(tmp_path)
    dataset = labeled_sets.colors(tmp_path / "photos")

    below = run_here("evaluate", model, dataset, "--min-accuracy", "0.99", "--json")
    above = run_here("evaluate", model, dataset, "--min-accuracy", "0.9")

    assert (below.returncode, above.returncode) == (3, 0)
    assert json.loads(below.stdout)["limits"][0]["met"] is False
    assert "below the minimum of 99 %" in below.stderr


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--min-miou", "0.5"], "minimum-of-another-task"),
        (["--task", "detct"], "unknown-task"),
        (["--task", "detect"], "model-wrong-task"),
        (["--map", "red"], "invalid-label-map"),
        (["--map", "rde=red"], "unknown-class"),
        (["--split", "test"], "no-such-split"),
    ],
)
def test_options_that_do_not_fit(run_here, tmp_path: Path, options: list[str], code: str) -> None:
    model, _ = labeled_sets.color_models(tmp_path)
    dataset = labeled_sets.colors(tmp_path / "photos", count=1)

    done = run_here("evaluate", model, dataset, *options)

    assert done.returncode == 2
    assert error_code(done.stderr) == code


def test_classes_that_have_other_names(run_here, tmp_path: Path) -> None:
    model, _ = labeled_sets.color_models(tmp_path)
    dataset = labeled_sets.colors(tmp_path / "photos")
    (dataset / "red").rename(dataset / "crimson")

    fewer = run_here("evaluate", model, dataset, "--json")
    every = run_here("evaluate", model, dataset, "--json", "--map", "crimson=red")

    assert json.loads(fewer.stdout)["images"] == 12
    assert "crimson" in fewer.stderr
    assert json.loads(every.stdout)["images"] == 19
    assert "red" in json.loads(every.stdout)["per_class"]


def test_no_class_in_common(run_here, tmp_path: Path) -> None:
    done = run_here(
        "evaluate", labeled_sets.color_models(tmp_path)[0], labeled_sets.boxes(tmp_path / "set"),
    )  # fmt: skip
    assert done.returncode == 2

    model = labeled_sets.detector(tmp_path)
    labels = tmp_path / "labels.txt"
    labels.write_text("person\ncar\n")
    done = run_here("evaluate", model, tmp_path / "set", "--labels", labels)

    assert done.returncode == 2
    assert error_code(done.stderr) == "no-common-label"


def test_an_image_that_cannot_be_read_is_left_out(run_here, tmp_path: Path) -> None:
    model, _ = labeled_sets.color_models(tmp_path)
    dataset = labeled_sets.colors(tmp_path / "photos")
    (dataset / "blue" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")

    done = run_here("evaluate", model, dataset, "--json")

    assert done.returncode == 1
    assert json.loads(done.stdout)["images"] == 19
    assert "broken.png" in done.stderr


def test_the_page_needs_its_extra_from_the_start(
    run_here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, _ = labeled_sets.color_models(tmp_path)
    dataset = labeled_sets.colors(tmp_path / "photos", count=1)
    monkeypatch.setitem(sys.modules, "jinja2", None)

    page = run_here("evaluate", model, dataset, "-o", tmp_path / "out")
    figures = run_here("evaluate", model, dataset)

    assert (page.returncode, figures.returncode) == (2, 0)
    assert error_code(page.stderr) == "missing-package"
    assert not (tmp_path / "out").exists()


def test_photos_of_one_class(tmp_path: Path) -> None:
    model, _ = labeled_sets.color_models(tmp_path)
    (tmp_path / "new").mkdir()
    (labeled_sets.colors(tmp_path / "photos") / "green").rename(tmp_path / "new" / "green")

    assert converters.evaluate(model, tmp_path / "new").metrics["accuracy"] == 1


def test_the_split_for_tests_is_evaluated(tmp_path: Path) -> None:
    model, _ = labeled_sets.color_models(tmp_path)
    for subset in ("train", "test"):
        labeled_sets.colors(tmp_path / "photos" / subset, count=2)

    evaluation = converters.evaluate(model, tmp_path / "photos")

    assert evaluation.split == "test"
    assert evaluation.images == 7
    assert converters.evaluate(model, tmp_path / "photos", split="all").images == 14


def test_python_gives_the_same_figures_for_the_same_seed(tmp_path: Path) -> None:
    model, dataset = labeled_sets.detector(tmp_path), labeled_sets.boxes(tmp_path / "set", 9)

    first, second = (converters.evaluate(model, dataset, seed=3) for _ in range(2))

    assert first.success
    assert first.metrics == second.metrics
    assert first.intervals == second.intervals
    low, high = first.intervals["map50"]
    assert low <= (first.metrics["map50"] or 0) <= high


def test_a_model_of_none_of_the_tasks(tmp_path: Path) -> None:
    import tiny_models

    model = tmp_path / "pose.tflite"
    model.write_bytes(tiny_models.movenet_model())

    with raises_code("model-wrong-task"):
        converters.evaluate(model, labeled_sets.colors(tmp_path / "photos"))


def test_images_of_the_training_are_pointed_out(tmp_path: Path) -> None:
    dataset = labeled_sets.colors(tmp_path / "photos")
    out = tmp_path / "out"
    out.mkdir()
    model, _ = labeled_sets.color_models(out)
    (out / "report.json").write_text(json.dumps({"dataset": {"path": str(dataset)}}))

    assert any("trained on" in note for note in converters.evaluate(model, dataset).notes)
