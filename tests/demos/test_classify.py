import json
from pathlib import Path

import pytest
import tiny_models
from errors import error_code

import edge

SCHEMA = json.loads((Path(edge.__file__).parent / "results.schema.json").read_text())


def test_explain_adds_the_class_that_is_explained_and_its_peak(run_here, tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    model, lines = tmp_path / "tiny.tflite", tmp_path / "lines.jsonl"
    model.write_bytes(tiny_models.pooled_classifier())
    done = run_here(
        "demo", "classify", "--model", model, "--source", "synthetic:64x48?frames=2&seed=1",
        "--sink", f"jsonl:{lines}", "--explain",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in lines.read_text().splitlines()]
    for record in records:
        jsonschema.validate(record, SCHEMA)
        assert record["explained"]["label"] == record["classes"][0]["label"]
    assert len(records) == 2


def test_explain_refuses_a_model_without_a_map(run_here, tmp_path: Path) -> None:
    model = tmp_path / "flat.tflite"
    model.write_bytes(tiny_models.color_classifier())
    done = run_here(
        "demo", "classify", "--model", model, "--source", "synthetic:64x48?frames=2", "--explain",
        "--sink", "none",
    )  # fmt: skip
    assert done.returncode == 2
    assert error_code(done.stderr) == "model-without-feature-map"
