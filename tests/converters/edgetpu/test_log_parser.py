"""Parsing of the Edge TPU compiler's output, including misleading forms."""

from pathlib import Path

import pytest

from converters.edgetpu.log_parser import MAPPED, OpLogRow, parse

HEAD = """Edge TPU Compiler version 16.0.384591198
Started a compilation timeout timer of 180 seconds.

Model compiled successfully in 12 ms.

"""
MODEL = """Input model: m.tflite
Input size: 1.50MiB
Output model: m_edgetpu.tflite
Output size: 2.00KiB
On-chip memory used for caching model parameters: 512.00B
On-chip memory remaining for caching model parameters: 6.00MiB
Off-chip memory used for streaming uncached model parameters: 0.00B
Number of Edge TPU subgraphs: 1
Total number of operations: 5
Operation log: m_edgetpu.log
"""
PARTLY = """
Model successfully compiled but not all operations are supported by the Edge TPU. A percentage \
of the model will instead run on the CPU, which is slower.
Number of operations that will run on Edge TPU: 3
Number of operations that will run on CPU: 2
"""
SEE_LOG = "See the operation log file for individual operation details.\n"
TAIL = """Compilation child process completed within timeout period.
Compilation succeeded!
"""


def only_model(text):
    (model,) = parse(text).models
    return model


def test_sizes_are_bytes():
    model = only_model(HEAD + MODEL + SEE_LOG + TAIL)
    assert (model.input_size, model.output_size) == (1_572_864, 2048)
    assert (model.on_chip, model.on_chip_free, model.off_chip) == (512, 6 * 2**20, 0)
    assert (model.input, model.output) == ("m.tflite", "m_edgetpu.tflite")


def test_no_count_lines_mean_that_all_is_mapped():
    model = only_model(HEAD + MODEL + SEE_LOG + TAIL)
    assert (model.on_tpu, model.on_cpu, model.rows) == (5, 0, ())


def test_a_text_cut_off_where_the_counts_would_stand_says_neither():
    model = only_model(HEAD + MODEL)
    assert (model.operations, model.on_tpu, model.on_cpu) == (5, None, None)
    cut_after_the_paragraph = HEAD + MODEL + PARTLY.rpartition("Number of operations")[0]
    assert only_model(cut_after_the_paragraph).on_cpu is None


def test_the_table_may_have_several_rows_of_one_op():
    table = """
Operator                       Count      Status

CONCATENATION                  1          More than one subgraph is not supported
CONCATENATION                  2          Mapped to Edge TPU
CUSTOM                         1          Operation is working on an unsupported data type
CONV_2D                        1          Mapped to Edge TPU
"""
    model = only_model(HEAD + MODEL + PARTLY + table + TAIL)
    assert [row.op for row in model.rows] == ["CONCATENATION", "CONCATENATION", "CUSTOM", "CONV_2D"]
    assert [row.mapped for row in model.rows] == [False, True, False, True]
    assert (model.on_tpu, model.on_cpu) == (3, 2)


def test_success_with_nothing_mapped():
    nothing = MODEL.replace("subgraphs: 1", "subgraphs: 0")
    model = only_model(HEAD + nothing + SEE_LOG + TAIL)
    assert (model.on_tpu, model.on_cpu) == (0, 5)


def test_several_models_compiled_together():
    together = HEAD.replace("Model compiled", "Models compiled")
    second = MODEL.replace("m.tflite", "n.tflite").replace("operations: 5", "operations: 78")
    log = parse(together + MODEL + SEE_LOG + "\n" + second + PARTLY + SEE_LOG + TAIL)
    assert log.succeeded is True
    assert log.milliseconds == 12
    assert [model.input for model in log.models] == ["m.tflite", "n.tflite"]
    assert [model.on_cpu for model in log.models] == [0, 2]


def test_success_needs_the_last_line_where_there_is_a_timer():
    whole = HEAD + MODEL + SEE_LOG + TAIL
    assert parse(whole).succeeded is True
    assert parse(whole.replace("Compilation succeeded!", "")).succeeded is None
    before_16 = whole.replace("16.0", "15.0").replace("Started a compilation timeout timer", "")
    assert parse(before_16.replace(TAIL, "")).succeeded is True


def test_a_child_that_dies_after_compiling_has_failed():
    text = HEAD + MODEL + SEE_LOG + "Compilation failed! \n"
    assert parse(text).succeeded is False
    assert parse(text).models == ()


SEARCH = f"""Edge TPU Compiler version 16.0.384591198
Searching for valid delegate with step 10
Try to compile segment with 15 ops
Started a compilation timeout timer of 180 seconds.
ERROR: Restored original execution plan after delegate application failure.
Compilation timeout. This is usually caused by large activations.
Compilation failed!\x20
Try to compile segment with 5 ops
Intermediate tensors: a/Conv2D;a/Relu,b
{HEAD.partition(chr(10))[2]}{MODEL}{SEE_LOG}{TAIL}"""


def test_a_search_that_fails_first_and_succeeds_later():
    log = parse(SEARCH)
    assert [attempt.succeeded for attempt in log.attempts] == [False, True]
    assert log.attempts[0].errors[1].startswith("Compilation timeout.")
    assert log.succeeded is True
    assert log.errors == ()
    assert [model.input for model in log.models] == ["m.tflite"]


def test_errors_that_were_printed_before_the_version_are_kept():
    # stderr is not buffered, so that its lines may come first in a file.
    text = "ERROR: Encountered unresolved custom op: Atan.\n" + HEAD + "Compilation failed!\n"
    log = parse(text)
    assert log.succeeded is False
    assert log.errors == ("ERROR: Encountered unresolved custom op: Atan.",)


