"""Board profiles: what is known of a board before anything runs on it, with where that is from.

One TOML file each in ``profiles/``, ``families/`` beside them holds what several have in common;
the keys are the fields of :mod:`boards.schema`. An accelerator goes with a board:
``load("raspberry-pi-4b+coral-usb")``.

=========================  =======================================================================
``load(name)``             the :class:`Profile` of a board, or of a board with an accelerator
``find(name)``             the same, and an :class:`Accelerator` that is named alone
``names()``                boards; ``accelerators()``: what goes with them
``recognize(model)``       the board whose device tree says ``model``, or None
=========================  =======================================================================

Figures that are published say where (``source``). What is said of how something runs was not
tried on the board, unless ``tried`` says so.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from boards.reading import chosen, cited
from boards.schema import (
    BUSES,
    DELEGATES,
    DTYPES,
    Accelerator,
    CameraSupport,
    Memory,
    Note,
    OsSupport,
    Profile,
    PublishedLatency,
    ReferenceNetwork,
    RuntimeDefaults,
    Soc,
)
from edge import toml_config
from edge.errors import UsageError, nearest
from edge.installation import board_source

__all__ = [
    "Accelerator",
    "CameraSupport",
    "Memory",
    "Note",
    "OsSupport",
    "Profile",
    "PublishedLatency",
    "ReferenceNetwork",
    "RuntimeDefaults",
    "Soc",
    "accelerators",
    "compose",
    "find",
    "load",
    "names",
    "networks",
    "read",
    "recognize",
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
    if isinstance(known, Accelerator) and added:
        hosts = [one for one in added if one in _hosts(known)]
        raise UsageError(
            "the board before its accelerator",
            name,
            f"write {(hosts or ['BOARD'])[0]}+{board}",
            code="accelerator-before-board",
        )
    if isinstance(known, Accelerator):
        raise UsageError(
            "a board, or a board with an accelerator",
            f"only the accelerator {board}",
            f"write BOARD+{board}, where BOARD is one of {', '.join(_hosts(known))}",
            code="accelerator-without-board",
        )
    if len(added) > 1:
        raise UsageError(
            "at most one accelerator", name, f"use {board}+{added[0]}", code="several-accelerators"
        )
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
    raise _unknown("board or accelerator", "unknown-board", name, _all())


def compose(board: Profile, accelerator: Accelerator) -> Profile:
    """``board`` with ``accelerator`` plugged in: it runs models there.

    Of its latencies those stay that were published on the best bus that both have.

    Raises:
        UsageError: the board has no bus for it; the ones that have are named.
    """
    shared = [bus for bus in accelerator.buses if bus in board.buses]
    if not shared:
        raise UsageError(
            f"a board with {' or '.join(accelerator.buses)} for {accelerator.name}",
            f"{board.name} with {' and '.join(board.buses) or 'a built-in Edge TPU only'}",
            f"use {', '.join(_hosts(accelerator))}",
            code="accelerator-not-supported",
        )
    timed = tuple(one for one in accelerator.latencies if one.bus == shared[0])
    return replace(
        board,
        name=f"{board.name}+{accelerator.name}",
        title=f"{board.title} with {accelerator.title}",
        run=replace(board.run, delegate="edgetpu", reason=accelerator.reason),
        tried=accelerator.tried,
        apt=_joined(board.apt, accelerator.apt),
        udev=_joined(board.udev, accelerator.udev),
        devices=_joined(board.devices, accelerator.devices),
        apt_sources=_joined(board.apt_sources, accelerator.apt_sources),
        udev_sources=_joined(board.udev_sources, accelerator.udev_sources),
        devices_sources=_joined(board.devices_sources, accelerator.devices_sources),
        constraints=board.constraints + accelerator.constraints,
        limits=board.limits + accelerator.limits,
        latencies=board.latencies + timed,
        accelerator=accelerator,
    )


def recognize(model: str) -> Profile | None:
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
    table = _with_family(toml_config.table(path), path)
    kinds: dict[str, type[Profile] | type[Accelerator]] = {
        "board": Profile,
        "accelerator": Accelerator,
    }
    kind = chosen(table.pop("kind", "none"), kinds, f"kind of {place}")
    sources = table.pop("sources", {})
    values = cited({"name": path.stem, **table}, sources, place)
    known = _with_install_command(toml_config.build(kinds[kind], values, place))
    for one in known.latencies:
        chosen(one.model, networks(), f"model of a latency in {place}")
        chosen(one.dtype, DTYPES, f"dtype of a latency in {place}")
        chosen(one.runs_on, DELEGATES, f"runs_on of a latency in {place}")
    if isinstance(known, Profile):
        chosen(known.run.delegate, DELEGATES, f"delegate in {place}")
        if known.edgetpu:
            chosen(known.edgetpu, BUSES, f"edgetpu in {place}")
    for bus in known.buses:
        chosen(bus, BUSES, f"bus in {place}")
    return known


def _with_family(table: dict[str, Any], path: Path) -> dict[str, Any]:
    """A table with what boards of its family have in common: lists and sources are joined."""
    family = table.pop("family", None)
    if family is None:
        return table
    known = {shared.stem: shared for shared in (path.parent / "families").glob("*.toml")}
    common = toml_config.table(known[chosen(family, known, f"family of profile {path.stem}")])
    for key, value in table.items():
        if isinstance(value, list):
            common[key] = common.get(key, []) + value
        elif key == "sources":
            common[key] = common.get(key, {}) | value
        else:
            common[key] = value
    return common


def _with_install_command(known: Profile | Accelerator) -> Profile | Accelerator:
    """Replace "{toolkit}" in fixes by what pip installs this copy from on a board."""
    source = board_source()
    origin = source.build or source.file
    toolkit = source.requirement + (f"  # copied there; from: {origin}" if origin else "")
    notes = (
        replace(note, fix=note.fix.replace("{toolkit}", toolkit)) for note in known.constraints
    )
    return replace(known, constraints=tuple(notes))


@cache
def networks() -> dict[str, ReferenceNetwork]:
    """The networks that latencies are published of, by name."""
    table = toml_config.table(Path(__file__).with_name("networks.toml"))
    sources = table.pop("sources")
    return {
        name: toml_config.build(ReferenceNetwork, values, f"network {name}")
        for name, values in cited(table, sources, "the networks").items()
    }


@cache
def _all() -> dict[str, Profile | Accelerator]:
    paths = {path.stem: path for path in SHIPPED.glob("*.toml")}
    return {name: read(paths[name]) for name in sorted(paths)}


def _hosts(accelerator: Accelerator) -> tuple[str, ...]:
    """The boards that have a bus for it."""
    return tuple(name for name in names() if set(load(name).buses) & set(accelerator.buses))


def _accelerator(name: str) -> Accelerator:
    known = _all().get(name)
    if isinstance(known, Accelerator):
        return known
    raise _unknown("accelerator", "unknown-accelerator", name, accelerators())


def _unknown(kind: str, code: str, name: str, names: Iterable[str]) -> UsageError:
    known = tuple(names)
    longer = [one for one in known if name and one.startswith(name)]
    guess = longer[0] if longer else nearest(name, known)
    return UsageError(
        f"a known {kind} ({', '.join(known)})",
        repr(name),
        f"did you mean '{guess}'?" if guess else "see 'edge boards list'",
        code=code,
    )


def _joined(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))
