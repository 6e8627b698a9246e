"""Board profiles: published facts about boards and accelerators, with their sources.

Each profile is a TOML file in ``profiles/``; ``profiles/families/`` holds the values that several
boards share. The keys are the fields of :mod:`boards.schema`. A board and an accelerator are
combined with "+": ``load("raspberry-pi-4b+coral-usb")``.

=========================  =======================================================================
``load(name)``             the :class:`Profile` of a board, or of a board with an accelerator
``find(name)``             the same, or an :class:`Accelerator` alone
``names()``                names of the boards; ``accelerators()``: names of the accelerators
``recognize(model)``       the board whose device tree says ``model``, or None
=========================  =======================================================================

Published figures name their ``source``. Nothing here was tested on the board itself unless
``tested`` says so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

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
from edge.errors import UsageError, did_you_mean, nearest, suggestion
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

_OLD_KEYS = {"tried": "tested"}
"""Former key of a profile → its name now."""

SHIPPED = Path(__file__).with_name("profiles")


def names() -> tuple[str, ...]:
    """Return the names of the boards."""
    return tuple(name for name, known in _all().items() if isinstance(known, Profile))


def accelerators() -> tuple[str, ...]:
    """Return the names of the accelerators."""
    return tuple(name for name, known in _all().items() if isinstance(known, Accelerator))


def load(name: str) -> Profile:
    """Return the profile of a board, or of "BOARD+ACCELERATOR".

    Raises:
        UsageError: the board or accelerator is unknown (the nearest name is suggested), the
            accelerator has no board, or the board has no bus for it.
    """
    board, *added = name.split("+")
    known = find(board)
    if isinstance(known, Accelerator) and added:
        hosts = [host for host in added if host in _hosts(known)]
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
    """Return a board, an accelerator, or both combined with "+".

    Raises:
        UsageError: as :func:`load`, but an accelerator may be alone.
    """
    if "+" in name:
        return load(name)
    if name in _all():
        return _all()[name]
    raise _unknown("board or accelerator", "unknown-board", name, _all())


def compose(board: Profile, accelerator: Accelerator) -> Profile:
    """Return ``board`` with ``accelerator`` plugged in, which then runs the models.

    Only the accelerator's latencies on the best shared bus are kept.

    Raises:
        UsageError: the board has no bus for it; suitable boards are named.
    """
    shared = [bus for bus in accelerator.buses if bus in board.buses]
    if not shared:
        raise UsageError(
            f"a board with {' or '.join(accelerator.buses)} for {accelerator.name}",
            f"{board.name} with {' and '.join(board.buses) or 'a built-in Edge TPU only'}",
            f"use {', '.join(_hosts(accelerator))}",
            code="accelerator-not-supported",
        )
    latencies = tuple(entry for entry in accelerator.latencies if entry.bus == shared[0])
    return replace(
        board,
        name=f"{board.name}+{accelerator.name}",
        title=f"{board.title} with {accelerator.title}",
        run=replace(board.run, delegate="edgetpu", reason=accelerator.reason),
        tested=accelerator.tested,
        apt=_joined(board.apt, accelerator.apt),
        udev=_joined(board.udev, accelerator.udev),
        devices=_joined(board.devices, accelerator.devices),
        apt_sources=_joined(board.apt_sources, accelerator.apt_sources),
        udev_sources=_joined(board.udev_sources, accelerator.udev_sources),
        devices_sources=_joined(board.devices_sources, accelerator.devices_sources),
        constraints=board.constraints + accelerator.constraints,
        limits=board.limits + accelerator.limits,
        latencies=board.latencies + latencies,
        accelerator=accelerator,
    )


def recognize(model: str) -> Profile | None:
    """Return the board with the longest prefix of the device tree's ``model``, or None."""
    matches = [
        (len(start), name)
        for name in names()
        for start in load(name).models
        if model.startswith(start)
    ]
    return load(max(matches)[1]) if matches else None


def read(path: Path) -> Profile | Accelerator:
    """Read a profile from a TOML file; its stem is the name of the board.

    Raises:
        UsageError: the file is not valid TOML, or a key or value is wrong; the nearest one is
            suggested.
    """
    place = f"profile {path.stem}"
    table = _with_family(toml_config.table(path), path)
    kinds: dict[str, type[Profile] | type[Accelerator]] = {
        "board": Profile,
        "accelerator": Accelerator,
    }
    kind = _choice(table.pop("kind", "none"), kinds, f"kind of {place}")
    sources = table.pop("sources", {})
    values = _with_addresses({"name": path.stem, **table}, sources, place)
    known = _with_install_command(toml_config.build(kinds[kind], values, place))
    for latency in known.latencies:
        _choice(latency.model, networks(), f"model of a latency in {place}")
        _choice(latency.dtype, DTYPES, f"dtype of a latency in {place}")
        _choice(latency.runs_on, DELEGATES, f"runs_on of a latency in {place}")
    if isinstance(known, Profile):
        _choice(known.run.delegate, DELEGATES, f"delegate in {place}")
        if known.edgetpu:
            _choice(known.edgetpu, BUSES, f"edgetpu in {place}")
    for bus in known.buses:
        _choice(bus, BUSES, f"bus in {place}")
    return known


