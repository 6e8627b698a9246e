"""``edge bench``: measure a model's speed and memory."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import click

from edge.commands.options import JSON, MODEL, running, say
from edge.quantities import size
from edge.terminal import suppress_native_stderr

EXAMPLES = """
\b
Examples:
  edge bench model.tflite
  edge bench model.tflite --threads 1
  edge bench model_edgetpu.tflite --delegate edgetpu
  edge bench model.tflite --json

\b
Measured on random input for about 2 seconds, after a warm-up. Load time runs from reading
the file until the model is ready, including interpreter startup; invoke time includes
setting the input and fetching the output, but not reading or resizing an image. Where the
95th percentile is at least twice the median, it is measured again, and called noisy if
that does not help.
"""


@click.command(epilog=EXAMPLES)
@MODEL
@running
@JSON
def bench(model: Path, delegate: str, threads: int | None, as_json: bool) -> int:
    """Measure a model's speed and memory on this machine."""
    with suppress_native_stderr():
        figures, notes = _measure(model, delegate, threads)
    say(notes)
    if as_json:
        click.echo(json.dumps(figures, indent=2))
    else:
        _print(figures)
    return 0


def _measure(
    model: Path, delegate: str, threads: int | None
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the figures of one run, and notes on how it ran."""
    from edge import benchmark, interpreter
    from edge.modelfile import tflite

    start = time.perf_counter()
    content = tflite.read_file(model)
    runtime = interpreter.load(content, name=str(model), delegate=delegate, threads=threads)
    load_ms = (time.perf_counter() - start) * 1e3
    timing = benchmark.measure(runtime)
    figures = {
        "model": str(model),
        "interpreter": runtime.package,
        "delegate": runtime.delegate,
        "threads": runtime.threads,
        "load_ms": round(load_ms, 3),
        "first_ms": round(timing.first_ms, 3),
        "p50_ms": round(timing.p50_ms, 3),
        "p95_ms": round(timing.p95_ms, 3),
        "noisy": timing.noisy,
        "runs": timing.runs,
        "peak_memory_bytes": peak_memory(),
    }
    return figures, runtime.notes


def peak_memory() -> int | None:
    """Return the peak resident memory of this process, in bytes; None if it is not known."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _print(figures: dict[str, Any]) -> None:
    peak = figures["peak_memory_bytes"]
    rows = {
        "interpreter": f"{figures['interpreter']}",
        "delegate": f"{figures['delegate']} (CPU threads: {figures['threads']})",
        "load": f"{figures['load_ms']:.1f} ms",
        "first invoke": f"{figures['first_ms']:.2f} ms",
        "invoke": f"{figures['p50_ms']:.2f} ms median, {figures['p95_ms']:.2f} ms 95th percentile",
        "runs": str(figures["runs"]),
        "peak memory": f"{size(peak)}, including Python and NumPy" if peak else "unknown",
    }
    if figures["noisy"]:
        from edge.benchmark import NOISE_ADVICE

        rows["noisy"] = f"also when measured again: {NOISE_ADVICE}"
    click.echo(click.style(figures["model"], bold=True))
    for name, value in rows.items():
        click.echo(f"  {name:<13} {value}")
