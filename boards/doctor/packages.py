"""The Python environment: interpreters of models and OpenCV, each tried in a process of its own."""

from collections.abc import Iterator

from boards.doctor.finding import Finding, fail, ok, warn
from boards.doctor.probes import NO_NUMPY
from boards.doctor.system import DIED, HostSystem
from boards.profile import Profile
from edge.installation import requirement

_PYTHONS = ((3, 11), (3, 14))
"""The first Python that the toolkit runs on, and the first that it does not."""

_APT_OF_OPENCV = {"libGL.so.1": "libgl1", "libgthread-2.0.so.0": "libglib2.0-0",
                  "libglib-2.0.so.0": "libglib2.0-0"}  # fmt: skip
"""Library that opencv-python needs from the system → its Debian package."""


def python(system: HostSystem, _: Profile) -> Iterator[Finding]:
    said = system.probe("python")
    if "trouble" in said:
        yield fail("Python", said["trouble"], f"{system.python} does not run.")
        return
    found = f"{said['version']}, {said['environment'] or 'no virtual environment'}"
    minor = tuple(map(int, said["version"].split(".")[:2]))
    first, after = _PYTHONS
    if first <= minor < after:
        yield ok("Python", found)
        return
    means = "The toolkit supports Python 3.11, 3.12 and 3.13."
    make = f"{system.pip('uv')} && uv venv --python 3.13 ~/edge"
    install = f"uv pip install --python ~/edge/bin/python {requirement()}"
    yield fail("Python", found, means, f"{make} && {install}")


def interpreter(system: HostSystem, _: Profile) -> Iterator[Finding]:
    """The one that ``edge`` takes, with its NumPy, by running a model."""
    said = system.probe("interpreter")
    if "trouble" not in said:
        yield ok("interpreter", f"{said['package']} with NumPy {said['numpy']} runs a model")
        return
    trouble = said["trouble"]
    if said.get("code") == "numpy-incompatible":
        means = "tflite-runtime is built for NumPy 1: it imports, but crashes on every model."
        yield fail("interpreter", trouble, means, system.pip("numpy<2"))
    elif trouble.startswith(NO_NUMPY):
        yield fail("interpreter", trouble, "No model can run.", _numpy_anew(system))
    elif trouble.startswith(DIED):
        means = "The interpreter crashes: its files are damaged or do not match each other."
        again = system.pip("ai-edge-litert").replace("install", "install --force-reinstall")
        yield fail("interpreter", trouble, means, again)
    else:
        yield fail("interpreter", trouble, "No model can run.", system.pip("ai-edge-litert>=2.1"))


def opencv(system: HostSystem, _: Profile) -> Iterator[Finding]:
    """That it imports and works, and that its distributions are of one version."""
    said = system.probe("opencv")
    distributions: dict[str, str] = said.get("distributions", {})
    if "trouble" in said:
        yield _broken_opencv(system, said["trouble"])
    else:
        yield ok("OpenCV", said["version"])
    if len(set(distributions.values())) > 1:
        found = " and ".join(f"{name} {version}" for name, version in distributions.items())
        newest = max(distributions.values(), key=_number)
        wanted = system.pip(*(f"{name}=={newest}" for name in distributions))
        yield warn(
            "OpenCV",
            found,
            "They install the same files, so a mixture of both runs. "
            "They must have the same version.",
            wanted.replace("install", "install --force-reinstall --no-deps"),
        )


def _broken_opencv(system: HostSystem, trouble: str) -> Finding:
    packages = {package for library, package in _APT_OF_OPENCV.items() if library in trouble}
    if packages:
        means = "opencv-python needs system libraries that are not part of a Lite image."
        return fail("OpenCV", trouble, means, "sudo apt-get install -y libgl1 libglib2.0-0")
    means = "No image can be read."
    if trouble.startswith(NO_NUMPY):
        return fail("OpenCV", trouble, means, _numpy_anew(system))
    if "No module named 'cv2'" in trouble:
        return fail("OpenCV", trouble, means, system.pip("opencv-python>=4.11,<5"))
    again = system.pip("opencv-python>=4.11,<5").replace("install", "install --force-reinstall")
    return fail("OpenCV", trouble, means, again)


def _numpy_anew(system: HostSystem) -> str:
    return system.pip("numpy").replace("install", "install --force-reinstall --no-deps")


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())
