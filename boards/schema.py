"""Values of a board profile; :mod:`boards.profile` reads them from TOML.

``source`` is the address of the source of a value, ``NAME_sources`` those of the field ``NAME``.
"""

from dataclasses import asdict, dataclass
from typing import Any

BUSES = ("usb2", "usb3", "pcie")
DELEGATES = ("cpu", "edgetpu")
DTYPES = ("int8", "float32")


@dataclass(frozen=True, slots=True)
class Note:
    """A requirement or limitation, the command that fixes it (empty: none) and its source."""

    text: str
    source: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Soc:
    """The processor: ``cores`` of type ``core`` at ``mhz`` (MHz; 0: not published)."""

    name: str
    core: str
    cores: int
    source: str
    mhz: int = 0


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory sizes in which the board is sold, in MiB, ascending."""

    mib: tuple[int, ...]
    source: str


@dataclass(frozen=True, slots=True)
class OsSupport:
    """A release of an operating system.

    Attributes:
        name: full name.
        release: VERSION_CODENAME of /etc/os-release.
        python: version of the system's Python, such as "3.11".
        supported: True if edge-toolkit installs there.
        source: address of the source.
        wheel: matching wheel of the interpreter, such as "cp311-manylinux_2_27_aarch64"; empty:
            none.
        wheel_sources: sources of ``wheel``.
        numpy: requirement with a CSI camera, such as "numpy<2"; empty: any version.
        note: limitation of this release.
    """

    name: str
    release: str
    python: str
    supported: bool
    source: str
    wheel: str = ""
    wheel_sources: tuple[str, ...] = ()
    numpy: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class RuntimeDefaults:
    """Defaults for models on this board, chosen by this project (``reason``).

    Attributes:
        delegate: "cpu" or "edgetpu".
        threads: CPU threads; 0: one per core, at most 4.
        size: width and height of a classifier's input in pixels; 0: the size that suits its
            weights.
        interpreter: distribution of the TFLite interpreter.
        reason: reason for the choice.
    """

    delegate: str
    threads: int
    size: int
    interpreter: str
    reason: str


@dataclass(frozen=True, slots=True)
class CameraSupport:
    """A kind of camera: software ``stack``, value of ``--source`` and required Debian packages."""

    kind: str
    stack: str
    uri: str
    source: str
    apt: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class ReferenceNetwork:
    """A network with published latencies: its multiply-adds in millions, and their source."""

    multiply_adds: float
    source: str


@dataclass(frozen=True, slots=True)
class PublishedLatency:
    """A latency published by somebody else.

    Attributes:
        model: a network in networks.toml.
        dtype: "int8" or "float32".
        ms: time of one invocation, in milliseconds.
        runs_on: "cpu" or "edgetpu".
        source: address of the publication.
        threads: CPU threads; 0: not published.
        bus: bus of the accelerator.
        note: difference from this toolkit, such as another library.
    """

    model: str
    dtype: str
    ms: float
    runs_on: str
    source: str
    threads: int = 0
    bus: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Accelerator:
    """An Edge TPU that is plugged into a board.

    Attributes:
        name: name of the profile.
        title: full name.
        buses: supported buses, the fastest first.
        reason: reason to run models on it.
        tested: extent of the tests on the device, in words.
        apt: required Debian packages.
        usb_ids: "vendor:product" before the first use, then after it.
        devices: files in /dev when it is ready.
        udev: lines of udev rules.
        constraints: requirements.
        limits: known limitations.
        latencies: published latencies.
    """

    name: str
    title: str
    buses: tuple[str, ...]
    reason: str
    tested: str
    apt: tuple[str, ...] = ()
    usb_ids: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    udev: tuple[str, ...] = ()
    buses_sources: tuple[str, ...] = ()
    apt_sources: tuple[str, ...] = ()
    usb_ids_sources: tuple[str, ...] = ()
    devices_sources: tuple[str, ...] = ()
    udev_sources: tuple[str, ...] = ()
    constraints: tuple[Note, ...] = ()
    limits: tuple[Note, ...] = ()
    latencies: tuple[PublishedLatency, ...] = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """A board, with the accelerator that it was combined with.

    Attributes:
        name: name of the profile.
        title: full name.
        architecture: output of ``uname -m``.
        run: defaults for models.
        systems: releases of operating systems.
        cameras: supported kinds of cameras.
        tested: extent of the tests on the board, in words.
        models: prefixes of /proc/device-tree/model.
        buses: buses for accelerators.
        soc: the processor.
        memory: memory sizes.
        apt: Debian packages that edge-toolkit needs there.
        udev: lines of udev rules.
        devices: files in /dev.
        edgetpu: bus of an Edge TPU that is soldered on; empty: none.
        constraints: requirements.
        limits: known limitations.
        latencies: published latencies.
        accelerator: the accelerator that is plugged in.
    """

    name: str
    title: str
    architecture: str
    run: RuntimeDefaults
    systems: tuple[OsSupport, ...]
    cameras: tuple[CameraSupport, ...]
    tested: str
    models: tuple[str, ...] = ()
    buses: tuple[str, ...] = ()
    soc: Soc | None = None
    memory: Memory | None = None
    apt: tuple[str, ...] = ()
    udev: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    edgetpu: str = ""
    models_sources: tuple[str, ...] = ()
    buses_sources: tuple[str, ...] = ()
    apt_sources: tuple[str, ...] = ()
    udev_sources: tuple[str, ...] = ()
    devices_sources: tuple[str, ...] = ()
    edgetpu_sources: tuple[str, ...] = ()
    constraints: tuple[Note, ...] = ()
    limits: tuple[Note, ...] = ()
    latencies: tuple[PublishedLatency, ...] = ()
    accelerator: Accelerator | None = None


def to_dict(known: Profile | Accelerator) -> dict[str, Any]:
    """Return a profile as a JSON object; ``tested`` keeps its former key ``tried`` there."""
    return asdict(
        known,
        dict_factory=lambda items: {
            "tried" if key == "tested" else key: value for key, value in items
        },
    )
