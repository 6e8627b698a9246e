"""What a board profile holds: the values of :mod:`boards.profile`, which is where to start.

``source`` says where the figures of a value are from, ``NAME_sources`` where the field ``NAME`` is.
"""

from dataclasses import dataclass

BUSES = ("usb2", "usb3", "pcie")
DELEGATES = ("cpu", "edgetpu")
DTYPES = ("int8", "float32")


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence, the command that mends it (empty: there is none) and where it is from."""

    text: str
    source: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Soc:
    """The processor: ``cores`` of the kind ``core`` at ``mhz``; 0 where that is not published."""

    name: str
    core: str
    cores: int
    source: str
    mhz: int = 0


@dataclass(frozen=True, slots=True)
class Memory:
    """Sizes in which the board is sold, in MiB, rising."""

    mib: tuple[int, ...]
    source: str


@dataclass(frozen=True, slots=True)
class OsSupport:
    """A release of an operating system.

    ``release``: VERSION_CODENAME of /etc/os-release. ``python``: that of the system, "3.11".
    ``supported``: whether edge-toolkit installs there. ``wheel``: the interpreter's wheel that fits
    ("cp311-manylinux_2_27_aarch64", empty: none); ``numpy``: what it must be beside a CSI camera
    (a requirement such as "numpy<2", empty: any).
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
    """What a model is made for and run with, our choice (``reason``).

    ``delegate``: "cpu" or "edgetpu". ``threads``: of the CPU; 0: one per core, at most 4.
    ``size``: side of the input of a classifier, in pixels; 0: what suits its weights.
    ``interpreter``: the distribution.
    """

    delegate: str
    threads: int
    size: int
    interpreter: str
    reason: str


@dataclass(frozen=True, slots=True)
class CameraSupport:
    """A kind of camera: its ``stack``, what ``--source`` takes, and Debian packages it needs."""

    kind: str
    stack: str
    uri: str
    source: str
    apt: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class ReferenceNetwork:
    """A network that latencies are published of: its multiply-adds in millions, and whose count."""

    multiply_adds: float
    source: str


@dataclass(frozen=True, slots=True)
class PublishedLatency:
    """The latency of a model, as somebody else published it.

    ``model``: a network of networks.toml. ``ms``: of one invoke. ``runs_on``: "cpu" or "edgetpu".
    ``threads``: 0 where the source does not say. ``bus``: of an accelerator, that it hung on.
    ``note``: what was not as with this toolkit, such as another library.
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

    ``buses``: those that it works on, the best first. ``usb_ids``: "vendor:product", those it has
    before its first use, then those after. ``devices``: files in /dev when it is ready.
    ``reason``: why models run on it.
    """

    name: str
    title: str
    buses: tuple[str, ...]
    reason: str
    tried: str
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
    """A board, with the accelerator that was named with it.

    ``architecture``: as ``uname -m`` says it. ``models``: beginnings of
    /proc/device-tree/model. ``buses``: what it has for accelerators; ``edgetpu``: the bus of the
    Edge TPU that is soldered on, empty: it has none. ``apt``: Debian packages that edge-toolkit
    needs there; ``udev``: lines of rules. ``constraints``: what must be obeyed; ``limits``: what to
    expect. ``tried``: how far this profile was tried, in words.
    """

    name: str
    title: str
    architecture: str
    run: RuntimeDefaults
    systems: tuple[OsSupport, ...]
    cameras: tuple[CameraSupport, ...]
    tried: str
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
