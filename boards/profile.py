"""Board profiles: what is known of a board before anything runs on it, with where that is from.

One TOML file each in ``profiles/``; its keys are the fields of :mod:`boards.facts`. An accelerator
goes with a board: ``load("raspberry-pi-4b+coral-usb")``.

=========================  =======================================================================
``load(name)``             the :class:`Profile` of a board, or of a board with an accelerator
``find(name)``             the same, and an :class:`Accelerator` that is named alone
``names()``                boards; ``accelerators()``: what goes with them
``recognise(model)``       the board whose device tree says ``model``, or None
=========================  =======================================================================

Figures that are published say where (``source``). What is said of how something runs was not
tried on the board, unless ``tried`` says so.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

from boards import reading
from boards.facts import (
    BUSES,
    DELEGATES,
    DTYPES,
    Accelerator,
    Camera,
    Memory,
    Network,
    Note,
    Profile,
    Published,
    Run,
    Soc,
    System,
)
from edge.errors import UsageError, nearest

__all__ = [
    "Accelerator", "Camera", "Memory", "Network", "Note", "Profile", "Published", "Run", "Soc",
    "System", "accelerators", "compose", "find", "load", "names", "networks", "read", "recognise",
]  # fmt: skip

SHIPPED = Path(__file__).with_name("profiles")


def names() -> tuple[str, ...]:
    """The boards, by name."""
    return tuple(name for name, known in _all().items() if isinstance(known, Profile))


def accelerators() -> tuple[str, ...]:
    """What goes with a board, by name."""
    return tuple(name for name, known in _all().items() if isinstance(known, Accelerator))


def load(name: str) -> Profile:
    """The profile of a board, or of "BOARD+ACCELERATOR".

    Raises:
        UsageError: there is no such board or accelerator (the nearest is named), the accelerator
            stands alone, or the board has no bus for it.
    """
    board, *added = name.split("+")
    known = find(board)
    if isinstance(known, Accelerator):
        raise UsageError(
            "a board, or a board with an accelerator",
            f"the accelerator {board} alone",
            f"name the board too, such as {_hosts(known)[0]}+{board}",
        )
    if len(added) > 1:
        raise UsageError("one accelerator", name, f"use {board}+{added[0]}")
    return compose(known, _accelerator(added[0])) if added else known


def find(name: str) -> Profile | Accelerator:
    """The board or accelerator of a name, or both joined by "+".

    Raises:
        UsageError: as :func:`load`, but an accelerator may stand alone.
    """
    if "+" in name:
        return load(name)
    if name in _all():
        return _all()[name]
    raise _unknown("a board", name, _all())


def compose(board: Profile, accelerator: Accelerator) -> Profile:
    """``board`` with ``accelerator`` plugged in: it runs models there.

    Latencies published with this board as host replace those with another one.

    Raises:
        UsageError: the board has no bus for it; the ones that have are named.
    """
    if not set(board.buses) & set(accelerator.buses):
        raise UsageError(
            f"a board with {' or '.join(accelerator.buses)} for {accelerator.name}",
            f"{board.name} with {' and '.join(board.buses) or 'none'}",
            f"use {', '.join(_hosts(accelerator))}",
        )
    here = tuple(one for one in accelerator.latencies if one.host == board.name)
    return replace(
        board,
        name=f"{board.name}+{accelerator.name}",
        title=f"{board.title} with {accelerator.title}",
        run=replace(
            board.run, delegate="edgetpu", size=accelerator.size, reason=accelerator.reason
        ),
        tried=accelerator.tried,
        apt=_joined(board.apt, accelerator.apt),
        udev=_joined(board.udev, accelerator.udev),
        devices=_joined(board.devices, accelerator.devices),
        constraints=board.constraints + accelerator.constraints,
        limits=board.limits + accelerator.limits,
        latencies=board.latencies + (here or accelerator.latencies),
        accelerator=accelerator,
    )


def recognise(model: str) -> Profile | None:
    """The board whose device tree says ``model``, by the longest beginning that fits."""
    fitting = [
        (len(start), name)
        for name in names()
        for start in load(name).models
        if model.startswith(start)
    ]
    return load(max(fitting)[1]) if fitting else None


def read(path: Path) -> Profile | Accelerator:
    """A profile from a file, which is called as the board is.

    Raises:
        UsageError: it is no TOML, or a key or value is wrong; the message names what is nearest.
    """
    place = f"profile {path.stem}"
    table = reading.table(path)
    kinds: dict[object, type[Profile] | type[Accelerator]] = {
        "board": Profile,
        "accelerator": Accelerator,
    }
    kind = table.pop("kind", None)
    if kind not in kinds:
        raise UsageError(f'kind = "board" or "accelerator" in {place}', repr(kind), "correct kind")
    sources = table.pop("sources", {})
    known = reading.build(kinds[kind], {"name": path.stem, **table}, sources, place)
    for one in known.latencies:
        reading.chosen(one.model, networks(), f"model of a latency in {place}")
        reading.chosen(one.dtype, DTYPES, f"dtype of a latency in {place}")
        reading.chosen(one.runs_on, DELEGATES, f"runs_on of a latency in {place}")
    for bus in known.buses:
        reading.chosen(bus, BUSES, f"bus in {place}")
    return known


@cache
def networks() -> dict[str, Network]:
    """The networks that latencies are published of, by name."""
    table = reading.table(Path(__file__).with_name("networks.toml"))
    sources = table.pop("sources")
    return {
        name: reading.build(Network, values, sources, f"network {name}")
        for name, values in table.items()
    }


@cache
def _all() -> dict[str, Profile | Accelerator]:
    return {path.stem: read(path) for path in sorted(SHIPPED.glob("*.toml"))}


def _hosts(accelerator: Accelerator) -> tuple[str, ...]:
    """The boards that have a bus for it."""
    return tuple(name for name in names() if set(load(name).buses) & set(accelerator.buses))


def _accelerator(name: str) -> Accelerator:
    known = _all().get(name)
    if isinstance(known, Accelerator):
        return known
    raise _unknown("an accelerator", name, accelerators())


def _unknown(what: str, name: str, known: Iterable[str]) -> UsageError:
    guess = nearest(name, known)
    return UsageError(
        f"{what}: {', '.join(known)}",
        repr(name),
        f"did you mean {guess}?" if guess else "see 'edge boards list'",
    )


def _joined(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))
