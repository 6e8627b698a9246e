"""What a task is: from a picture to a model's input, and from its output to a result."""

from typing import Any, Protocol, Self

from edge.frame import Frame, Picture
from edge.interpreter import Array, Runtime
from edge.results import Result


class Task(Protocol):
    """One model at work on the frames of a stream.

    ``name``: "classify", "detect", "track", …; ``runtime``: what runs the model; ``notes``:
    sentences for the user about what was assumed or fell back.
    """

    @property
    def name(self) -> str: ...

    @property
    def runtime(self) -> Runtime: ...

    @property
    def notes(self) -> tuple[str, ...]: ...

    def prepare(self, picture: Picture) -> tuple[Array, ...]:
        """The model's inputs of a picture, uint8 BGR [h, w, 3]; called from another thread."""

    def interpret(self, outputs: tuple[Array, ...], frame: Frame) -> Result:
        """The result in pixels of the frame. Called in the order of the frames; may remember."""

    def draw(self, picture: Picture, result: Any) -> None:
        """Draw one of its own results onto the picture, in place; called from another thread."""

    def on_cpu(self) -> Self:
        """The same task on the CPU, for when its delegate died.

        Raises:
            DelegateError: there is no such model for the CPU.
        """
