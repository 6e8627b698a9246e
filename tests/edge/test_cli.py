"""The command line: quick start, one line per error, exit codes."""

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from errors import error_code

from edge import cli


@pytest.fixture
def failing(monkeypatch):
    """``failing(error)`` makes ``edge inspect`` fail with ``error``."""

    def put(error):
        @click.command()
        @click.option("--json", is_flag=True)
        def broken(json):
            raise error

        monkeypatch.setattr(cli.LazyGroup, "get_command", lambda *args: broken)

    return put


def test_help_needs_none_of_the_heavy_packages():
    code = (
        "import sys; from edge.cli import run; code = run(['--help']); "
        "assert not {'numpy', 'cv2', 'tensorflow', 'rich'} & set(sys.modules); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for word in ("Make:", "Run:", "Check:", "convert", "classify", "bench", "inspect"):
        assert word in done.stdout


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_every_command_has_help_with_examples(name, capsys):
    assert cli.run([name, "--help"]) == 0
    assert f"edge {name} " in capsys.readouterr().out.partition("Examples:")[2]


def test_no_help_shows_the_marks_of_its_layout():
    def check(command, parent):
        context = click.Context(command, parent=parent, info_name=command.name)
        assert "\\b" not in command.get_help(context), command.name
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                check(command.get_command(context, name), context)

    check(cli.cli, None)


def test_no_arguments_show_the_help(capsys):
    assert cli.run([]) == 0
    assert "Usage: edge" in capsys.readouterr().out


def test_the_nearest_command_is_suggested(capsys):
    assert cli.run(["clasify"]) == 2
    stderr = capsys.readouterr().err
    assert error_code(stderr) == "unknown-command"
    assert "edge classify" in stderr


@pytest.mark.parametrize("args", [["--debug", "inspect"], ["inspect", "--debug"]])
def test_debug_shows_the_traceback_at_any_position(failing, capsys, args):
    failing(ZeroDivisionError("by zero"))
    assert cli.run(args) == 2
    assert "Traceback" in capsys.readouterr().err
    assert cli.run(["inspect"]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_an_unexpected_error_is_one_line(failing, capsys):
    failing(ZeroDivisionError("by\nzero"))
    assert cli.run(["inspect"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert "ZeroDivisionError: by zero" in printed.err and "--debug" in printed.err
    assert error_code(printed.err) == "internal-error"


def test_an_error_of_the_system_is_one_plain_line(failing, capsys):
    failing(OSError(28, "No space left on device", "/x/y"))
    assert cli.run(["inspect"]) == 2
    stderr = capsys.readouterr().err
    assert stderr.startswith("edge: /x/y: ") and stderr.count("\n") == 1
    assert error_code(stderr) == "os-error"


def test_errors_are_json_with_the_json_option(capsys):
    assert cli.run(["inspect", "absent.tflite", "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["kind"], error["code"]) == ("ModelError", "model-not-found")
    assert "absent.tflite" in error["found"]


def test_ctrl_c_is_one_line(failing, capsys):
    failing(KeyboardInterrupt())
    assert cli.run(["inspect"]) == 130
    stderr = capsys.readouterr().err
    assert stderr.strip().startswith("edge: ") and stderr.strip().count("\n") == 0


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full: only Linux has it")
def test_a_full_disk_behind_stdout_is_one_line(run_edge):
    with Path("/dev/full").open("w") as full:
        done = run_edge("--help", capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert done.stderr.startswith("edge: ") and done.stderr.count("\n") == 1
    assert error_code(done.stderr) == "os-error"


def test_a_file_that_looks_like_an_option_is_explained(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("-x.jpg").touch()
    assert cli.run(["classify", "model.tflite", "-x.jpg"]) == 2
    stderr = capsys.readouterr().err
    assert "./-x.jpg" in stderr
    assert error_code(stderr) == "usage"


@pytest.mark.parametrize("error", [ValueError, click.UsageError, OSError])
@pytest.mark.parametrize("option", ["--json", "--debug"])
def test_no_error_shows_a_password(failing, capsys, error, option):
    failing(error("cannot open rtsp://adm1n:s3cr#et@cam/?token=s3cret"))
    assert cli.run(["inspect", option]) == 2
    printed = "".join(capsys.readouterr())
    assert "cannot open rtsp://***@cam" in printed
    assert not [part for part in ("adm1n", "s3cr", "et@") if part in printed]


def test_an_odd_file_name_stays_on_one_line(capsys):
    assert cli.run(["inspect", "a\nb\x1b[2J.tflite"]) == 2
    stderr = capsys.readouterr().err
    assert stderr.count("\n") == 1
    assert r"a\nb\x1b[2J.tflite" in stderr


@pytest.mark.parametrize(
    ("args", "code", "fix"),
    [
        (["convert", "photos", "--target", "tpu"], "unknown-option-value", "'edgetpu'"),
        (["convert", "photos", "--fine-tun", "x"], "usage", "'--fine-tune'"),
        (["demo", "pose", "--sink", "wbe"], "unknown-sink", "'web'"),
        (["demo", "pose", "--source", "rstp://cam"], "unknown-source", "'rtsp://cam'"),
    ],
)
def test_a_misspelled_value_suggests_the_one_that_was_meant(args, code, fix, capsys):
    assert cli.run(args) == 2
    stderr = capsys.readouterr().err
    assert error_code(stderr) == code
    assert f"did you mean {fix}?" in stderr


@pytest.mark.parametrize("option", ["--sink", "--source"])
def test_no_error_points_to_the_help_of_another_demo(option, capsys):
    assert cli.run(["demo", "pose", option, "xyzzy://nothing"]) == 2
    assert "demo classify" not in capsys.readouterr().err