def test_dos_line_ends_and_another_programs_text():
    assert parse((HEAD + MODEL + SEE_LOG + TAIL).replace("\n", "\r\n")) == parse(
        HEAD + MODEL + SEE_LOG + TAIL
    )
    for text in ("", "bash: edgetpu_compiler: command not found\n"):
        log = parse(text)
        assert (log.version, log.succeeded, log.models, log.errors) == ("", None, (), ())


# -- the compiler's own texts; the values were read from them by eye ------------------------------

# file → version, milliseconds, then of the one model: input and output size (MiB), on-chip used and
# free, off-chip, subgraphs, operations, on the Edge TPU, on the CPU, rows of the table
COMPILED = {
    "01": ("16.0.384591198", 3173, 7.37, 8.34, 6.08, 0.0, 1.70, 2, 294, 289, 5, 17),
    "02": ("16.0.384591198", 141, 5.11, 5.09, 18 / 1024, 6.86, 0.0, 1, 368, 15, 353, 0),
    "03": ("16.0.384591198", 542, 4.04, 4.13, 604.5 / 1024, 511.5 / 1024, 3.45, 1, 50, 50, 0, 0),
}
FAILED = {
    "04": ("16.0.384591198", ["Restored original execution plan", "large activation tensors"]),
    "05": ("16.0.384591198", ["custom op: Atan", "failed to prepare", "failed in Tflite"]),
    "06": ("16.0.384591198", []),
    "07": ("15.0.340273435", ["Invalid model: mobilenet_v2", "Model not quantized"]),
    "08": ("14.1.317412892", ["Internal compiler error. Aborting!"]),
    "09": ("2.0.267685300", ["std::out_of_range: vector", "Internal compiler error"]),
    "12": ("16.0.384591198", ["'QUANTIZE' version '3'", "Registration", "Invalid", "be parsed"]),
}


def transcript(test_data: Path, number: str):
    (path,) = (test_data / "edgetpu/compiler_output").glob(f"{number}_*.txt")
    return parse(path.read_text())


@pytest.mark.realdata
@pytest.mark.parametrize("number", COMPILED)
def test_real_transcripts_of_success(test_data, number):
    version, milliseconds, *sizes, subgraphs, operations, on_tpu, on_cpu, rows = COMPILED[number]
    log = transcript(test_data, number)
    (model,) = log.models
    assert (log.version, log.succeeded, log.milliseconds) == (version, True, milliseconds)
    assert log.errors == ()
    parsed = (
        model.input_size,
        model.output_size,
        model.on_chip,
        model.on_chip_free,
        model.off_chip,
    )
    assert parsed == tuple(round(size * 2**20) for size in sizes)
    assert (model.subgraphs, model.operations) == (subgraphs, operations)
    assert (model.on_tpu, model.on_cpu, len(model.rows)) == (on_tpu, on_cpu, rows)


@pytest.mark.realdata
def test_the_real_table_with_two_rows_of_one_op(test_data):
    (model,) = transcript(test_data, "01").models
    other = "Operation is otherwise supported, but not mapped due to some unspecified limitation"
    assert model.rows[1:3] == (
        OpLogRow("CONCATENATION", 1, other),
        OpLogRow("CONCATENATION", 17, MAPPED),
    )
    assert sum(row.count for row in model.rows) == model.operations
    assert sum(row.count for row in model.rows if not row.mapped) == model.on_cpu


@pytest.mark.realdata
@pytest.mark.parametrize("number", FAILED)
def test_real_transcripts_of_failure(test_data, number):
    version, errors = FAILED[number]
    log = transcript(test_data, number)
    assert (log.version, log.succeeded, log.models) == (version, False, ())
    assert len(log.errors) == len(errors)
    for line, part in zip(log.errors, errors, strict=True):
        assert part in line


@pytest.mark.realdata
def test_the_real_search_for_a_delegate_cut_off_in_its_third_attempt(test_data):
    log = transcript(test_data, "11")
    assert [attempt.succeeded for attempt in log.attempts] == [True, False, None]
    assert log.succeeded is None
    (model,) = log.models
    assert model.input == "rede_modelo3_73_segment_0_of_2.tflite"
    assert (model.on_tpu, model.on_cpu, len(model.rows)) == (84, 0, 4)
    assert "large activation tensors" in log.attempts[1].errors[-1]


@pytest.mark.realdata
def test_the_real_operation_logs(test_data):
    logs = {path: parse(path.read_text()) for path in test_data.glob("edgetpu/operation_logs/*")}
    assert len(logs) == 60
    assert all(log.succeeded is None and len(log.models) == 1 for log in logs.values())
    models = [log.models[0] for log in logs.values()]
    assert all(model.input and model.output.endswith("_edgetpu.tflite") for model in models)
    # Counted in the files with awk: 9,824 operations, of which 9,673 are mapped.
    assert sum(model.on_tpu for model in models) == 9673
    assert sum(model.on_cpu for model in models) == 9824 - 9673
    versions = {log.version.partition(".")[0] for log in logs.values()}
    assert versions == {"1", "2", "14", "15", "16"}


@pytest.mark.realdata
def test_a_real_operation_log_cut_off(test_data):
    log = transcript(test_data, "10")
    (model,) = log.models
    assert (log.succeeded, model.operations) == (None, None)
    assert (model.on_tpu, model.on_cpu, len(model.rows)) == (248, 3, 8)
