"""``edge inspect``: show the contents of a model file without running it."""

import gzip
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from edge.commands.options import JSON, MODEL, model_file
from edge.modelfile import metadata, operations, tflite
from edge.modelfile.metadata import ModelMetadata
from edge.modelfile.tflite import TensorInfo
from edge.quantities import counted, size
from edge.tasks.model_config import find_config, read_model_config
from edge.terminal import printable

EXAMPLES = """
\b
Examples:
  edge inspect model.tflite
  edge inspect model.tflite --json

\b
The model is not run, so this also works for Edge TPU models and for models whose
operations are broken. Parameters are the constant tensors that an operation reads.
What a TOML file next to the model says counts more than the metadata.
"""

FIRST_LABELS = 5


@click.command(epilog=EXAMPLES)
@MODEL
@JSON
def inspect(model: Path, as_json: bool) -> int:
    """Show what is inside a model file."""
    model = model_file(model)
    content, description = tflite.read_file(model), find_config(model)
    facts = describe(content, str(model))
    if description is not None:
        facts["toml"] = _described(description)
    if as_json:
        click.echo(json.dumps(facts, indent=2))
    else:
        click.echo("\n".join(_lines(facts)))
    return 0


def describe(content: bytes, name: str) -> dict[str, Any]:
    """Return the contents of a model file as JSON values, as ``edge inspect --json`` prints them.

    Raises:
        ModelError: ``content`` is not a complete TFLite model.
    """
    file = tflite.parse(content, name)
    about = metadata.of(file, name)
    return {
        "file": name,
        "bytes": len(content),
        "gzip_bytes": len(gzip.compress(content, mtime=0)),
        "description": file.description,
        "edgetpu": file.for_edgetpu,
        "inputs": [_tensor(tensor) for tensor in file.inputs],
        "outputs": [_tensor(tensor) for tensor in file.outputs],
        "quantisation": operations.quantization(file),
        "metadata": None if about is None else _metadata(about),
        "toml": None,
        "operations": [row.to_dict() for row in operations.operations(file)],
    }


def _described(path: Path) -> dict[str, Any]:
    """Return what the TOML file next to a model says of it, as JSON values."""
    config = read_model_config(path)
    chosen = config.normalization
    return {
        "file": str(path),
        "head": config.head,
        "mean": None if chosen is None else list(chosen.mean),
        "std": None if chosen is None else list(chosen.std),
    }


def _tensor(tensor: TensorInfo) -> dict[str, Any]:
    quantized = len(tensor.scales) == 1 and math.isfinite(tensor.scales[0])
    return {
        "name": tensor.name,
        "dtype": tensor.dtype,
        "shape": [
            -1 if dynamic else size
            for size, dynamic in zip(tensor.shape, tensor.dynamic, strict=False)
        ],
        "scale": tensor.scales[0] if quantized else None,
        "zero_point": tensor.zero_points[0] if quantized and tensor.zero_points else None,
    }


def _metadata(about: ModelMetadata) -> dict[str, Any]:
    labels = about.labels
    return {
        "name": about.name,
        "description": about.description,
        "labels": None if labels is None else len(labels),
        "first_labels": list(labels[:FIRST_LABELS]) if labels else [],
        "mean": None if about.mean is None else list(about.mean),
        "std": None if about.std is None else list(about.std),
        "threshold": about.threshold,
        "task": about.task or None,
        "head": about.head,
        "author": about.author,
        "license": about.license,
        "version": about.version,
        "provenance": about.provenance,
        "missing_files": list(about.missing),
    }


def _lines(facts: dict[str, Any]) -> Iterator[str]:
    """Format the facts as lines, without characters that would control the terminal."""
    yield click.style(printable(facts["file"]), bold=True)
    exact, packed = facts["bytes"], facts["gzip_bytes"]
    yield f"  size          {size(exact)} ({counted(exact, 'byte')}), {size(packed)} gzipped"
    yield f"  for           {'Edge TPU' if facts['edgetpu'] else 'CPU'}"
    yield f"  quantization  {facts['quantisation']['kind']}"
    if facts["description"]:
        yield f"  made by       {printable(facts['description'])}"
    for what in ("inputs", "outputs"):
        for tensor in facts[what]:
            yield f"  {what[:-1]:<13} {_tensor_line(tensor)}"
    yield from _metadata_lines(facts["metadata"])
    if facts["toml"] is not None:
        yield f"  described in  {printable(facts['toml']['file'])}"
        if facts["toml"]["head"] is not None:
            yield f"    head        {facts['toml']['head']}"
        if facts["toml"]["mean"] is not None:
            yield f"    normalized  (pixel - {facts['toml']['mean']}) / {facts['toml']['std']}"
    yield ""
    yield f"  {'operation':<34} {'version':>7} {'count':>6} {'parameter bytes':>16}"
    for row in facts["operations"]:
        name = printable(row["name"])
        yield f"  {name:<34} {row['version']:>7} {row['count']:>6} {row['parameter_bytes']:>16,}"


def _tensor_line(tensor: dict[str, Any]) -> str:
    line = f"{tensor['dtype']} {tensor['shape']} {printable(tensor['name'])}"
    if tensor["scale"]:
        line += f" (scale {tensor['scale']:.6g}, zero point {tensor['zero_point']})"
    return line.rstrip()


def _metadata_lines(about: dict[str, Any] | None) -> Iterator[str]:
    if about is None:
        yield "  metadata      none"
        return
    yield f"  metadata      {printable(about['name']) or '(no name)'}"
    for key in ("description", "author", "license", "version"):
        if about[key]:
            yield f"    {key:<11} {printable(about[key])}"
    if about["labels"] is not None:
        more = ", …" if about["labels"] > FIRST_LABELS else ""
        first = "; ".join(printable(label) for label in about["first_labels"])
        yield f"    labels      {about['labels']}: {first}{more}"
    if about["task"] is not None:
        yield f"    task        {about['task']}"
    if about["head"] is not None:
        yield f"    head        {printable(json.dumps(about['head'], ensure_ascii=False))}"
    if about["mean"] is not None:
        yield f"    normalized  (pixel - {about['mean']}) / {about['std']}"
    if about["threshold"] is not None:
        yield f"    threshold   {100 * about['threshold']:.1f} % (lower scores are unknown)"
    if about["provenance"] is not None:
        yield f"    provenance  {printable(json.dumps(about['provenance'], ensure_ascii=False))}"
    if about["missing_files"]:
        yield f"    not packed  {printable(', '.join(about['missing_files']))}"
