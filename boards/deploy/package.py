"""A release in memory: from what a conversion made, or a model file, to what is sent."""

import io
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from boards.deploy import run_command as commands
from boards.deploy import wheel
from boards.deploy.run_command import HERE, RunCommand
from edge import interpreter
from edge.deployment import golden, release
from edge.deployment.release import ENVIRONMENT, MANIFEST, RUN, SUMS, GoldenCheck, ReleaseManifest
from edge.errors import DelegateError, ModelError, UsageError
from edge.modelfile import tflite
from edge.modelfile.labels import find_labels
from edge.registry import resolve_model
from edge.tasks import loading
from edge.version import __version__

MODEL, EDGETPU = "model.tflite", "model_edgetpu.tflite"
"""Of the folder that a conversion makes."""


@dataclass(frozen=True, slots=True)
class ReleasePackage:
    """A release by its name; ``files``: name → content. ``run`` alone is a program."""

    name: str
    manifest: ReleaseManifest
    files: Mapping[str, bytes]

    @property
    def size(self) -> int:
        return sum(len(content) for content in self.files.values())


def pack(out: str, command: RunCommand, say: Callable[[str], None]) -> ReleasePackage:
    """Make the release of a model with the command that runs it.

    ``out``: a folder of ``edge convert``, a model file, or a model's name in the registry.

    Raises:
        ModelError: there is no such model, or it does not run here.
        DelegateError: the command asks for another delegate than the model was made for.
        LabelsError, UsageError: what goes along cannot be read.
    """
    path = _model(Path(resolve_model(out, say, command.delegate)), command.delegate)
    models = _files(path, command.delegate)
    named = {one.name: one.read_bytes() for one in models}
    # A model for the Edge TPU is held against what the one that it was compiled from answers.
    proofs, carried = _proofs(path, named[models[-1].name])
    for file in (*command.carried, *_beside(path, command)):
        if file.name in (*named, *carried, RUN, MANIFEST, SUMS, ENVIRONMENT):
            raise UsageError(
                "files with different names",
                f"two named {file.name}",
                f"rename {file}",
                code="duplicate-release-file",
                summary=f"two files of the release are named {file.name}",
            )
        carried[file.name] = file.read_bytes()
    words = (*command.words[:2], "--model", f"{HERE}/{path.name}", *command.words[2:])
    manifest = ReleaseManifest(
        toolkit=__version__,
        wheel=wheel.build_own_wheel().sha256,
        run=words,
        extras=command.extras,
        system_packages=command.system_packages,
        delegate=command.delegate,
        proofs=proofs,
    )
    files = {
        **named,
        **carried,
        RUN: commands.script(words).encode(),
        MANIFEST: manifest.to_json().encode(),
    }
    sums = release.checksum_lines(files)
    return ReleasePackage(release.release_id(sums), manifest, {SUMS: sums, **files})


def tar(files: Mapping[str, bytes]) -> bytes:
    """The files as a tar archive."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755 if name == RUN else 0o644
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def _model(place: Path, delegate: str) -> Path:
    """The model file at a place."""
    if not place.is_dir():
        return place
    compiled = place / EDGETPU
    if compiled.is_file() and delegate != "cpu":
        return compiled
    if delegate == "edgetpu":
        raise DelegateError(
            "a model compiled for the Edge TPU",
            f"none in {place}",
            f"run 'edge compile {place / MODEL}', or leave out --delegate edgetpu",
            code="model-not-for-edgetpu",
        )
    if not (place / MODEL).is_file():
        raise ModelError(
            f"{MODEL} in {place}", "none", "use an output folder of 'edge convert'",
            code="model-not-found",
        )  # fmt: skip
    return place / MODEL


def _files(path: Path, delegate: str) -> tuple[Path, ...]:
    """The model file, with the one that it was compiled from where that goes along."""
    if path.suffix != ".tflite":
        return (path,)
    if not tflite.parse(tflite.read_file(path), str(path)).for_edgetpu:
        if delegate == "edgetpu":
            raise DelegateError(
                "a model compiled for the Edge TPU",
                f"{path}, which is not",
                f"run 'edge compile {path}', or leave out --delegate edgetpu",
                code="model-not-for-edgetpu",
            )
        return (path,)
    if delegate == "cpu":
        raise DelegateError(
            "a model for the CPU",
            f"{path}, which is compiled for the Edge TPU",
            "use the model that it was compiled from, or leave out --delegate cpu",
            code="model-not-for-cpu",
        )
    return path, loading.cpu_fallback_path(path)


def _proofs(path: Path, answering: bytes) -> tuple[tuple[GoldenCheck, ...], dict[str, bytes]]:
    """What is tested on the board, with the files of test vectors that ``answering`` makes."""
    proofs, made = [], {}
    for member, model in release.extract_models(path.name, answering).items():
        name = f"{Path(member or path.name).stem}.vectors.npz"
        runtime = interpreter.load(model, name=member or str(path), delegate="cpu")
        made[name] = golden.pack(golden.compute(runtime, member or str(path)))
        proofs.append(GoldenCheck(path.name, member, name))
    return tuple(proofs), made


def _beside(path: Path, command: RunCommand) -> Iterator[Path]:
    """The labels and the description of its head beside a model, where the command names none."""
    named = {word.partition("=")[0] for word in command.words}
    labels, head = find_labels(path), path.with_suffix(".toml")
    if labels is not None and "--labels" not in named:
        yield labels
    if head.is_file() and "--head" not in named:
        yield head
