"""``edge convert --head centers``: trained, measured, written and read by demos."""

from pathlib import Path

import blobs
import labeled_sets
import pytest
from errors import raises_code

import converters
import edge
from converters.edgetpu.prediction import check
from converters.pyramid import plan
from converters.report.model import Report
from edge.modelfile import metadata

COUNT = 40


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return blobs.write(tmp_path_factory.mktemp("dots") / "dots", COUNT)


@pytest.fixture(scope="module")
def converted_dots(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Report]:
    out = tmp_path_factory.mktemp("result") / "out"
    with pytest.MonkeyPatch.context() as patch:  # the number of steps decides, not the time
        patch.setattr(plan, "MIN_STEPS", 120)
        report = converters.convert(
            dataset, out, head="centers", weights="builtin", size=64, budget=0.0, augment="flip"
        )  # fmt: skip
    return out, report


def test_the_report_measures_f1_and_counts(converted_dots: tuple[Path, Report]) -> None:
    _, report = converted_dots
    assert (report.task, report.metric.key) == ("count", "f1")
    assert set(report.variants) == {"float32", "float16", "int8"}
    for variant in report.variants.values():
        low, high = variant.quality.interval
        assert 0 < low <= variant.quality.value <= high <= 1
        figures = variant.quality.figures
        assert figures["count_error_low"] <= figures["count_error"] <= figures["count_error_high"]
        assert figures["threshold"] == pytest.approx(report.training.details["threshold"])
        assert variant.quality.value > 0.7
        assert (figures["count_error_share"] or 0) < 0.5
    assert report.dataset.counts == {"dot": sum(n % 10 for n in range(COUNT))}
    assert any("edge demo detect" in step.command for step in report.next_steps)


def test_demos_show_and_track_points(converted_dots: tuple[Path, Report], dataset: Path) -> None:
    out, report = converted_dots
    detector = edge.Detector.open(out)
    assert detector.finds_points and detector.labels == ("dot",) and not detector.notes
    assert detector.threshold == pytest.approx(report.training.details["threshold"], abs=1e-4)
    detections = detector.predict(dataset / "09.png").detections
    assert detections
    for detection in detections:
        left, _, right, _ = detection.box
        assert detection.point is not None
        assert right - left == pytest.approx(blobs.SIDE, abs=1) or left == 0 or right == blobs.SIZE
    tracker = edge.Tracker.open(out, camera="static")
    for _ in range(12):
        tracked = tracker.predict(dataset / "09.png").detections
    assert {each.point is not None for each in tracked} == {True}


def test_the_model_is_whole_on_the_edge_tpu_and_its_metadata_complete(
    converted_dots: tuple[Path, Report],
) -> None:
    out, _ = converted_dots
    content = (out / "model.tflite").read_bytes()
    assert check(content, "model.tflite").to_dict()["cpu"] == {}
    about = metadata.read(content)
    assert about is not None and (about.task, about.labels) == ("detect", ("dot",))
    assert about.head == {"object_sizes": [[pytest.approx(10 / 64, abs=0.01)] * 2]}
    assert not (out / "model_nms.tflite").exists()


def test_edge_evaluate_finds_the_same(converted_dots: tuple[Path, Report], dataset: Path) -> None:
    out, report = converted_dots
    evaluation = converters.evaluate(out, dataset)
    assert evaluation.task == "count"
    assert evaluation.images == COUNT
    f1 = evaluation.metrics["f1"]
    assert f1 is not None and f1 > 0.5
    assert report.chosen_variant.quality.interval[0] - 0.2 < f1


def test_the_page_shows_counts_and_mistakes(converted_dots: tuple[Path, Report]) -> None:
    out, _ = converted_dots
    page = (out / "report.html").read_text(encoding="utf-8")
    for text in (
        "F1 on the validation subset was best",
        "Error of the count",
        "F1 by class",
        "objects on average",
        "counted",
    ):
        assert text in page


def test_recipes_that_train_are_refused(dataset: Path, tmp_path: Path) -> None:
    with raises_code("recipe-not-for-task"):
        converters.convert(
            dataset, tmp_path / "out", head="centers", weights="builtin", recipes=["qat"]
        )


def test_other_labels_and_other_tasks_are_no_centers(tmp_path: Path) -> None:
    classes, masks = labeled_sets.colors(tmp_path / "a"), labeled_sets.masks(tmp_path / "b")
    for labeled in (classes, masks):
        with raises_code("dataset-for-another-task", fix="draw boxes"):
            converters.convert(labeled, tmp_path / "out", head="centers")
    with raises_code("option-conflict", fix="leave out"):
        converters.convert(classes, tmp_path / "out", head="centers", task="classify")
    with raises_code("unknown-option-value", expected="boxes or centers"):
        converters.convert(classes, tmp_path / "out", head="middles")
