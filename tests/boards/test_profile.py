"""All shipped profiles have sources; a wrong profile is refused with a suggestion."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from errors import raises_code

from boards import profile
from edge import toml_config

ALL = (*profile.names(), *profile.accelerators())
BOARDS = profile.names()

SOURCED = ("wheel", "models", "buses", "edgetpu", "apt", "udev", "devices", "usb_ids")
"""Fields with sources under ``NAME_sources``; a camera's packages are from its ``source``."""


def values(known: Any, field: str) -> Iterator[Any]:
    """Yield the values of all fields of that name inside ``known``."""
    if isinstance(known, tuple):
        for entry in known:
            yield from values(entry, field)
    elif is_dataclass(known):
        for each in fields(known):
            value = getattr(known, each.name)
            if each.name == field:
                yield value
            yield from values(value, field)


def unsourced(known: Any) -> Iterator[str]:
    """Yield the fields of SOURCED inside ``known`` that have a value, but no sources."""
    if isinstance(known, tuple):
        for entry in known:
            yield from unsourced(entry)
    elif is_dataclass(known):
        for each in fields(known):
            value = getattr(known, each.name)
            sourced = each.name in SOURCED and not isinstance(known, profile.CameraSupport)
            if sourced and value and not getattr(known, f"{each.name}_sources", ()):
                yield f"{each.name} of {type(known).__name__}: {value}"
            yield from unsourced(value)


def cited(known: Any) -> set[str]:
    """Return all sources inside ``known``."""
    lists = (each for name in SOURCED for each in values(known, f"{name}_sources"))
    return {source for each in lists for source in each} | set(values(known, "source"))


def test_the_shipped_boards_and_accelerators() -> None:
    assert set(BOARDS) == {
        "coral-dev-board", "coral-dev-board-mini", "generic-aarch64", "generic-x86-64",
        "raspberry-pi-3b-plus", "raspberry-pi-4b", "raspberry-pi-5", "raspberry-pi-zero-2-w",
    }  # fmt: skip
    assert set(profile.accelerators()) == {"coral-pcie", "coral-usb"}


@pytest.mark.parametrize("name", [*ALL, "raspberry-pi-4b+coral-usb", "raspberry-pi-5+coral-pcie"])
def test_every_figure_has_its_source(name: str) -> None:
    known = profile.find(name)
    assert list(unsourced(known)) == []
    address_or_trial = r"https://\S+\.\S+|checked here: .+|our choice: .+"
    assert all(re.fullmatch(address_or_trial, source) for source in cited(known)), cited(known)


@pytest.mark.parametrize("name", ALL)
def test_all_sources_of_a_file_are_used(name: str) -> None:
    path = profile.SHIPPED / f"{name}.toml"
    listed = toml_config.table(path).get("sources", {}).values()
    assert set(listed) <= cited(profile.find(name))


@pytest.mark.parametrize("name", ALL)
def test_every_profile_says_how_far_it_was_tested(name: str) -> None:
    assert re.search("[Uu]ntested|emulated", profile.find(name).tested)


@pytest.mark.parametrize("name", BOARDS)
def test_a_board_has_a_system_that_edge_toolkit_installs_on(name: str) -> None:
    board = profile.load(name)
    supported = [system for system in board.systems if system.supported]
    assert supported
    for system in board.systems:
        minor = tuple(map(int, system.python.split(".")))
        assert system.supported == ((3, 11) <= minor < (3, 14)), system.name
        if system.supported:
            tag = f"cp{system.python.replace('.', '')}-manylinux_2_27_{board.architecture}"
            assert system.wheel == tag
        else:
            assert not system.wheel and "3.11" in system.note


@pytest.mark.parametrize("name", ALL)
def test_published_latencies_are_of_known_networks(name: str) -> None:
    for latency in profile.find(name).latencies:
        assert latency.ms > 0
        assert profile.networks()[latency.model].multiply_adds > 0
        assert latency.dtype == "int8" or latency.runs_on == "cpu"


