"""Rehearsal of a command: its demo runs here, with its model, on one generated frame.

The demo itself judges whether the model is for its task, whether labels, classes and heads fit,
and what lines and zones mean, so that nothing is decided twice.
"""

import io
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

from boards.deploy.run_command import RunCommand, demo_context
from edge.errors import EdgeError, ModelError
from edge.task_kinds import TASKS

_ONE_FRAME: dict[str, Any] = {
    "sinks": ("none",), "frames": 1, "stats": None, "fps": None, "exposure": None,
    "loop": False, "realtime": False, "delegate": "cpu",
}  # fmt: skip
"""Options of a rehearsal: a frame without a camera and without an output."""

_STANDS_IN = {"mirror": "pose"}
"""Demo that needs files of the board → demo for the same models that does not."""

_WRONG_TASK = "model-wrong-task"
"""Code of errors that say that a model is for another task."""

_NOT_HERE = "missing-package"
"""Code of errors that only say that this machine lacks a package, which the board will get."""

_OUTSIDE_FRAME = "boundary-outside-frame"
"""Code of errors that say nothing unless ``--size`` tells how large the board's frames are."""


def rehearse(command: RunCommand, model: Path, say: Callable[[str], None]) -> None:
    """Run the command on one frame.

    Args:
        command: its own files are read from where they are on this machine.
        model: the model for the CPU, also where the board runs one for the Edge TPU.
        say: receives a sentence if the command cannot be tried on this machine.

    Raises:
        EdgeError: what the board would report.
    """
    try:
        _run(_rehearsed(command.typed), model)
    except EdgeError as error:
        if error.code == _WRONG_TASK:
            raise _for_another_demo(error, command.typed[1], model) from None
        if error.code != _NOT_HERE:
            raise
        say(f"the command was not tried before the deploy: {error}")


def _run(words: Sequence[str], model: Path) -> None:
    with demo_context(words, model) as context:
        size = context.params.get("size")
        source = f"synthetic:{size}" if size else "synthetic:"
        context.params.update(_ONE_FRAME, source=source, size=None)
        try:
            with redirect_stderr(io.StringIO()):
                context.command.invoke(context)
        except EdgeError as error:
            if error.code != _OUTSIDE_FRAME or size:
                raise


def _for_another_demo(error: EdgeError, name: str, model: Path) -> ModelError:
    """Return the error for a model that is not for this demo; its fix names one that runs it."""
    others = (other for other in TASKS if other not in (name, *_STANDS_IN))
    working = next((other for other in others if _works(other, model)), None)
    return ModelError(
        error.expected,
        error.found,
        f"use --run 'demo {working} …'" if working else "deploy a model for this demo",
        code=error.code,
        summary=f"'demo {name}' cannot run {model}: it is no model for this task",
    )


def _works(name: str, model: Path) -> bool:
    try:
        _run(("demo", name), model)
    except EdgeError:
        return False
    return True


def _rehearsed(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words; for ``mirror``, whose images are on the board, those of a demo without."""
    return ("demo", _STANDS_IN[words[1]]) if words[1] in _STANDS_IN else words
