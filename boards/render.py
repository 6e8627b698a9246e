"""Text output of ``edge boards``; sources are numbered and listed at the end."""

import shutil
import textwrap
from collections.abc import Iterable, Iterator

import click

from boards.schema import Accelerator, Memory, Note, OsSupport, Profile, PublishedLatency
from edge.quantities import counted

_LABEL = 14
"""Width of the first column, in characters."""

_DELEGATE_NAMES = {"cpu": "CPU", "edgetpu": "Edge TPU"}

UNTESTED = (
    "None of these boards and accelerators was available for testing: the information is "
    "published, or was tested on emulated systems. 'edge boards show NAME' says which."
)


class Sources:
    """Addresses of sources, numbered in the order of their first citation."""

    def __init__(self) -> None:
        self.addresses: list[str] = []

    def cite(self, address: str) -> str:
        """Return the citation of an address, such as "[2]"."""
        if address not in self.addresses:
            self.addresses.append(address)
        return f"[{self.addresses.index(address) + 1}]"


def overview(known: tuple[Profile | Accelerator, ...]) -> Iterator[str]:
    """Yield the lines of ``edge boards list``."""
    width = max(len(entry.name) for entry in known) + 2
    for kind, heading in ((Profile, "Boards"), (Accelerator, "Accelerators (BOARD+NAME)")):
        yield click.style(heading, bold=True)
        for entry in known:
            if isinstance(entry, kind):
                yield f"  {entry.name:<{width}}{_summary(entry)}"
        yield ""
    yield from textwrap.wrap(UNTESTED, _width())


def sheet(known: Profile | Accelerator) -> Iterator[str]:
    """Yield the lines of ``edge boards show``."""
    sources = Sources()
    yield click.style(known.title, bold=True) + f"  ({known.name})"
    yield from _row("tests", known.tested)
    yield ""
    if isinstance(known, Profile):
        yield from _hardware(known, sources)
        yield from _software(known, sources)
    yield from _attached(known, sources)
    yield from _notes("Requirements", known.constraints, sources)
    yield from _notes("Known limitations", known.limits, sources)
    yield from _latencies(known.latencies, sources)
    yield click.style("Sources", bold=True)
    for number, address in enumerate(sources.addresses, start=1):
        yield f"  [{number}] {address}"


def _summary(known: Profile | Accelerator) -> str:
    if isinstance(known, Accelerator):
        return f"{known.title}, on {' or '.join(known.buses)}"
    runs = _DELEGATE_NAMES[known.run.delegate]
    if known.soc is None:
        return f"{known.title}, {runs}"
    return f"{known.soc.cores} × {known.soc.core}, {_sizes(known.memory)}, {runs}"


def _hardware(board: Profile, sources: Sources) -> Iterator[str]:
    soc, memory = board.soc, board.memory
    if soc is not None:
        clock = f" at {soc.mhz / 1000:g} GHz" if soc.mhz else ""
        cores = f"{soc.cores} × {soc.core}{clock}"
        yield from _row("processor", f"{soc.name}, {cores} {sources.cite(soc.source)}")
    if memory is not None:
        yield from _row("memory", f"{_sizes(memory)} {sources.cite(memory.source)}")
    yield from _row("architecture", board.architecture)
    if board.models:
        models = " or ".join(board.models)
        yield from _row("device tree", _cited(models, board.models_sources, sources))
    if board.buses:
        yield from _row("buses", _cited(", ".join(board.buses), board.buses_sources, sources))
    if board.edgetpu:
        own = f"soldered on, connected by {board.edgetpu}"
        yield from _row("Edge TPU", _cited(own, board.edgetpu_sources, sources))
    run = board.run
    threads = counted(run.threads, "thread") if run.threads else "one thread per core, at most 4"
    size = f"input size {run.size} px" if run.size else "input size that suits the weights"
    yield from _row(
        "models run on", f"{_DELEGATE_NAMES[run.delegate]}, {threads}, {size}: {run.reason}"
    )
    yield ""


