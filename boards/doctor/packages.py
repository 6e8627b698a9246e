"""The Python environment: TFLite interpreter and OpenCV, each tested in a separate process."""

from collections.abc import Iterator

from boards.doctor.finding import Finding, fail, ok, warn
from boards.doctor.probes import NO_NUMPY
from boards.doctor.system import DIED, HostSystem
from boards.profile import Profile
from edge.installation import requirement

_PYTHONS = ((3, 11), (3, 14))
"""First supported Python, and the first that is no longer supported."""

_APT_OF_OPENCV = {"libGL.so.1": "libgl1", "libgthread-2.0.so.0": "libglib2.0-0",
                  "libglib-2.0.so.0": "libglib2.0-0"}  # fmt: skip
"""System library that opencv-python needs → its Debian package."""


def python(system: HostSystem, _: Profile) -> Iterator[Finding]:
    """Check the version of Python."""
    answer = system.probe("python")
    if "problem" in answer:
        yield fail("Python", answer["problem"], f"{system.python} does not run.")
        return
    observed = f"{answer['version']}, {answer['environment'] or 'no virtual environment'}"
    minor = tuple(map(int, answer["version"].split(".")[:2]))
    first, after = _PYTHONS
    if first <= minor < after:
        yield ok("Python", observed)
        return
    explanation = "The toolkit supports Python 3.11, 3.12 and 3.13."
    create = f"{system.pip('uv')} && uv venv --python 3.13 ~/edge"
    install = f"uv pip install --python ~/edge/bin/python {requirement()}"
    yield fail("Python", observed, explanation, f"{create} && {install}")


def interpreter(system: HostSystem, _: Profile) -> Iterator[Finding]:
    """Check the TFLite interpreter and its NumPy by running a model."""
    answer = system.probe("interpreter")
    if "problem" not in answer:
        yield ok("interpreter", f"{answer['package']} with NumPy {answer['numpy']} runs a model")
        return
    problem = answer["problem"]
    if answer.get("code") == "numpy-incompatible":
        explanation = "tflite-runtime is built for NumPy 1: it imports, but crashes on every model."
        yield fail("interpreter", problem, explanation, system.pip("numpy<2"))
    elif problem.startswith(NO_NUMPY):
        yield fail("interpreter", problem, "No model can run.", _reinstall_numpy(system))
    elif problem.startswith(DIED):
        explanation = "The interpreter crashes: its files are damaged or do not match each other."
        again = system.pip("ai-edge-litert").replace("install", "install --force-reinstall")
        yield fail("interpreter", problem, explanation, again)
    else:
        yield fail("interpreter", problem, "No model can run.", system.pip("ai-edge-litert>=2.1"))


def opencv(system: HostSystem, _: Profile) -> Iterator[Finding]:
    """Check that OpenCV works and that its distributions have the same version."""
    answer = system.probe("opencv")
    distributions: dict[str, str] = answer.get("distributions", {})
    if "problem" in answer:
        yield _broken_opencv(system, answer["problem"])
    else:
        yield ok("OpenCV", answer["version"])
    if len(set(distributions.values())) > 1:
        observed = " and ".join(f"{name} {version}" for name, version in distributions.items())
        newest = max(distributions.values(), key=_number)
        install = system.pip(*(f"{name}=={newest}" for name in distributions))
        yield warn(
            "OpenCV",
            observed,
            "They install the same files, so a mixture of both runs. "
            "They must have the same version.",
            install.replace("install", "install --force-reinstall --no-deps"),
        )


def _broken_opencv(system: HostSystem, problem: str) -> Finding:
    packages = {package for library, package in _APT_OF_OPENCV.items() if library in problem}
    if packages:
        explanation = "opencv-python needs system libraries that are not part of a Lite image."
        return fail("OpenCV", problem, explanation, "sudo apt-get install -y libgl1 libglib2.0-0")
    explanation = "No image can be read."
    if problem.startswith(NO_NUMPY):
        return fail("OpenCV", problem, explanation, _reinstall_numpy(system))
    if "No module named 'cv2'" in problem:
        return fail("OpenCV", problem, explanation, system.pip("opencv-python>=4.11,<5"))
    again = system.pip("opencv-python>=4.11,<5").replace("install", "install --force-reinstall")
    return fail("OpenCV", problem, explanation, again)


def _reinstall_numpy(system: HostSystem) -> str:
    return system.pip("numpy").replace("install", "install --force-reinstall --no-deps")


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())