@pytest.mark.parametrize("name", BOARDS)
def test_requirements_of_a_csi_camera(name: str) -> None:
    board = profile.load(name)
    if not name.startswith("raspberry-pi"):
        return
    assert "python3-picamera2" in {package for cam in board.cameras for package in cam.apt}
    assert any("--system-site-packages" in note.fix for note in board.constraints)
    numpy = {system.release: system.numpy for system in board.systems}
    assert numpy["bookworm"] == "numpy<2" and not numpy["trixie"]


def test_the_coral_boards_name_a_way_around_their_old_python() -> None:
    for name in ("coral-dev-board", "coral-dev-board-mini"):
        board = profile.load(name)
        assert [system.python for system in board.systems if not system.supported] == ["3.7"]
        assert any("container" in note.text and "untested" in note.text
                   for note in board.constraints)  # fmt: skip


def test_an_accelerator_is_combined_with_a_board() -> None:
    board, usb = profile.load("raspberry-pi-4b"), profile.find("coral-usb")
    both = profile.load("raspberry-pi-4b+coral-usb")
    assert (board.run.delegate, both.run.delegate) == ("cpu", "edgetpu")
    assert both.name == "raspberry-pi-4b+coral-usb"
    assert both.title == "Raspberry Pi 4 Model B with Coral USB Accelerator"
    assert set(board.constraints) < set(both.constraints) >= set(usb.constraints)
    assert both.accelerator == usb and both.udev == usb.udev
    assert profile.find(both.name) == both


def test_only_latencies_on_the_shared_bus_are_kept() -> None:
    buses = {
        name: {entry.bus for entry in profile.load(f"{name}+coral-usb").latencies if entry.bus}
        for name in ("raspberry-pi-3b-plus", "raspberry-pi-4b")
    }
    assert buses == {"raspberry-pi-3b-plus": {"usb2"}, "raspberry-pi-4b": {"usb3"}}


@pytest.mark.parametrize(
    ("name", "code", "fix"),
    [
        ("raspbery-pi-4b", "unknown-board", "'raspberry-pi-4b'"),
        ("raspberry-pi-3b", "unknown-board", "'raspberry-pi-3b-plus'"),
        ("raspberry-pi-3b+", "unknown-board", "'raspberry-pi-3b-plus'"),
        ("raspberry-pi-zero-2w", "unknown-board", "'raspberry-pi-zero-2-w'"),
        ("raspberry-pi-4b+coral-us", "unknown-accelerator", "'coral-usb'"),
        ("raspberry-pi-4b+raspberry-pi-5", "unknown-accelerator", "'edge boards list'"),
        ("jetson", "unknown-board", "'edge boards list'"),
        ("", "unknown-board", "'edge boards list'"),
        ("coral-usb+raspberry-pi-4b", "accelerator-before-board", "raspberry-pi-4b+coral-usb"),
        ("coral-usb", "accelerator-without-board", "BOARD+coral-usb"),
        ("raspberry-pi-4b+coral-pcie", "accelerator-not-supported",
         "generic-aarch64, generic-x86-64, raspberry-pi-5"),
        ("coral-dev-board+coral-usb", "accelerator-not-supported", "raspberry-pi-4b"),
        ("raspberry-pi-4b+coral-usb+coral-usb", "several-accelerators",
         "raspberry-pi-4b+coral-usb"),
    ],
)  # fmt: skip
def test_a_wrong_name_comes_with_a_suggestion(name: str, code: str, fix: str) -> None:
    with raises_code(code, kind="UsageError", fix=fix):
        profile.load(name)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("Raspberry Pi Zero 2 W Rev 1.0", "raspberry-pi-zero-2-w"),
        ("Raspberry Pi 3 Model B Plus Rev 1.3", "raspberry-pi-3b-plus"),
        ("Raspberry Pi 4 Model B Rev 1.4", "raspberry-pi-4b"),
        ("Raspberry Pi 5 Model B Rev 1.0", "raspberry-pi-5"),
        ("Freescale i.MX8MQ Phanbell", "coral-dev-board"),
        ("Google Coral MT8167", "coral-dev-board-mini"),
        ("Raspberry Pi 3 Model B Rev 1.2", None),
        ("", None),
    ],
)
def test_a_board_is_recognized_by_its_device_tree(model: str, name: str | None) -> None:
    board = profile.recognize(model)
    assert (board and board.name) == name


