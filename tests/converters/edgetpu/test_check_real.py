"""Forecasts against what the real compiler did with public models."""

from collections import Counter

import pytest
from edgetpu_truth import score, taught_by, truths

from converters.edgetpu import log_parser
from converters.edgetpu.prediction import check

pytestmark = pytest.mark.realdata


@pytest.fixture(scope="module")
def models(test_data):
    return truths(test_data)


def test_the_forecast_is_what_the_compiler_did(models):
    forecasts = [(model, model.foresee()) for model in models]
    for model, prediction in forecasts:
        assert len(prediction.operations) == model.operations, model.model
        assert prediction.mapped + sum(prediction.cpu.values()) == model.operations
    result = score(forecasts)
    assert result.models >= 51 and result.partly >= 14
    assert not result.too_good  # never "all" where something stays on the CPU
    whole = [(model, found) for model, found in forecasts if not model.cpu]
    assert all(found.status == "full" for _, found in whole)
    assert result.exact / result.models >= 0.9, result.wrong
    assert result.partly_exact >= 11, result.wrong
    assert result.right / result.operations >= 0.97


def test_rules_hold_for_models_that_they_were_not_read_off(models):
    result = score((model, model.foresee(taught_by(model.source))) for model in models)
    assert result.exact / result.models >= 0.9, result.wrong
    assert result.right / result.operations >= 0.97


LOGS = {
    "mnist_lenet_quant.tflite": "JeongHwaSik*",
    "mnist4.tflite": "*mnist4_edgetpu.log",
    "yolov5n-int8.tflite": "Sandhya1708*",
    "yolov8n_full_integer_quant_MRezqalla.tflite": "MRezqalla*imgsz 640*",
}


@pytest.mark.parametrize("name", LOGS)
def test_what_is_refused_for_itself_is_what_the_compiler_says(test_data, name):
    """The compiler's log tells what is merely behind the cut: "More than one subgraph"."""
    folder = test_data / "edgetpu"
    (path,) = (folder / "operation_logs").glob(LOGS[name])
    said: Counter[str] = Counter()
    for row in log_parser.parse(path.read_text()).models[0].rows:
        if not row.mapped and not row.status.startswith("More than one subgraph"):
            said[row.op] += row.count
    prediction = check((folder / "models" / name).read_bytes(), name)
    assert Counter(refusal.op for refusal in prediction.refusals) == said


@pytest.mark.parametrize(
    "name", ["mobilenet_v1_0.25_128_quant", "deeplabv3_mnv2_dm05_pascal_quant"]
)
def test_a_model_and_its_compiled_twin_leave_the_same_on_the_cpu(test_data, name):
    source, twin = (
        check((test_data / "models" / f"{name}{end}.tflite").read_bytes(), name)
        for end in ("", "_edgetpu")
    )
    assert (source.status, source.cpu) == (twin.status, twin.cpu)
    assert twin.compiled and not source.compiled
