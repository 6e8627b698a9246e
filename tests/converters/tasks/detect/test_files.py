"""The files of a detector agree with each other, and other programs read them."""

from dataclasses import replace

import micro_detector
import numpy as np
import pytest

from converters.edgetpu.prediction import check
from converters.metrics.boxes import box_ious
from converters.tasks.detect import files
from converters.tasks.detect.files import DetectorFiles
from converters.tasks.detect.network import DetectorNetwork
from edge.interpreter import load
from edge.modelfile import metadata, operations, tflite
from edge.modelfile.metadata import ModelMetadata
from edge.modelfile.metadata_writer import write_metadata
from edge.preprocessing import Preprocessing
from edge.tasks.detect import heads
from edge.tasks.detect.heads.yolo import Candidates, nms

FORMATS = ("float32", "float16", "int8")
PREPROCESSING = Preprocessing(micro_detector.SIZE, micro_detector.SIZE)
ABOUT = ModelMetadata(
    name="squares", labels=("red", "blue"), mean=(127.5,), std=(127.5,), task="detect"
)


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    return np.stack([image.pixels for image in micro_detector.images(8)])


@pytest.fixture(scope="module")
def network() -> DetectorNetwork:
    """Untrained, with boxes of many sizes and scores from 0 to 1."""
    made = micro_detector.network((8, 16, 32))
    rng = np.random.default_rng(5)
    last = {
        node.name: replace(
            node.layer,
            kernel=rng.normal(0, 0.25, node.layer.kernel.shape).astype(np.float32),
            bias=node.layer.bias + (0 if node.name.startswith("boxes") else 2.5),
        )
        for node in made.head
        if node.layer is not None and node.name in made.outputs
    }
    return made.with_layers(last)


@pytest.fixture(scope="module")
def written(network: DetectorNetwork, pixels: np.ndarray) -> dict[str, DetectorFiles]:
    contents = (
        files.to_float32(network),
        files.to_float16(network),
        files.to_int8(network, pixels, PREPROCESSING),
    )
    return dict(zip(FORMATS, contents, strict=True))


def detect(content: bytes, image: np.ndarray, score: float = 0.3) -> Candidates:
    runtime = load(content, name="model.tflite", delegate="cpu", threads=1)
    head = heads.match_head(runtime)
    assert head is not None
    given = image if runtime.inputs[0].dtype == "uint8" else PREPROCESSING.normalize(image)
    candidates = head(runtime.invoke(given[None]), score)
    return candidates if head.suppresses else nms(candidates, 0.45, files.MAX_DETECTIONS)


@pytest.mark.parametrize("kind", FORMATS)
def test_both_files_of_a_format_find_the_same_boxes(
    written: dict[str, DetectorFiles], pixels: np.ndarray, kind: str
) -> None:
    tolerance = 0.01 if kind == "int8" else 1e-5
    for image in pixels[:3]:
        raw, selected = (
            detect(content, image) for content in (written[kind].raw, written[kind].selected)
        )
        assert len(selected.scores) > 5
        first, second = (_by_place(each) for each in (raw, selected))
        shared = first.keys() & second.keys()
        assert len(shared) >= 0.9 * len(second)
        scores = np.array([(first[key], second[key]) for key in shared])
        np.testing.assert_allclose(scores[:, 0], scores[:, 1], atol=tolerance)


def _by_place(found: Candidates) -> dict[tuple[object, ...], float]:
    places = np.rint(found.boxes * 200).astype(int)
    return {
        (c, *place): score
        for c, place, score in zip(found.classes, places.tolist(), found.scores, strict=True)
    }


@pytest.mark.parametrize("kind", ["float32", "float16"])  # int8 kernels round differently
def test_detections_above_half_are_the_same_in_every_interpreter(
    written: dict[str, DetectorFiles], pixels: np.ndarray, kind: str
) -> None:
    interpreter = pytest.importorskip("tflite_runtime.interpreter")
    model = interpreter.Interpreter(model_content=written[kind].selected)
    model.allocate_tensors()
    image, *_ = model.get_input_details()
    # As pycoral does: outputs by their order, where there is no signature.
    order = [detail["index"] for detail in model.get_output_details()]
    same = total = 0
    for each in pixels:
        model.set_tensor(image["index"], PREPROCESSING.normalize(each)[None])
        model.invoke()
        boxes, classes, scores, count = (model.get_tensor(index)[0] for index in order)
        kept = np.flatnonzero(scores[: int(count)] > 0.5)
        theirs = Candidates(boxes[kept][:, [1, 0, 3, 2]], scores[kept], classes[kept].astype(int))
        for ours in (
            detect(written[kind].raw, each, 0.5),
            detect(written[kind].selected, each, 0.5),
        ):
            ious = box_ious(theirs.boxes, ours.boxes)
            ious[theirs.classes[:, None] != ours.classes[None]] = 0
            same += int((ious.max(axis=1, initial=0) >= 0.99).sum())
            total += len(kept)
    assert same == total > 20