GOOD = """\
kind = "accelerator"
title = "An accelerator"
buses = ["usb3"]
reason = "it is fast"
tested = "Untested."
[sources]
there = "https://example.org"
"""
GOOD_BUSES = GOOD.replace('["usb3"]', '["usb3"]\nbuses_sources = ["there"]')
LATENCY = """\
[[latencies]]
model = "MobileNet v2 1.0 224"
dtype = "int8"
ms = 2
runs_on = "edgetpu"
source = "there"
"""


def test_a_profile_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD_BUSES + LATENCY)
    mine = profile.read(tmp_path / "mine.toml")
    assert mine.name == "mine" and mine.latencies[0].ms == 2.0
    assert mine.latencies[0].source == "https://example.org"
    assert mine.buses_sources == ("https://example.org",)


def test_a_profile_with_former_keys_is_read(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD_BUSES.replace("tested =", "tried ="))
    assert profile.read(tmp_path / "mine.toml").tested == "Untested."


@pytest.mark.parametrize(
    ("wrong", "code", "field", "text"),
    [
        ("[[[", "invalid-toml", "found", "mine.toml"),
        (GOOD.replace("title", "titel"), "unknown-key", "fix", "'title'"),
        (GOOD.replace('title = "An accelerator"\n', ""), "missing-key", "expected", "'title'"),
        (GOOD.replace('["usb3"]', '"usb3"'), "wrong-type", "expected", "buses"),
        (GOOD + LATENCY.replace("ms = 2", 'ms = "2"'), "wrong-type", "expected", "ms"),
        (GOOD_BUSES.replace('["there"]', '"there"'), "wrong-type", "expected", "buses_sources"),
        (GOOD + LATENCY.replace("[[latencies]]", "[latencies]"), "wrong-type", "expected",
         "latencies"),
    ],
)  # fmt: skip
def test_a_wrong_profile_is_refused_with_its_key(
    tmp_path: Path, wrong: str, code: str, field: str, text: str
) -> None:
    (tmp_path / "mine.toml").write_text(wrong)
    with raises_code(code, kind="UsageError", **{field: text}):
        profile.read(tmp_path / "mine.toml")


@pytest.mark.parametrize(
    ("wrong", "field", "text"),
    [
        (GOOD.replace("accelerator", "acelerator"), "fix", "'accelerator'"),
        ('family = "pi"\n' + GOOD, "expected", "family of profile mine"),
        (GOOD.replace("usb3", "usb4"), "expected", "usb2, usb3, pcie"),
        (GOOD + LATENCY.replace('"there"', '"their"'), "fix", "'there'"),
        (GOOD_BUSES.replace('["there"]', '["their"]'), "fix", "'there'"),
        (GOOD + LATENCY.replace("MobileNet v2", "MobileNet v4"), "fix", "'MobileNet v"),
        (GOOD + LATENCY.replace("int8", "int4"), "fix", "'int8'"),
        (GOOD + LATENCY.replace("edgetpu", "gpu"), "expected", "cpu, edgetpu"),
    ],
)
def test_an_unknown_word_in_a_profile_is_refused(
    tmp_path: Path, wrong: str, field: str, text: str
) -> None:
    (tmp_path / "mine.toml").write_text(wrong)
    with raises_code("unknown-value", **{field: text}):
        profile.read(tmp_path / "mine.toml")
