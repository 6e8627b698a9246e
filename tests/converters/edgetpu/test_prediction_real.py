"""Predictions compared with the real compiler on public models."""

from collections import Counter

import pytest
from edgetpu_truth import derived_from, score, truths

from converters.edgetpu import log_parser
from converters.edgetpu.prediction import check

pytestmark = pytest.mark.realdata


@pytest.fixture(scope="module")
def models(test_data):
    return truths(test_data)


def test_predictions_match_the_compiler(models):
    predictions = [(model, model.predict()) for model in models]
    for model, prediction in predictions:
        assert len(prediction.operations) == model.operations, model.model
        assert prediction.mapped + sum(prediction.cpu.values()) == model.operations
    result = score(predictions)
    assert result.models >= 78 and result.partly >= 30
    assert not result.too_good  # never "all" where something stays on the CPU
    full = [(model, prediction) for model, prediction in predictions if not model.cpu]
    assert all(prediction.status == "full" for _, prediction in full)
    assert result.exact / result.models >= 0.98, result.wrong
    assert result.partly_exact >= 29, result.wrong
    assert result.right / result.operations >= 0.99


def test_rules_generalize_to_models_they_were_not_derived_from(models):
    result = score((model, model.predict(derived_from(model.source))) for model in models)
    assert result.exact / result.models >= 0.9, result.wrong
    assert result.right / result.operations >= 0.97


LOGS = {
    "mnist_lenet_quant.tflite": "JeongHwaSik*",
    "mnist4.tflite": "*mnist4_edgetpu.log",
    "yolov5n-int8.tflite": "Sandhya1708*",
    "yolov8n_full_integer_quant_MRezqalla.tflite": "MRezqalla*imgsz 640*",
}


@pytest.mark.parametrize("name", LOGS)
def test_refused_operations_match_the_operation_log(test_data, name):
    """The log marks operations that are only lost after a cut: "More than one subgraph"."""
    folder = test_data / "edgetpu"
    (path,) = (folder / "operation_logs").glob(LOGS[name])
    logged: Counter[str] = Counter()
    for row in log_parser.parse(path.read_text()).models[0].rows:
        if not row.mapped and not row.status.startswith("More than one subgraph"):
            logged[row.op] += row.count
    prediction = check((folder / "models" / name).read_bytes(), name)
    assert Counter(refusal.op for refusal in prediction.refusals) == logged


@pytest.mark.parametrize(
    "name", ["mobilenet_v1_0.25_128_quant", "deeplabv3_mnv2_dm05_pascal_quant"]
)
def test_a_model_and_its_compiled_file_leave_the_same_on_the_cpu(test_data, name):
    source, compiled = (
        check((test_data / "models" / f"{name}{end}.tflite").read_bytes(), name)
        for end in ("", "_edgetpu")
    )
    assert (source.status, source.cpu) == (compiled.status, compiled.cpu)
    assert compiled.compiled and not source.compiled
