"""A release in memory: the files to upload, from an output folder or a model file."""

import io
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from boards.deploy import run_command as commands
from boards.deploy import wheel
from boards.deploy.run_command import HERE, RunCommand
from edge import interpreter
from edge.deployment import golden, release
from edge.deployment.release import ENVIRONMENT, MANIFEST, RUN, SUMS, GoldenCheck, ReleaseManifest
from edge.errors import DelegateError, UsageError
from edge.modelfile import tflite
from edge.modelfile.labels import find_labels
from edge.redaction import redact
from edge.registry import resolve_model
from edge.registry.result_folder import EDGETPU
from edge.tasks import loading
from edge.tasks.model_config import find_config
from edge.version import __version__


@dataclass(frozen=True, slots=True)
class ReleasePackage:
    """A release; ``files``: name → content. Only ``run`` is executable."""

    name: str
    manifest: ReleaseManifest
    files: Mapping[str, bytes]

    @property
    def size(self) -> int:
        """Size of all files, in bytes."""
        return sum(len(content) for content in self.files.values())


def model_files(out: str, delegate: str, say: Callable[[str], None]) -> tuple[Path, ...]:
    """Return the model file and, for the Edge TPU, the one that it was compiled from.

    ``out``: an output folder of ``edge convert``, a model file, or a model's name in the registry.

    Raises:
        ModelError: the model is missing.
        DelegateError: the model was not made for ``delegate``.
    """
    # A result compiled for the Edge TPU goes to a board that has one, unless the command says cpu.
    compiled = delegate == "auto" and (Path(out) / EDGETPU).is_file()
    return _files(resolve_model(out, say, "edgetpu" if compiled else delegate), delegate)


def pack(models: Sequence[Path], command: RunCommand) -> ReleasePackage:
    """Build the release of a model with the command that runs it.

    ``models``: what :func:`model_files` returns.

    Raises:
        ModelError: the model does not run here.
        LabelsError: the labels cannot be read.
        UsageError: two files have the same name.
    """
    path = models[0]
    contents = {model.name: model.read_bytes() for model in models}
    # A model for the Edge TPU is compared with the outputs of the model it was compiled from.
    proofs, extra_files = _golden_checks(path, contents[models[-1].name])
    for file in (*command.files, *_companion_files(path, command)):
        if file.name in (*contents, *extra_files, RUN, MANIFEST, SUMS, ENVIRONMENT):
            raise UsageError(
                "files with different names",
                f"two named {file.name}",
                f"rename {file}",
                code="duplicate-release-file",
                summary=f"two files of the release are named {file.name}",
            )
        extra_files[file.name] = file.read_bytes()
    words = (*command.words[:2], "--model", f"{HERE}/{path.name}", *command.words[2:])
    manifest = ReleaseManifest(
        toolkit=__version__,
        wheel=wheel.build_own_wheel().sha256,
        run=tuple(map(redact, words)),
        extras=command.extras,
        system_packages=command.system_packages,
        delegate=command.delegate,
        proofs=proofs,
    )
    files = {
        **contents,
        **extra_files,
        RUN: commands.script(words).encode(),
        MANIFEST: manifest.to_json().encode(),
    }
    sums = release.checksum_lines(files)
    return ReleasePackage(release.release_id(sums), manifest, {SUMS: sums, **files})


def tar(files: Mapping[str, bytes]) -> bytes:
    """Return the files as a tar archive."""
    archive_bytes = io.BytesIO()
    with tarfile.open(fileobj=archive_bytes, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755 if name == RUN else 0o644
            archive.addfile(entry, io.BytesIO(content))
    return archive_bytes.getvalue()


def _files(path: Path, delegate: str) -> tuple[Path, ...]:
    """Return the model file and, for the Edge TPU, the one that it was compiled from."""
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


def _golden_checks(
    path: Path, reference: bytes
) -> tuple[tuple[GoldenCheck, ...], dict[str, bytes]]:
    """Return the checks on the board, and the files with golden outputs of ``reference``."""
    checks, files = [], {}
    for member, model in release.extract_models(path.name, reference).items():
        name = f"{Path(member or path.name).stem}.vectors.npz"
        runtime = interpreter.load(model, name=member or str(path), delegate="cpu")
        files[name] = golden.pack(golden.compute(runtime, member or str(path)))
        checks.append(GoldenCheck(path.name, member, name))
    return tuple(checks), files


def _companion_files(path: Path, command: RunCommand) -> Iterator[Path]:
    """Yield labels and description next to a model, unless the command names them."""
    options = {word.partition("=")[0] for word in command.words}
    labels, description = find_labels(path), find_config(path)
    if labels is not None and "--labels" not in options:
        yield labels
    if description is not None and "--head" not in options:
        yield description
