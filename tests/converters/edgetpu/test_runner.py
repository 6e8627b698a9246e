"""The compiler as a subprocess, from the PATH and in Docker, with stand-ins for both."""

import _thread
import threading
import time

import pytest
import replaying_compiler
import tiny_models
from compiler_texts import ALL, success
from errors import raises_code

from converters.edgetpu import compiler, runner


def test_a_compiler_that_hangs_is_stopped_with_all_that_it_started(compiler_on_path, predict_cpu):
    predict_cpu()
    stand_in = compiler_on_path("", hangs=True)
    start = time.monotonic()
    with raises_code("compiler-timeout", expected="1 seconds", fix="--timeout"):
        compiler.compile_bytes(tiny_models.color_model(), "m", timeout=1)
    assert time.monotonic() - start < 30  # a hang guard
    assert gone(stand_in)


def test_ctrl_c_leaves_nothing_running(compiler_on_path, predict_cpu, monkeypatch):
    predict_cpu()
    stand_in = compiler_on_path("", hangs=True)

    def interrupt_once_it_hangs() -> None:
        while not (stand_in.folder / "child.pid").exists():
            time.sleep(0.01)
        _thread.interrupt_main()

    threading.Thread(target=interrupt_once_it_hangs).start()
    with pytest.raises(KeyboardInterrupt):
        compiler.compile_bytes(tiny_models.color_model(), "m", timeout=60)
    assert gone(stand_in)


def test_processes_that_a_compiler_leaves_running_are_ended(tmp_path):
    leaving = runner.CompilerProgram(("sh", "-c", "sleep 60 & printf $! > child.pid"))
    assert runner.run(leaving, (), tmp_path, timeout=10).code == 0
    assert gone(replaying_compiler.StandIn(tmp_path))


def gone(stand_in) -> bool:
    """Wait a few seconds for the processes of a stand-in to end; return True where they have."""
    deadline = time.monotonic() + 5
    while stand_in.child_lives() and time.monotonic() < deadline:
        time.sleep(0.01)
    return not stand_in.child_lives()


def test_without_a_compiler_the_error_has_install_instructions(no_compiler, predict_cpu):
    predict_cpu()
    assert not compiler.is_available()
    with pytest.raises(runner.MissingCompilerError) as caught:
        compiler.compile_bytes(tiny_models.color_model(), "m")
    for command in (
        "apt-get install edgetpu-compiler",
        runner.BUILD_COMMAND,
        "colab.research.google.com",
    ):
        assert command in caught.value.instructions


@pytest.mark.parametrize(
    ("system", "machine", "text"),
    [
        ("Linux", "x86_64", "this machine"),
        ("Linux", "aarch64", "aarch64 Linux"),
        ("Darwin", "arm64", "arm64 Darwin"),
    ],
)
def test_install_instructions_fit_the_machine(monkeypatch, system, machine, text):
    monkeypatch.setattr(runner.platform, "system", lambda: system)
    monkeypatch.setattr(runner.platform, "machine", lambda: machine)
    assert text in runner.install_instructions()
    assert ("emulated" in runner.install_instructions()) == (machine != "x86_64")


def test_a_program_that_does_not_start(tmp_path, monkeypatch, predict_cpu):
    predict_cpu()
    program = tmp_path / "edgetpu_compiler"
    program.write_bytes(b"\x7fELF of another processor")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with raises_code("compiler-does-not-start", found="Exec format error", fix="x86-64"):
        compiler.compile_bytes(tiny_models.color_model(), "m")


# -- in Docker -------------------------------------------------------------------------------------


def test_docker_runs_the_image_without_a_network(compiler_on_path, predict_cpu):
    predict_cpu()
    stand_in = compiler_on_path(success(*ALL), tiny_models.edgetpu_model())
    replaying_compiler.install_docker(stand_in.folder)
    compiled = compiler.compile_bytes(tiny_models.color_model(), "m", docker=True)
    assert compiled.status == "full"
    (_, run) = stand_in.docker_calls
    assert run[run.index("--network") + 1] == "none"
    assert "--rm" in run
    assert run[run.index("--workdir") + 1] == run[run.index("--volume") + 1].rpartition(":")[2]
    assert run[run.index("edgetpu-compiler") :] == [
        *("edgetpu-compiler", "edgetpu_compiler", "-s", "model.tflite")
    ]


def test_a_container_that_hangs_is_killed_by_its_name(compiler_on_path, predict_cpu):
    predict_cpu()
    stand_in = compiler_on_path("", hangs=True)
    replaying_compiler.install_docker(stand_in.folder)
    with raises_code("compiler-timeout", kind="CompilerError"):
        compiler.compile_bytes(tiny_models.color_model(), "m", docker=True, timeout=1)
    (_, run, kill) = stand_in.docker_calls
    assert kill == ["kill", run[run.index("--name") + 1]]


@pytest.mark.parametrize(
    ("complaint", "code"),
    [
        ("Error response from daemon: No such image: edgetpu-compiler", "docker-image-not-found"),
        ("Error: edgetpu-compiler: image not known", "docker-image-not-found"),
        ("Cannot connect to the Docker daemon. Is it running?", "docker-not-responding"),
    ],
)
def test_docker_without_the_image_or_daemon(compiler_on_path, predict_cpu, complaint, code):
    predict_cpu()
    stand_in = compiler_on_path(success(*ALL))
    replaying_compiler.install_docker(stand_in.folder, complaint)
    with raises_code(code, kind="MissingCompilerError") as caught:
        compiler.compile_bytes(tiny_models.color_model(), "m", docker=True)
    assert isinstance(caught.value, runner.MissingCompilerError)
    assert (runner.BUILD_COMMAND in caught.value.fix) == (code == "docker-image-not-found")
    assert runner.DOCKERFILE in caught.value.instructions


def test_docker_that_is_not_installed(no_compiler, predict_cpu, tmp_path):
    predict_cpu()
    with raises_code("docker-not-found", kind="MissingCompilerError"):
        runner.in_docker(tmp_path)
