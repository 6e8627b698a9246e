"""``edge convert`` on masks: recognized, trained, measured, and read by our demo and commands."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import micro_segmenter
import numpy as np
import pytest
from errors import raises_code
from op_by_op import op_by_op

import converters
import edge
from converters.dataset.intake import list_masks, open_dataset
from converters.edgetpu.prediction import check
from converters.progress import SilentProgress
from converters.report.model import Report
from converters.tasks import choose_task
from converters.tasks.segment.dataset import audit
from edge.modelfile import metadata
from edge.preprocessing import Preprocessing

COUNT = 30


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return micro_segmenter.write(tmp_path_factory.mktemp("data") / "shapes", COUNT)


@pytest.fixture(scope="module")
def segmented(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Report]:
    out = tmp_path_factory.mktemp("result") / "out"
    with op_by_op():
        report = converters.convert(dataset, out, weights="builtin", size=64, budget=0.0)
    return out, report


def test_the_report_measures_intersection_over_union(segmented: tuple[Path, Report]) -> None:
    _, report = segmented
    assert (report.task, report.metric.key) == ("segment", "miou")
    assert set(report.variants) == {"float32", "float16", "int8"}
    for variant in report.variants.values():
        low, high = variant.quality.interval
        assert 0.3 < low <= variant.quality.value <= high <= 1
        assert [row.label for row in variant.quality.per_class] == list(micro_segmenter.CLASSES)
        assert {"boundary_f1", "pixel_accuracy", "common_share"} <= set(variant.quality.figures)
        assert variant.quality.figures["enlarging_ms"] > 0
    assert report.dataset.counts["background"] == COUNT
    assert any("Trained" in note and "mIoU" in note for note in report.training.notes)
    judged = {judgment.requirement for judgment in report.verdict.judgments}
    assert judged == {"loss", "baseline"}


def test_our_demo_shows_names(segmented: tuple[Path, Report], dataset: Path) -> None:
    out, _ = segmented
    segmenter = edge.Segmenter.open(out)
    assert segmenter.labels == micro_segmenter.CLASSES
    result = segmenter.predict(dataset / "images" / "00.png")
    true = micro_segmenter.images(1)[0].mask
    assert result.mask.shape == true.shape
    assert (result.mask == true).mean() > 0.8
    assert {segment.label for segment in result.segments} <= {"red", "blue"}


def test_the_model_is_whole_on_the_edge_tpu_and_says_what_it_is(
    segmented: tuple[Path, Report],
) -> None:
    content = (segmented[0] / "model.tflite").read_bytes()
    assert check(content, "model.tflite").to_dict()["cpu"] == {}
    about = metadata.read(content)
    assert about is not None
    assert (about.task, about.labels) == ("segment", micro_segmenter.CLASSES)


def test_evaluate_measures_the_same(segmented: tuple[Path, Report], dataset: Path) -> None:
    out, report = segmented
    evaluation = converters.evaluate(out, dataset)
    assert evaluation.task == "segment"
    reached = report.chosen_variant.quality.value
    assert evaluation.metrics["miou"] == pytest.approx(reached, abs=0.15)


def test_results_are_compared(segmented: tuple[Path, Report]) -> None:
    assert "mIoU" in str(converters.compare(segmented[0]))


def test_the_page_shows_classes_and_masks(segmented: tuple[Path, Report]) -> None:
    page = (segmented[0] / "report.html").read_text(encoding="utf-8")
    assert "Intersection over union by class" in page
    assert page.count('alt="images/') >= 1
    assert '"mistakes pairs"' in page
    assert "naming background everywhere" in page


def test_what_segmenters_lack_is_refused(dataset: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for recipe in ("qat", "channels-50", "magnitude-75"):
        with raises_code("recipe-not-for-task"):
            converters.convert(dataset, out, weights="builtin", recipes=[recipe])
    with raises_code("weights-unavailable"):
        converters.convert(dataset, out, weights="none", size=64)
    with raises_code("option-not-for-task", found="--label-smoothing"):
        converters.convert(dataset, out, weights="builtin", label_smoothing=0.0)
    with raises_code("option-not-for-task", found="--precision"):
        converters.convert(dataset, out, weights="builtin", precision=0.9)
    assert not out.exists()


def _boxes(folder: Path) -> Path:
    images = [
        {"id": at, "file_name": f"{at}.png", "width": 8, "height": 8} for at in range(6)
    ]  # fmt: skip
    boxes = [{"id": at, "image_id": at, "category_id": 1, "bbox": [1, 1, 4, 4]} for at in range(6)]
    for at in range(6):
        cv2.imwrite(str(folder / f"{at}.png"), np.full((8, 8, 3), 40 * at, np.uint8))
    content = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "a"}]}
    (folder / "labels.json").write_text(json.dumps(content))
    return folder


def _photos(folder: Path) -> Path:
    for at in range(12):
        path = folder / "ab"[at % 2] / f"{at}.png"
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(path), np.full((8, 8, 3), 20 * at, np.uint8))
    return folder


def test_other_tasks_have_no_fast_network(tmp_path: Path) -> None:
    for make in (_boxes, _photos):
        folder = tmp_path / make.__name__
        folder.mkdir()
        with raises_code("option-not-for-task", found="--fast"):
            converters.convert(make(folder), tmp_path / "out", weights="builtin", fast=True)


@pytest.mark.parametrize(("make", "code"), [
    (_photos, "dataset-for-another-task"),
    (_boxes, "no-outlines"),
])  # fmt: skip
def test_labels_of_other_tasks_are_no_masks(
    tmp_path: Path, make: Callable[[Path], Path], code: str
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    with raises_code(code):
        converters.convert(make(folder), tmp_path / "out", task="segment")


def test_masks_are_no_boxes_and_no_classes(dataset: Path, tmp_path: Path) -> None:
    for task in ("detect", "classify"):
        with raises_code("dataset-for-another-task"):
            converters.convert(dataset, tmp_path / "out", task=task)


def test_outlines_of_coco_become_masks_where_the_task_is_named(tmp_path: Path) -> None:
    folder = _boxes(tmp_path)
    labels = json.loads((folder / "labels.json").read_text())
    for number, thing in enumerate(labels["annotations"]):
        thing["segmentation"] = [[1, 1, 5, 1, 5, 3 + number % 2, 1, 3 + number % 2]]
    (folder / "labels.json").write_text(json.dumps(labels))
    opened = open_dataset(folder, tmp_path)
    assert choose_task(opened, None).name == "detect"
    task = choose_task(opened, "segment")
    listing = task.list_images(opened)
    data = task.audit(listing, Preprocessing(8, 8), tmp_path, SilentProgress())
    assert data.classes == ("background", "a")
    for number, mask in enumerate(data.annotations):
        assert (mask.read() == 1).sum() == 4 * (2 + number % 2)


def _other_sizes(folder: Path) -> None:
    for path in sorted((folder / "masks").iterdir()):
        cv2.imwrite(str(path), np.zeros((30, 40), np.uint8))


def _unknown_values(folder: Path) -> None:
    for path in sorted((folder / "masks").iterdir()):
        cv2.imwrite(str(path), np.full((64, 64), 77, np.uint8))


def _one_class(folder: Path) -> None:
    for path in sorted((folder / "masks").iterdir()):
        cv2.imwrite(str(path), np.ones((64, 64), np.uint8))


def _too_few(folder: Path) -> None:
    for path in sorted((folder / "masks").iterdir())[4:]:
        path.unlink()


@pytest.mark.parametrize(("spoil", "code"), [
    (_other_sizes, "mask-size"),
    (_unknown_values, "mask-values"),
    (_one_class, "masks-of-one-class"),
    (_too_few, "too-few-images"),
])  # fmt: skip
def test_masks_that_cannot_be_used_are_one_line(tmp_path: Path, spoil: object, code: str) -> None:
    folder = micro_segmenter.write(tmp_path / "shapes", 8)
    spoil(folder)
    with raises_code(code):
        converters.convert(folder, tmp_path / "out", weights="builtin", size=64)
    assert not (tmp_path / "out").exists()


def test_an_image_with_a_bad_mask_is_left_out_and_named(tmp_path: Path) -> None:
    folder = micro_segmenter.write(tmp_path / "shapes", 8)
    cv2.imwrite(str(folder / "masks" / "03.png"), np.zeros((10, 20), np.uint8))
    listing = list_masks(open_dataset(folder, tmp_path))
    data = audit(listing, Preprocessing(64, 64), tmp_path, SilentProgress())
    assert len(data.images) == len(data.annotations) == 7
    assert any("03.png" in warning for warning in data.audit.warnings)
    for image, mask in zip(data.images, data.annotations, strict=True):
        number = int(image.name[-6:-4])
        assert np.array_equal(mask.read(), micro_segmenter.images(8)[number].mask)


def test_mediapipe_reads_labels_and_masks(segmented: tuple[Path, Report], dataset: Path) -> None:
    vision = pytest.importorskip("mediapipe.tasks.python.vision")
    import mediapipe as mp
    from mediapipe.tasks.python import BaseOptions

    path = segmented[0] / "model.tflite"
    options = vision.ImageSegmenterOptions(
        base_options=BaseOptions(model_asset_buffer=path.read_bytes()),
        output_category_mask=True,
        output_confidence_masks=False,
    )
    photo = dataset / "images" / "03.png"
    with vision.ImageSegmenter.create_from_options(options) as segmenter:
        assert tuple(segmenter.labels) == micro_segmenter.CLASSES
        theirs = segmenter.segment(mp.Image.create_from_file(str(photo))).category_mask
        ours = edge.Segmenter.open(path).predict(photo).mask
        assert (theirs.numpy_view() == ours).mean() > 0.9  # it decides before it enlarges


def test_pairs_keep_their_proportions(segmented: tuple[Path, Report]) -> None:
    page = (segmented[0] / "report.html").read_text(encoding="utf-8")
    encoded = page.partition("mistakes pairs")[2].partition("base64,")[2].partition('"')[0]
    image = cv2.imdecode(np.frombuffer(base64.b64decode(encoded), np.uint8), cv2.IMREAD_COLOR)
    height, width = image.shape[:2]
    assert width / height == pytest.approx(2, abs=0.1)