def _software(board: Profile, sources: Sources) -> Iterator[str]:
    yield click.style("Systems", bold=True)
    for system in board.systems:
        yield from _wrapped(
            f"{system.name}: {_system(system, board, sources)} {sources.cite(system.source)}"
        )
    yield ""
    yield click.style("Cameras", bold=True)
    for camera in board.cameras:
        note = f" ({camera.note})" if camera.note else ""
        text = f"{camera.kind}: --source {camera.uri}, using {camera.stack}{note}"
        yield from _wrapped(f"{text} {sources.cite(camera.source)}")
        if camera.apt:
            yield f"    sudo apt-get install -y {' '.join(camera.apt)}"
    yield ""


def _system(system: OsSupport, board: Profile, sources: Sources) -> str:
    python = f"Python {system.python}"
    if not system.supported:
        return f"{python}, not supported. {system.note}"
    wheel = _cited(f"{board.run.interpreter} {system.wheel}", system.wheel_sources, sources)
    numpy = f", {system.numpy} with a CSI camera" if system.numpy else ""
    note = f". {system.note}" if system.note else ""
    return f"{python}, {wheel}{numpy}{note}"


def _attached(known: Profile | Accelerator, sources: Sources) -> Iterator[str]:
    """Yield packages, udev rules and devices."""
    accelerator = known if isinstance(known, Accelerator) else known.accelerator
    if known.apt:
        yield _cited(click.style("Packages", bold=True), known.apt_sources, sources)
        yield f"    sudo apt-get install -y {' '.join(known.apt)}"
        yield ""
    if known.udev:
        yield _cited(click.style("udev rules", bold=True), known.udev_sources, sources)
        yield from (f"    {rule}" for rule in known.udev)
        yield ""
    devices = [_cited(", ".join(known.devices), known.devices_sources, sources)]
    if accelerator is not None and accelerator.usb_ids:
        ids = ", ".join(f"USB {usb_id}" for usb_id in accelerator.usb_ids)
        devices.append(_cited(ids, accelerator.usb_ids_sources, sources))
    if any(devices):
        yield click.style("Devices", bold=True)
        yield from _wrapped(", ".join(filter(None, devices)))
        yield ""


def _notes(heading: str, notes: tuple[Note, ...], sources: Sources) -> Iterator[str]:
    if not notes:
        return
    yield click.style(heading, bold=True)
    for note in notes:
        yield from _wrapped(f"{note.text} {sources.cite(note.source)}")
        if note.fix:
            yield f"    {note.fix}"
    yield ""


def _latencies(latencies: tuple[PublishedLatency, ...], sources: Sources) -> Iterator[str]:
    yield click.style("Published latencies, not measured by this project", bold=True)
    if not latencies:
        yield "  none published, so none estimated; use 'edge bench' to measure on the board"
    for latency in latencies:
        threads = counted(latency.threads, "thread") if latency.threads else ""
        details = "; ".join(filter(None, [latency.bus, threads, latency.note]))
        figures = f"{latency.model:<27}{latency.dtype:<8}{latency.ms:>7g} ms  {latency.runs_on:<8}"
        yield f"  {figures} {sources.cite(latency.source)}{f' {details}' if details else ''}"
    yield ""


def _cited(text: str, addresses: tuple[str, ...], sources: Sources) -> str:
    return " ".join((text, *map(sources.cite, addresses)))


def _sizes(memory: Memory | None) -> str:
    if memory is None:
        return "unknown memory"
    *others, largest = map(memory_size, memory.mib)
    return "/".join((*(text.partition(" ")[0] for text in others), largest))


def memory_size(mib: int) -> str:
    """Return the size of a memory as its board is sold: 512 MB, 4 GB."""
    return f"{mib} MB" if mib < 1024 else f"{mib // 1024} GB"


def _row(label: str, text: str) -> Iterator[str]:
    """Yield a label with its text, wrapped in the second column."""
    lines = textwrap.wrap(text, _width() - _LABEL - 2, break_on_hyphens=False) or [""]
    for label_, line in zip([label, *[""] * (len(lines) - 1)], lines, strict=True):
        yield f"  {label_:<{_LABEL}}{line}"


def _wrapped(text: str) -> Iterable[str]:
    return textwrap.wrap(
        text, _width(), initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False
    )


def _width() -> int:
    return min(100, max(40, shutil.get_terminal_size().columns))
