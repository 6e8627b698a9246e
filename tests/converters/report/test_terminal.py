"""Summary on the terminal."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from conversion import PASS, Conversion
from rich.console import Console

from converters.edgetpu import runner
from converters.edgetpu.compiler import Compilation
from converters.report import terminal, text
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
    verdict = replace(
        PASS,
        status="fail",
        reason="int8 loses 33.3 points",
        classes=("[red]square",),
        layers=(("block_1_expand", 3.1),),
    )
    text = printed(Conversion(wrong=3, verdict=verdict))
    assert "FAIL  int8 loses 33.3 points." in text
    assert ": [red]square." in text
    assert "block_1_expand (3 dB)" in text


def test_a_model_no_better_than_a_guess_gives_a_warning() -> None:
    warning = text.baseline_warning(Conversion(wrong=6).report())
    assert warning is not None
    assert warning.replace("\N{NO-BREAK SPACE}", " ") in " ".join(
        printed(Conversion(wrong=6)).split()
    )
    assert text.baseline_warning(Conversion().report()) is None


def test_noisy_timings_are_called_so() -> None:
    text = printed(Conversion(recipes=("magnitude-75",), noisy=("magnitude-75", "float32")))
    rows = {line.split()[0]: line for line in text.splitlines() if " % (" in line}
    assert [name for name, row in rows.items() if "noisy" in row] == ["float32", "magnitude-75"]
    assert "float32, magnitude-75 are noisy" in " ".join(text.split())
    assert all(len(line) <= 80 for line in text.splitlines() if str(OUT) not in line)
    assert "noisy" not in printed(Conversion())
