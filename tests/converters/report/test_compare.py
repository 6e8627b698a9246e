"""``edge compare``: results side by side."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import pytest
from conversion import OPEN, Conversion
from errors import error_code, raises_code
from rich.console import Console

from converters.report import compare
from edge.cli import run

NEW_FIELDS = (
    "recipe", "notes", "steps", "gain", "validation_accuracy", "log_loss", "ece", "threshold",
    "latencies", "edgetpu", "sparsity", "multiply_adds", "parameters",
)  # fmt: skip
FULL = Conversion(wrong=3, recipes=("channels-50", "magnitude-75"))


def put(folder: Path, record: dict[str, Any]) -> Path:
    folder.mkdir()
    (folder / "report.json").write_text(json.dumps(record), encoding="utf-8")
    return folder


def earlier(record: dict[str, Any]) -> dict[str, Any]:
    """The record as the first schema had it."""
    for name in ("source", "confidence", "choice", "compiled"):
        del record[name]
    for variant in record["variants"].values():
        for name in NEW_FIELDS:
            del variant[name]
    return record | {"schema": 1}


def printed(compared: compare.Comparison, width: int = 200) -> str:
    file = io.StringIO()
    compare.show_table(compared, Console(file=file, width=width, highlight=False))
    return file.getvalue().replace("\N{NO-BREAK SPACE}", " ")


def lines_of(text: str, variant: str) -> tuple[str, str]:
    """The two lines of the first row of a variant."""
    lines = text.splitlines()
    at = next(i for i, line in enumerate(lines) if f" {variant} " in line and line[:4] == "out ")
    return lines[at], lines[at + 1]


def test_every_variant_has_its_figures_and_its_ratio_to_int8(tmp_path: Path) -> None:
    text = printed(compare.compare_results([put(tmp_path / "out", FULL.record())]))
    first, second = lines_of(text, "channels-50")
    assert first.startswith("out ")
    for figure in ("100 %", "+33.3", "1.8 MB", "1.5 MB", "171 M", "2.1 / 2.7 ms", "full"):
        assert figure in first
    for ratio in ("96.0–100", "0.66×", "0.68×", "0.57×", "0.62×", "67 of 67"):
        assert ratio in second
    assert "baseline" in lines_of(text, "int8")[1]
    assert "model.tflite" in lines_of(text, "magnitude-75")[1]
    assert "0.41×" in lines_of(text, "magnitude-75")[1]


def test_the_pareto_front_is_marked_over_all_results(tmp_path: Path) -> None:
    slow, quick = FULL.record(), FULL.record()
    for variant in quick["variants"].values():
        variant["p50_ms"] /= 2
    compared = compare.compare_results(
        [put(tmp_path / "slow", slow), put(tmp_path / "quick", quick)]
    )
    marked = [(e.result.name, e.row.name) for e in compared.entries if e.front]
    assert marked == [("quick", "channels-50")]
    text = printed(compared)
    assert [line.split()[0] for line in text.splitlines() if " ◆ " in line] == ["quick"]


def test_what_was_not_gained_is_said(tmp_path: Path) -> None:
    text = printed(compare.compare_results([put(tmp_path / "out", FULL.record())]))
    assert "out, magnitude-75: No speed was gained: nothing skips single zeros of int8." in text


def test_the_verdict_on_each_result_is_shown(tmp_path: Path) -> None:
    proven, small = Conversion().record(), Conversion(verdict=OPEN).record()
    before = json.loads(json.dumps(small)) | {"schema": 2}
    before["verdict"]["status"] = "pass"  # as an earlier version called it
    del before["verdict"]["judgments"]
    compared = compare.compare_results(
        [put(tmp_path / name, record) for name, record in
         (("proven", proven), ("small", small), ("before", before))]
    )  # fmt: skip
    text = printed(compared)
    assert "proven: PASS. int8 loses 0.0 points compared to float32 (-1.1 to 1.1)" in text
    assert "small: NOT PROVEN. int8 loses 0.0 points compared to float32 (-29.9 to 29.9)" in text
    assert "before: NOT PROVEN." in text
    about = compared.to_dict()["results"]
    assert [row["status"] for row in about] == ["pass", "not-proven", "not-proven"]
    assert about[1]["verdict"]["judgments"][0]["more_images"] == 180


def test_a_result_of_the_first_schema_shows_what_it_has(tmp_path: Path) -> None:
    old = put(tmp_path / "old", earlier(Conversion().record()))
    new = put(tmp_path / "new", FULL.record())
    text = printed(compare.compare_results([new, old]))
    row = next(line for line in text.splitlines() if line.startswith("old") and "int8" in line)
    assert "2.7 MB" in row
    assert "3.4 / 4.4 ms" in row
    assert row.count("–") == 5
    alone = printed(compare.compare_results([old]))
    assert "operations" not in alone
    assert "Edge TPU" not in alone


@pytest.mark.parametrize("width", [60, 80, 100, 180])
def test_a_narrow_terminal_cuts_no_figure(tmp_path: Path, width: int) -> None:
    outs = [put(tmp_path / name, FULL.record()) for name in ("groceries-model", "small")]
    text = printed(compare.compare_results(outs), width)
    assert all(len(line) <= width for line in text.splitlines())
    assert "…" not in text
    assert "3.4 / 4.4 ms" in text
    assert ("No room for: " in text) == (width < 180)


def test_other_test_images_and_another_computer_are_pointed_out(tmp_path: Path) -> None:
    other = FULL.record()
    other["split"]["test"][0] = "a" * 64
    other["environment"]["cpu"] = "Cortex-A76"
    other["variants"]["int8"]["latency"]["interpreter"] = "tflite-runtime 2.14.0"
    outs = [put(tmp_path / "here", FULL.record()), put(tmp_path / "there", other)]
    text = " ".join(compare.compare_results(outs).warnings)
    accuracies, computers, _ = compare.compare_results(outs).warnings
    assert "there has" in accuracies and "test" in accuracies
    assert "Cortex-A76" not in computers and "there has" in computers
    assert "ai-edge-litert 2.3.0, cpu, 2 threads; tflite-runtime 2.14.0, cpu, 2 threads" in text
    text = " ".join(printed(compare.compare_results(outs)).split())
    assert f"Note: {accuracies}" in text


def test_results_of_one_test_side_and_computer_give_no_warning(tmp_path: Path) -> None:
    outs = [put(tmp_path / name, FULL.record()) for name in "ab"]
    assert compare.compare_results(outs).warnings == ()


@pytest.mark.parametrize(
    ("key", "first", "last"),
    [
        ("time", "channels-50", "float16"),
        ("size", "channels-50", "float32"),
        ("sparsity", "magnitude-75", "channels-50"),
        ("accuracy", "float32", "int8"),
    ],
)
def test_sorted_the_best_comes_first(tmp_path: Path, key: str, first: str, last: str) -> None:
    compared = compare.sorted_by(
        compare.compare_results([put(tmp_path / "out", FULL.record())]), key
    )
    names = [entry.row.name for entry in compared.entries]
    assert (names[0], names[-1]) == (first, last)
    assert len(names) == 5


def test_sorted_by_a_figure_that_one_lacks_it_comes_last(tmp_path: Path) -> None:
    old = put(tmp_path / "old", earlier(Conversion().record()))
    outs = [old, put(tmp_path / "new", FULL.record())]
    compared = compare.sorted_by(compare.compare_results(outs), "operations")
    assert [entry.result.name for entry in compared.entries] == ["new"] * 5 + ["old"] * 3


def test_results_of_one_name_are_told_apart_by_their_paths(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
    outs = [put(tmp_path / name / "out", FULL.record()) for name in "ab"]
    names = [result.name for result in compare.compare_results(outs).results]
    assert names == [str(out) for out in outs]


def test_as_json_it_holds_all_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = put(tmp_path / "out", FULL.record())
    assert run(["compare", str(out / "report.json"), "--sort", "time", "--json"]) == 0
    text = json.loads(capsys.readouterr().out)
    assert text["baseline"] == {"result": "out", "variant": "int8"}
    assert text["warnings"] == []
    best = text["variants"][0]
    assert (best["result"], best["variant"], best["pareto"]) == ("out", "channels-50", True)
    assert best["against_baseline"]["points"] == pytest.approx(100 / 3)
    assert best["against_baseline"]["p50_ms"] == pytest.approx(2.1123 / 3.4123, abs=1e-4)
    assert [timing["threads"] for timing in best["timings"]] == [1, 2]
    assert best["edgetpu"] == {"status": "full", "mapped": 67, "on_cpu": 0}


@pytest.mark.parametrize("name", ["plot.svg", "plot.png"])
def test_the_plot_names_every_variant(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    outs = [put(tmp_path / out, FULL.record()) for out in ("big", "small")]
    plot = tmp_path / name
    assert run(["compare", *map(str, outs), "--plot", str(plot)]) == 0
    assert f"Plot: {plot}" in capsys.readouterr().out
    if name.endswith("svg"):
        text = plot.read_text(encoding="utf-8")
        assert text.count(">channels-50</text>") == 2
        assert ">small</text>" in text
    else:
        image = cv2.imread(str(plot))
        assert image is not None
        assert image.std() > 5, "nothing is drawn"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted(["big", "small", name])


def test_letters_that_a_png_cannot_show_are_pointed_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(put(tmp_path / "猫", FULL.record()))
    assert run(["compare", out, "--plot", str(tmp_path / "plot.svg")]) == 0
    assert capsys.readouterr().err == ""
    assert run(["compare", out, "--plot", str(tmp_path / "plot.png")]) == 0
    assert "猫" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "result-not-found"),
        ("half a {", "result-invalid"),
        ("[1, 2]", "result-invalid"),
        ('{"schema": 4, "variants": {}}', "result-version-unsupported"),
        ('{"schema": 2, "variants": {}}', "result-invalid"),
        ('{"schema": 2, "variants": {"int8": {"accuracy": "x"}}}', "result-invalid"),
    ],
)
def test_what_is_no_result_is_refused(tmp_path: Path, content: str | None, code: str) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    if content is not None:
        (folder / "report.json").write_text(content, encoding="utf-8")
    with raises_code(code, kind="UsageError", found=str(folder)):
        compare.compare_results([folder])


def test_bad_arguments_end_with_2_and_write_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = put(tmp_path / "out", FULL.record())
    for args, code, words in (
        ([str(tmp_path / "gone")], "result-not-found", "gone"),
        ([str(out), str(out / "report.json")], "duplicate-result", str(out)),
        ([str(out), "--plot", str(tmp_path / "plot.jpg")], "unsupported-plot-format", "plot.svg"),
        ([str(out), "--plot", str(tmp_path / "gone/plot.svg")], "output-not-writable", "gone"),
        ([str(out), "--sort", "speed"], "usage", "--sort"),
        ([], "usage", "RESULT"),
    ):
        assert run(["compare", *args]) == 2, args
        stderr = capsys.readouterr().err
        if code != "usage":
            assert error_code(stderr) == code
        assert words in stderr
        assert "Traceback" not in stderr
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_names_cannot_steer_the_terminal(tmp_path: Path) -> None:
    record = FULL.record()
    record["variants"]["\x1b[2J[red]x"] = record["variants"]["channels-50"]
    record["variants"]["int8"]["gain"] = "\x1b[31mnothing"
    text = printed(compare.compare_results([put(tmp_path / "out", record)]))
    assert "\x1b" not in text
    assert " [2J[red]x " in text


def test_piped_every_column_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = put(tmp_path / "out", FULL.record())
    assert run(["compare", str(out)]) == 0
    output = capsys.readouterr().out
    assert "threshold" in output
    assert "No room" not in output


def test_it_starts_without_what_makes_models(tmp_path: Path) -> None:
    out = put(tmp_path / "out", FULL.record())
    code = (
        "import sys; from edge.cli import run; "
        f"code = run(['compare', {str(out)!r}]); "
        "heavy = {'tensorflow', 'tf_keras', 'sklearn', 'scipy', 'cv2', 'matplotlib'}; "
        "found = heavy & set(sys.modules); sys.exit(str(found) if found else code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_noisy_timings_are_named(tmp_path: Path) -> None:
    noisy = Conversion(noisy=("float16",)).record()
    compared = compare.compare_results(
        [put(tmp_path / "calm", Conversion().record()), put(tmp_path / "out", noisy)]
    )
    text = printed(compared)
    assert "noisy" in lines_of(text, "float16")[1]
    assert "noisy" not in lines_of(text, "int8")[1]
    assert [warning for warning in compared.warnings if "float16" in warning]
    rows = {(row["result"], row["variant"]): row for row in compared.to_dict()["variants"]}
    assert [key for key, row in rows.items() if row["timing"]["noisy"]] == [("out", "float16")]