def _choice(word: Any, known: Iterable[str], place: str) -> str:
    """Return ``word`` if it is one of ``known``; ``place`` names it in the error.

    Raises:
        UsageError: it is unknown; the nearest word is suggested.
    """
    words = tuple(known)
    if isinstance(word, str) and word in words:
        return word
    raise UsageError(
        f"one of {', '.join(words)} as {place}",
        repr(word),
        did_you_mean(str(word), words, "correct the file"),
        code="unknown-value",
    )


def _with_addresses(value: Any, sources: Mapping[str, str], place: str) -> Any:
    """Return ``value`` with the addresses of its sources, which the file names by keys.

    They are under ``source`` (one key) and ``…_sources`` (a list of keys).

    Raises:
        UsageError: a key is missing in ``sources``; the nearest one is suggested.
    """
    if isinstance(value, list):
        return [_with_addresses(item, sources, place) for item in value]
    if not isinstance(value, dict):
        return value

    def address(item: Any) -> str:
        return sources[_choice(item, sources, f"source of {place}")]

    resolved: dict[str, Any] = {}
    for key, item in value.items():
        if key == "source":
            resolved[key] = address(item)
        elif key.endswith("_sources") and isinstance(item, list):
            resolved[key] = [address(entry) for entry in item]
        else:
            resolved[key] = _with_addresses(item, sources, f"{key} of {place}")
    return resolved


def _with_family(table: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return a table merged with that of its family; lists and sources are concatenated."""
    table = _with_new_keys(table)
    family = table.pop("family", None)
    if family is None:
        return table
    known = {shared.stem: shared for shared in (path.parent / "families").glob("*.toml")}
    file = known[_choice(family, known, f"family of profile {path.stem}")]
    common = _with_new_keys(toml_config.table(file))
    for key, value in table.items():
        if isinstance(value, list):
            common[key] = common.get(key, []) + value
        elif key == "sources":
            common[key] = common.get(key, {}) | value
        else:
            common[key] = value
    return common


def _with_new_keys(table: Mapping[str, Any]) -> dict[str, Any]:
    return {_OLD_KEYS.get(key, key): value for key, value in table.items()}


def _with_install_command(known: Profile | Accelerator) -> Profile | Accelerator:
    """Replace "{toolkit}" in fixes with the requirement that installs this copy on a board."""
    source = board_source()
    origin = source.build or source.file
    toolkit = source.requirement + (f"  # copied there; from: {origin}" if origin else "")
    notes = (
        replace(note, fix=note.fix.replace("{toolkit}", toolkit)) for note in known.constraints
    )
    return replace(known, constraints=tuple(notes))


@cache
def networks() -> dict[str, ReferenceNetwork]:
    """Return the networks with published latencies, by name."""
    table = toml_config.table(Path(__file__).with_name("networks.toml"))
    sources = table.pop("sources")
    return {
        name: toml_config.build(ReferenceNetwork, values, f"network {name}")
        for name, values in _with_addresses(table, sources, "the networks").items()
    }


@cache
def _all() -> dict[str, Profile | Accelerator]:
    paths = {path.stem: path for path in SHIPPED.glob("*.toml")}
    return {name: read(paths[name]) for name in sorted(paths)}


def _hosts(accelerator: Accelerator) -> tuple[str, ...]:
    """Return the boards that have a bus for it."""
    return tuple(name for name in names() if set(load(name).buses) & set(accelerator.buses))


def _accelerator(name: str) -> Accelerator:
    known = _all().get(name)
    if isinstance(known, Accelerator):
        return known
    raise _unknown("accelerator", "unknown-accelerator", name, accelerators())


def _unknown(kind: str, code: str, name: str, names: Iterable[str]) -> UsageError:
    known = tuple(names)
    longer = [candidate for candidate in known if name and candidate.startswith(name)]
    guess = longer[0] if longer else nearest(name, known)
    return UsageError(
        f"a known {kind} ({', '.join(known)})",
        repr(name),
        suggestion(guess) if guess else "see 'edge boards list'",
        code=code,
    )


def _joined(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))