def test_int8_computes_what_float32_does(
    written: dict[str, DetectorFiles], pixels: np.ndarray
) -> None:
    models = [
        load(written[kind].raw, name=kind, delegate="cpu", threads=1)
        for kind in ("float32", "int8")
    ]
    inputs = PREPROCESSING.normalize(pixels[0])[None], pixels[:1]
    for spec, code, exact in zip(
        models[1].outputs, models[1].invoke(inputs[1]), models[0].invoke(inputs[0]), strict=True
    ):
        rounded = spec.dequantize(code)
        assert np.corrcoef(rounded.ravel(), exact.ravel())[0, 1] > 0.8, spec.name


def test_boxes_of_empty_cells_do_not_make_the_others_coarser(
    network: DetectorNetwork, pixels: np.ndarray
) -> None:
    layers = {node.name: node.layer for node in network.head if node.layer is not None}
    emptier = network.with_layers({
        name: replace(layers[name], bias=layers[name].bias - 6)
        for name in network.outputs if name.startswith("classes")
    })  # fmt: skip
    steps = []
    for each in (network, emptier):
        runtime = load(files.to_int8(each, pixels, PREPROCESSING).raw, name="int8", delegate="cpu")
        steps += [spec.scale for spec in runtime.outputs if spec.name.startswith("boxes/8")]
    assert steps[1] < steps[0]


def test_the_edge_tpu_would_run_all_of_the_raw_file(written: dict[str, DetectorFiles]) -> None:
    content = written["int8"].raw
    assert check(content, "model.tflite").to_dict()["cpu"] == {}
    assert operations.quantization(tflite.parse(content))["kind"] == "full integer"
    assert [each.dtype for each in tflite.parse(content).outputs] == ["int8"] * 6


def test_only_the_selection_of_boxes_stays_on_the_cpu(written: dict[str, DetectorFiles]) -> None:
    left = check(written["int8"].selected, "model_nms.tflite").to_dict()["cpu"]
    assert left == {"DEQUANTIZE": 2, "CUSTOM:TFLite_Detection_PostProcess": 1}


def test_outputs_are_in_the_order_that_programs_without_names_expect(
    written: dict[str, DetectorFiles],
) -> None:
    for kind in FORMATS:
        outputs = tflite.parse(written[kind].selected).outputs
        assert [each.shape for each in outputs] == [(1, 50, 4), (1, 50), (1, 50), (1,)]


def test_labels_and_threshold_come_back_from_the_metadata(
    written: dict[str, DetectorFiles],
) -> None:
    about = replace(ABOUT, threshold=0.25)
    for content in (written["int8"].raw, written["int8"].selected):
        read = metadata.read(write_metadata(content, about))
        assert read is not None
        assert (read.labels, read.threshold, read.task) == (about.labels, 0.25, "detect")
        assert read.mean == (127.5,) and read.missing == ()


def test_mediapipe_reads_boxes_and_labels(
    written: dict[str, DetectorFiles], pixels: np.ndarray
) -> None:
    vision = pytest.importorskip("mediapipe.tasks.python.vision")
    import mediapipe as mp
    from mediapipe.tasks.python import BaseOptions

    for kind in ("float32", "int8"):
        content = write_metadata(written[kind].selected, ABOUT)
        options = vision.ObjectDetectorOptions(
            base_options=BaseOptions(model_asset_buffer=content), score_threshold=0.3
        )
        with vision.ObjectDetector.create_from_options(options) as detector:
            image = mp.Image(image_format=mp.ImageFormat.SRGB, data=pixels[0])
            theirs = detector.detect(image).detections
        ours = detect(content, pixels[0])
        assert 5 < len(theirs) <= len(ours.scores)  # it compares boxes across classes
        best, own = theirs[0], int(ours.scores.argmax())
        assert best.categories[0].category_name == ABOUT.labels[ours.classes[own]]
        assert best.categories[0].score == pytest.approx(ours.scores[own], abs=1e-4)
        box = best.bounding_box
        corners = [
            box.origin_x, box.origin_y, box.origin_x + box.width, box.origin_y + box.height
        ]  # fmt: skip
        inside = np.clip(ours.boxes[own], 0, 1) * micro_detector.SIZE
        np.testing.assert_allclose(np.clip(corners, 0, micro_detector.SIZE), inside, atol=2)


def test_tflite_runtime_runs_both_files(
    written: dict[str, DetectorFiles], pixels: np.ndarray
) -> None:
    interpreter = pytest.importorskip("tflite_runtime.interpreter")
    for content in (written["int8"].raw, written["int8"].selected):
        model = interpreter.Interpreter(model_content=content)
        model.allocate_tensors()
        model.set_tensor(model.get_input_details()[0]["index"], pixels[:1])
        model.invoke()
        runtime = load(content, name="model.tflite", delegate="cpu", threads=1)
        for detail, own in zip(model.get_output_details(), runtime.invoke(pixels[:1]), strict=True):
            other = model.get_tensor(detail["index"])
            assert other.shape == own.shape
            if other.dtype == np.int8:  # other kernels round otherwise
                assert np.corrcoef(other.ravel(), own.ravel())[0, 1] > 0.8, detail["name"]
