"""Edge TPU probe: try a model on the Edge TPU in a separate process.

libedgetpu can crash or hang the process that loads it (Google's build of 2021 does with newer
interpreters), so each interpreter is tried in a subprocess with a time limit. The subprocess runs
this file; it imports nothing else of the toolkit.
"""

import json
import signal
import subprocess
import sys
from importlib import import_module
from typing import Any

LIBRARIES = {"linux": "libedgetpu.so.1", "darwin": "libedgetpu.1.dylib", "win32": "edgetpu.dll"}
TIMEOUT_S = 30.0  # a USB accelerator takes a few to get its firmware

NO_LIBRARY = "libedgetpu is not installed"
NO_DEVICE = "libedgetpu is installed, but no Edge TPU responds (plugged in? in group plugdev?)"
CRASHED = "libedgetpu crashed"
NOT_LOADABLE = "libedgetpu cannot be loaded"
SAME_FOR_ALL = (NO_LIBRARY,)
"""Reasons that no other interpreter can change."""


def library() -> str:
    """Return the file name of libedgetpu on this system."""
    return LIBRARIES.get(sys.platform, LIBRARIES["linux"])


def try_edgetpu(module: str, model: bytes, timeout: float = TIMEOUT_S) -> str | None:
    """Invoke ``model`` once on the Edge TPU with the interpreter of ``module``, in a subprocess.

    Returns:
        None if that worked, else the reason in plain words.
    """
    command = [sys.executable, "-P", __file__, module, library()]
    try:
        done = subprocess.run(
            command, input=model, capture_output=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        return f"the Edge TPU did not respond within {timeout:g} seconds"
    if done.returncode < 0:
        died = signal.Signals(-done.returncode).name
        return (
            f"{CRASHED} ({died}): it is too old for this interpreter, "
            "install a current build (github.com/feranick/libedgetpu)"
        )
    try:
        answer = json.loads(done.stdout.decode().splitlines()[-1])
    except (ValueError, IndexError):
        return f"the trial run failed ({_last_line(done.stderr)})"
    return None if answer["ok"] else str(answer["reason"])


def _last_line(output: bytes) -> str:
    lines = output.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "no output"


def _attempt(module_name: str, library_name: str, model: bytes) -> str | None:
    """Load the delegate, allocate and invoke; return the reason of a failure."""
    try:
        module: Any = import_module(module_name)
    except Exception as error:  # of any kind: the interpreter is not usable
        return f"it cannot be imported ({error})"
    try:
        delegate = module.load_delegate(library_name)
    except OSError as error:
        missing = library_name in str(error) and "No such file" in str(error)
        return NO_LIBRARY if missing else f"{NOT_LOADABLE} ({error})"
    except ValueError as error:
        detail = str(error).partition(library_name)[2].strip()
        return f"libedgetpu failed: {detail}" if detail else NO_DEVICE
    try:
        interpreter = module.Interpreter(model_content=model, experimental_delegates=[delegate])
        interpreter.allocate_tensors()
        interpreter.invoke()
    except Exception as error:
        return f"the model failed to run on the Edge TPU ({' '.join(str(error).split())})"
    return None


def _main() -> None:
    reason = _attempt(sys.argv[1], sys.argv[2], sys.stdin.buffer.read())
    print(json.dumps({"ok": reason is None, "reason": reason}))


if __name__ == "__main__":
    _main()
