"""``edge selftest``: check a release's files and its model's outputs on this machine."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.commands.options import JSON, say
from edge.errors import UsageError
from edge.terminal import suppress_native_stderr

if TYPE_CHECKING:
    from edge.deployment.release import GoldenCheck, ReleaseManifest
    from edge.interpreter import Runtime

EXAMPLES = """
\b
Examples:
  edge selftest ~/edge-toolkit/current
  edge selftest ~/edge-toolkit/current --json

\b
'edge deploy' creates releases, and runs this on the board before switching to one. First
the checksums of all files are verified. Then the model runs on the test vectors in the
release. The deviation from the outputs on the workstation is 0 for identical outputs, and
1 if they differ by as much as the outputs vary from input to input.

\b
Exit codes: 0 the outputs match; 2 error; 3 the outputs differ.
"""


@click.command(epilog=EXAMPLES)
@click.argument("release", metavar="DIR", type=click.Path(path_type=Path))
@JSON
def selftest(release: Path, as_json: bool) -> int:
    """Check a release: its files, and its model's outputs on this machine."""
    from edge.deployment.release import read

    _check_kind(release)
    manifest = read(release)
    with suppress_native_stderr():
        rows = list(results(release, manifest))
    passed = all(row["passed"] for row in rows)
    if as_json:
        summary = {"release": release.resolve().name, "passed": passed, "models": rows}
        click.echo(json.dumps(summary, indent=2))
    else:
        _print(release, rows)
    return 0 if passed else 3


def _check_kind(release: Path) -> None:
    """Refuse a result folder of ``edge convert``, which has no golden outputs yet.

    Raises:
        UsageError: naming what makes a release of it, and what runs its model here.
    """
    from edge.deployment.release import SUMS
    from edge.next_steps import command_line
    from edge.registry.result_folder import MODEL

    if (release / MODEL).is_file() and not (release / SUMS).exists():
        raise UsageError(
            "a release, which 'edge deploy' makes",
            f"{release}, a model without golden outputs",
            f"deploy it, or use '{command_line('edge', 'bench', release)}' to run it here",
            code="not-a-release",
        )


def results(release: Path, manifest: "ReleaseManifest") -> Iterator[dict[str, Any]]:
    """Check each model's outputs; yield its deviation as JSON values.

    Raises:
        ModelError: a model fails.
        DelegateError: a model cannot run on this machine.
    """
    from edge.deployment import golden

    for proof in manifest.proofs:
        runtime = _runtime(release, proof, manifest.delegate)
        expected = golden.unpack((release / proof.vectors).read_bytes(), proof.vectors)
        deviation = golden.deviation(runtime, expected)
        yield {
            "model": f"{proof.file}/{proof.member}" if proof.member else proof.file,
            "deviation": round(deviation, 5),
            "limit": golden.LIMIT,
            "passed": deviation <= golden.LIMIT,
            "interpreter": runtime.package,
            "delegate": runtime.delegate,
        }


def _runtime(release: Path, proof: "GoldenCheck", delegate: str) -> "Runtime":
    """Load the model as the release's command will run it."""
    from edge import interpreter
    from edge.deployment.release import extract_models
    from edge.tasks import loading

    path = release / proof.file
    if proof.member:
        content = extract_models(proof.file, path.read_bytes())[proof.member]
        return interpreter.load(content, name=proof.member, delegate="cpu")
    opened = loading.load_file(path, labels=None, delegate=delegate, threads=None)
    say(opened.notes)
    return opened.runtime


def _print(release: Path, rows: list[dict[str, Any]]) -> None:
    click.echo(click.style(release.resolve().name, bold=True))
    for row in rows:
        words = "matches the workstation" if row["passed"] else "DIFFERS from the workstation"
        click.echo(
            f"  {row['model']} {words}: deviation {row['deviation']:.3f}, "
            f"limit {row['limit']:g} ({row['interpreter']}, {row['delegate']})"
        )
