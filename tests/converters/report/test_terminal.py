"""Summary on the terminal."""

import io
from pathlib import Path

import pytest
from conversion import FAILED, OPEN, VALIDATED, Conversion
from rich.console import Console

from converters.edgetpu import runner
from converters.edgetpu.compiler import Compilation
from converters.report import terminal
from converters.report.codec import to_plain
from converters.report.model import Report
from converters.selection.select import Limits

OUT = Path("a/rather/long/folder/[bold]name/of/a/result/that/does/not/fit/on/one/line/of/80/out")


def printed(conversion: Conversion, width: int = 80) -> str:
    file = io.StringIO()
    terminal.summary(conversion.report(), OUT, Console(file=file, width=width, highlight=False))
    return file.getvalue().replace("\N{NO-BREAK SPACE}", " ")


def test_at_80_columns_every_variant_has_its_line() -> None:
    text = printed(Conversion())
    int8 = next(line for line in text.splitlines() if line.startswith("int8 "))
    for figure in ("100 % (96.0–100)", "2.7 MB", "2.2 MB", "3.4 ms"):
        assert figure in int8
    assert text.count("◆") == 2, "the mark and its legend"
    assert "ai-edge-litert 2.3.0, cpu, 2 threads" in " ".join(text.split())
    assert all(len(line) <= 80 for line in text.splitlines() if str(OUT) not in line)


def test_names_of_recipes_fit_and_the_chosen_one_is_explained() -> None:
    text = printed(Conversion(recipes=("channels-50", "magnitude-75")))
    rows = [line.split()[0] for line in text.splitlines() if " % (" in line]
    assert rows == ["float32", "float16", "int8", "channels-50", "magnitude-75"]
    assert all(len(line) <= 80 for line in text.splitlines() if str(OUT) not in line)
    assert "channels-50 ◆ " in text and "int8 ◆ " not in text
    record = Conversion(recipes=("channels-50", "magnitude-75")).record()
    assert f"Chosen: {record['choice']['reason']}." in text
    assert "magnitude-75: No speed was gained" in text


def test_a_limit_that_no_variant_meets_is_reported() -> None:
    conversion = Conversion(limits=Limits(max_size_kb=2000))
    text = " ".join(printed(conversion).split())
    assert f"NO {conversion.record()['choice']['reason']}." in text
    for part in ("int8", "2,712 kB", "712 kB", "--max-size 2000"):
        assert part in text


def test_what_the_edge_tpu_takes_stands_in_the_table() -> None:
    rows = {line.split()[0]: line.split()[-1] for line in printed(Conversion()).splitlines()
            if " % (" in line}  # fmt: skip
    assert rows == {"float32": "none", "float16": "none", "int8": "full"}


def test_commands_to_get_the_compiler_can_be_copied() -> None:
    missing = printed_with(Compilation(("Not compiled.",), False))
    assert runner.install_instructions().rstrip() in missing
    compiled = Compilation(("Compiled.",), True, b"", "16.0", 67)
    assert f"Edge TPU: {OUT}/model_edgetpu.tflite\n" in printed_with(compiled)
    assert runner.BUILD_COMMAND not in printed_with(compiled)


def printed_with(compiled: Compilation) -> str:
    file = io.StringIO()
    record = Conversion().record() | {"compiled": to_plain(compiled.to_dict())}
    terminal.summary(Report.from_dict(record), OUT, Console(file=file, width=80, highlight=False))
    return file.getvalue()


def test_the_path_of_the_report_can_be_copied() -> None:
    assert f"Report:   {OUT}/report.html\n" in printed(Conversion())


def test_piped_it_is_plain_text_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.summary(Conversion().report(), Path("out"))
    output = capsys.readouterr()
    assert "out/model.tflite" in output.out
    assert "\x1b" not in output.out
    assert output.err == ""


def test_a_failed_verdict_names_the_classes_and_layers() -> None:
    text = printed(Conversion(wrong=3, verdict=FAILED))
    assert "FAIL  int8 loses 33.3 points." in text
    assert ": [red]square, circle." in text
    assert "block_1_expand (3 dB)" in text


def test_what_is_not_proven_is_no_pass_and_the_remedy_is_named() -> None:
    shown = " ".join(printed(Conversion(verdict=OPEN)).split())
    assert "NOT PROVEN int8 loses 0.0 points: 9 test images prove little" in shown
    assert "PASS" not in shown
    assert "about 1,200 photos" in shown and "--max-drop" in shown


def test_few_test_images_a_class_are_told_where_the_accuracy_stands() -> None:
    shown = " ".join(printed(Conversion()).split())
    assert "Accuracy on 9 unseen images (3 of the rarest class, fewer than 20)" in shown
    assert "fewer than 20" not in printed(Conversion(per_class=200))


def test_the_cross_validated_figure_is_told_from_that_of_the_file() -> None:
    shown = " ".join(printed(Conversion(validated=VALIDATED)).split())
    assert "Cross-validated head: 90.0 % (78.0–96.0) accuracy on all 60 images" in shown
    assert "not int8 itself" in shown
    assert "Cross-validated" not in printed(Conversion())
