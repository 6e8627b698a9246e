"""report.json: what scripts read of a conversion."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conversion import FAILED, OPEN, RECIPES, VALIDATED, Conversion
from errors import raises_code

from converters.report import schema
from converters.report.codec import to_plain
from converters.report.model import Report
from converters.selection.select import Limits
from converters.training.config import Curve

SCHEMA = json.loads(schema.SCHEMA_FILE.read_text(encoding="utf-8"))
DATA = Path(__file__).parent / "data"
TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def check(value: Any, schema: dict[str, Any], place: str = "report") -> None:
    """Hold a value against those keywords of JSON Schema that report.schema.json uses."""
    known = {
        "$schema", "$defs", "$ref", "title", "description", "type", "properties", "required",
        "additionalProperties", "items", "minItems", "maxItems", "minimum", "maximum", "const",
        "enum", "pattern", "anyOf",
    }  # fmt: skip
    assert schema.keys() <= known, f"{place}: this check does not know {schema.keys() - known}"
    if "$ref" in schema:
        check(value, SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]], place)
    if "anyOf" in schema and value is not None:
        check(value, schema["anyOf"][0], place)
    if "const" in schema:
        assert value == schema["const"], place
    if "enum" in schema:
        assert value in schema["enum"], place
    if "type" in schema:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        right = [k for k in kinds if isinstance(value, TYPES[k])]
        assert right, f"{place}: {value!r} is no {kinds}"
        assert not isinstance(value, bool) or "boolean" in kinds, f"{place}: {value!r}"
    if isinstance(value, int | float):
        assert schema.get("minimum", -math.inf) <= value <= schema.get("maximum", math.inf), place
    if isinstance(value, str):
        assert re.search(schema.get("pattern", ""), value), f"{place}: {value!r}"
    if isinstance(value, list):
        assert schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", math.inf), place
        for index, entry in enumerate(value):
            check(entry, schema.get("items", {}), f"{place}[{index}]")
    if isinstance(value, dict):
        missing = set(schema.get("required", ())) - value.keys()
        assert not missing, f"{place} lacks {missing}"
        others = schema.get("additionalProperties", True)
        for key, entry in value.items():
            inner = schema.get("properties", {}).get(key, others)
            assert inner is not False, f"{place} has an undocumented {key}"
            check(entry, inner if isinstance(inner, dict) else {}, f"{place}.{key}")


FULL = Conversion(
    wrong=3,
    verdict=replace(FAILED, drop=33.0, classes=("circle",), layers=(("block_1_expand", 3.14159),)),
    audit={
        "broken": (("circle/x.jpg", "empty, 0 bytes"),),
        "duplicates": (("circle/0.jpg", "circle/1.jpg"),),
        "conflicts": (("circle/a.jpg", "square/a.jpg"),),
        "near_conflicts": (("circle/2.jpg", "square/25.jpg"),),
        "converted": {"rotated": ("circle/3.jpg",)},
    },
    curves=(Curve("Fine-tuning", "epoch", "loss", (1.0, 2.0), {"loss": (0.5, math.nan)}),),
)


COMPRESSED = Conversion(
    recipes=("channels-50", "magnitude-75"), limits=Limits(target="edgetpu", max_size_kb=2000)
)


SMALL = Conversion(verdict=OPEN, validated=VALIDATED)


@pytest.mark.parametrize(
    "conversion",
    [Conversion(), FULL, COMPRESSED, SMALL],
    ids=["plain", "full", "compressed", "small"],
)
def test_a_report_is_as_documented(conversion: Conversion) -> None:
    check(json.loads(json.dumps(conversion.record(), allow_nan=False)), SCHEMA)


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("variants", "int8", "accuracy"), 97.2),
        (("verdict", "status"), "good"),
        (("split", "test"), ["circle/1.jpg"]),
        (("schema",), 1),
        (("choice", "target"), "gpu"),
        (("variants", "float32", "edgetpu", "status"), "good"),
        (("seed",), "7"),
    ],
)
def test_the_schema_refuses_what_is_wrong(path: tuple[str, ...], wrong: Any) -> None:
    report = Conversion().record()
    inner = report
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = wrong
    with pytest.raises(AssertionError, match=path[-1]):
        check(report, SCHEMA)


def test_the_schema_is_generated_from_the_dataclasses() -> None:
    written = schema.SCHEMA_FILE.read_text(encoding="utf-8")
    assert written == schema.schema_text(), "run: python -m converters.report.schema"


def test_every_field_is_explained() -> None:
    for name, definition in [("Report", SCHEMA), *SCHEMA["$defs"].items()]:
        for key in definition["properties"]:
            assert re.search(rf"\b{key}\b", definition["description"]), (name, key)


def test_a_report_is_read_as_it_was_written() -> None:
    for conversion in (Conversion(), FULL, COMPRESSED, SMALL):
        report = conversion.report()
        assert Report.from_json(report.to_json()) == report
        assert report.chosen_variant.name == report.chosen


@pytest.mark.parametrize("name", ["convert-0.1.0.json", "compress-0.1.0.json"])
def test_reports_of_version_0_1_0_are_read(name: str) -> None:
    text = (DATA / name).read_text(encoding="utf-8")
    report = Report.load(DATA / name)
    written, read = json.loads(text), report.to_dict()
    # Nine images passed it then, and prove nothing: the loss is up to 29.9 points.
    assert (written["verdict"]["status"], read["verdict"]["status"]) == ("pass", "not-proven")
    written["verdict"]["status"] = "not-proven"
    assert _without_new(read, written) == written
    assert report.success and not report.proven
    assert [key for key in read if key in written] == list(written)
    assert report.dataset.images == 60
    threshold = report.chosen_variant.threshold
    assert threshold is not None and (threshold.precision, threshold.images) == (0.9, 8)
    check(read | {"schema": schema.SCHEMA}, SCHEMA)


def _without_new(read: Any, written: Any) -> Any:
    """Leave out the fields that came later."""
    if isinstance(written, dict) and isinstance(read, dict):
        return {k: _without_new(v, written[k]) for k, v in read.items() if k in written}
    if isinstance(written, list) and isinstance(read, list):
        return [_without_new(*pair) for pair in zip(read, written, strict=True)]
    return read


def test_a_report_shows_itself_in_a_notebook() -> None:
    html = FULL.report()._repr_html_()
    assert "2.7\N{NO-BREAK SPACE}MB" in html
    assert html.count("<tr>") == 1 + 3
    hostile = FULL.record()
    hostile["dataset"]["name"] = "<script>"
    assert "<script>" not in Report.from_dict(hostile)._repr_html_()


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"seed": "7"}, "seed"),
        ({"verdict": {}}, "verdict.variant"),
        ({"chosen": "other"}, "other"),
        ({"schema": 99}, "99"),
    ],
)
def test_a_damaged_report_is_refused_with_the_place(change: dict[str, Any], part: str) -> None:
    code = "result-version-unsupported" if "schema" in change else "result-invalid"
    with raises_code(code, kind="UsageError", found=part):
        Report.from_dict(Conversion().record() | change)


def test_the_figures_are_those_measured() -> None:
    report = FULL.record()
    int8 = report["variants"]["int8"]
    assert int8["accuracy"] == pytest.approx(6 / 9)
    assert int8["confusion"] == [[0, 3, 0], [0, 3, 0], [0, 0, 3]]
    assert int8["per_class"][0] == {
        "label": "circle", "precision": 0, "recall": 0, "f1": 0, "support": 3,
    }  # fmt: skip
    assert int8["latency"] == {
        "interpreter": "ai-edge-litert 2.3.0", "delegate": "cpu", "threads": 2,
    }  # fmt: skip
    assert report["verdict"]["layers"] == [{"layer": "block_1_expand", "snr_db": 3.14}]
    assert report["split"]["sizes"] == {"train": 42, "validation": 9, "test": 9}
    assert len(report["split"]["test"]) == 9
    assert report["environment"]["packages"]["ai-edge-litert"] == "2.3.0"
    assert report["environment"]["packages"]["numpy"] == np.__version__
    assert report["seed"] == 7


def test_a_verdict_says_what_would_prove_it_and_which_figures_it_rests_on() -> None:
    report = SMALL.record()
    assert report["verdict"]["status"] == "not-proven"
    assert [j["more_images"] for j in report["verdict"]["judgments"]] == [180]
    assert report["cross_validation"]["accuracy"] == 0.9
    assert report["weak_classes"] == [
        {"label": "triangle", "taken_for": "square", "count": 5, "images": 20}
    ]
    assert SMALL.report().success and not SMALL.report().proven
    assert Conversion().report().proven
    assert not FULL.report().success


def test_a_recipe_says_what_it_did_and_what_it_did_not_gain() -> None:
    variants = COMPRESSED.record()["variants"]
    assert [step["step"] for step in variants["channels-50"]["steps"]] == ["prune", "quantize"]
    assert variants["channels-50"]["notes"] and variants["channels-50"]["gain"] is None
    assert variants["magnitude-75"]["gain"] == RECIPES["magnitude-75"].gain
    assert variants["channels-50"]["multiply_adds"] < variants["int8"]["multiply_adds"]
    assert variants["magnitude-75"]["sparsity"] > variants["int8"]["sparsity"]
    assert variants["int8"]["recipe"] == ""


def test_the_choice_names_what_the_others_miss() -> None:
    choice = COMPRESSED.record()["choice"]
    assert (choice["chosen"], choice["met"]) == ("channels-50", True)
    assert {"variant": "int8", "limit": "max_size_kb", "found": 2712.345, "wanted": 2000} in (
        choice["failures"]
    )
    assert [f["limit"] for f in choice["failures"] if f["variant"] == "float32"] == [
        "max_size_kb", "edgetpu",
    ]  # fmt: skip
    assert choice["pareto"] == ["channels-50"]


def test_times_per_number_of_threads_end_with_the_interpreters_own() -> None:
    int8 = Conversion().record()["variants"]["int8"]
    assert [timed["threads"] for timed in int8["latencies"]] == [1, 2]
    assert int8["p50_ms"] == int8["latencies"][-1]["p50_ms"]


def test_a_value_that_is_not_finite_becomes_null() -> None:
    assert FULL.record()["training"]["curves"][0]["series"] == {"loss": [0.5, None]}


def test_a_value_without_json_is_refused_and_not_turned_into_text() -> None:
    with pytest.raises(TypeError):
        to_plain({"a": object()})
