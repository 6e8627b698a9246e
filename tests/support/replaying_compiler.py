"""A stand-in for Google's Edge TPU compiler, which is closed and cannot be had here.

It compiles nothing: it prints a transcript and puts a prepared file where the compiler would. So it
shows that the toolkit runs, believes and stops a compiler rightly, and nothing about the compiler.
"""

import json
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

COMPILER = """
import json, pathlib, shutil, subprocess, sys, time
here = pathlib.Path(__file__).parent
(here / "arguments.json").write_text(json.dumps(sys.argv[1:]))
plan = json.loads((here / "plan.json").read_text())
print(plan["transcript"], end="", flush=True)
if plan["hangs"]:
    child = subprocess.Popen(["sleep", "600"])
    (here / "child.pid").write_text(str(child.pid))
    child.wait()
if (here / "prepared.tflite").exists():
    model = pathlib.Path(sys.argv[-1])
    assert model.read_bytes()[4:8] == b"TFL3"
    shutil.copy(here / "prepared.tflite", f"{model.stem}_edgetpu.tflite")
sys.exit(plan["code"])
"""

DOCKER = """
import json, pathlib, subprocess, sys
here = pathlib.Path(__file__).parent
calls = here / "docker.jsonl"
with calls.open("a") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
if sys.argv[1:3] == ["image", "inspect"]:
    problem = (here / "inspect.txt").read_text()
    print(problem, file=sys.stderr)
    sys.exit(1 if problem else 0)
if sys.argv[1] == "run":
    volume = sys.argv[sys.argv.index("--volume") + 1]
    outside = volume.rpartition(":")[0]
    arguments = sys.argv[sys.argv.index("edgetpu_compiler") + 1 :]
    sys.exit(subprocess.call([str(here / "edgetpu_compiler"), *arguments], cwd=outside))
"""


@dataclass(frozen=True, slots=True)
class StandIn:
    """Where a stand-in was installed, and what it was asked."""

    folder: Path

    @property
    def arguments(self) -> list[str]:
        """The compiler's arguments in the last call."""
        return json.loads((self.folder / "arguments.json").read_text())

    @property
    def docker_calls(self) -> list[list[str]]:
        return [json.loads(line) for line in (self.folder / "docker.jsonl").open()]

    def child_lives(self) -> bool:
        """Whether the process that a hanging compiler started is still there."""
        status = Path(f"/proc/{(self.folder / 'child.pid').read_text()}/stat")
        return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def install(
    folder: Path,
    transcript: str,
    prepared: bytes | None = None,
    *,
    code: int = 0,
    hangs: bool = False,
) -> StandIn:
    """Write a program ``edgetpu_compiler`` that replays ``transcript`` and exits with ``code``.

    ``prepared`` is the file that it "makes"; None for none. One that ``hangs`` never ends, nor does
    the process that it starts.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plan = {"transcript": transcript, "code": code, "hangs": hangs}
    (folder / "plan.json").write_text(json.dumps(plan))
    if prepared is not None:
        (folder / "prepared.tflite").write_bytes(prepared)
    _program(folder / "edgetpu_compiler", COMPILER)
    return StandIn(folder)


def install_docker(folder: Path, inspect: str = "") -> None:
    """Write a program ``docker`` that runs the stand-in beside it; ``inspect`` is its complaint."""
    (folder / "inspect.txt").write_text(inspect)
    _program(folder / "docker", DOCKER)


def path_with(folder: Path) -> str:
    """A PATH on which the programs of ``folder`` come first."""
    return os.pathsep.join([str(folder), os.environ["PATH"]])


def _program(path: Path, code: str) -> None:
    path.write_text(f"#!{sys.executable} -SE\n{code}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
