"""What a task is: from an image to a model's input, and from its output to a result."""

from typing import Any, Protocol, Self

from edge.frame import BgrImage, Frame
from edge.interpreter import Array, Engine
from edge.results import Result
from edge.tasks.settings import TaskSettings


class Task(Protocol):
    """One model at work on the frames of a stream.

    ``name``: "classify", "detect", "track", …; ``runtime``: what runs the model; ``notes``:
    sentences for the user about what was assumed or fell back. ``prefetchable``: a frame's inputs do not
    depend on what was found in the one before, so that they are prepared while the model is busy.
    """

    @property
    def name(self) -> str: ...

    @property
    def runtime(self) -> Engine: ...

    @property
    def notes(self) -> tuple[str, ...]: ...

    @property
    def prefetchable(self) -> bool: ...

    def preprocess(self, frame: Frame) -> tuple[Array, ...]:
        """The model's inputs of a frame; called from another thread where ``prefetchable``."""

    def postprocess(self, outputs: tuple[Array, ...], frame: Frame) -> Result:
        """The result in pixels of the frame. Called in the order of the frames; may remember."""

    def draw(self, image: BgrImage, result: Any) -> BgrImage:
        """The image with one of its own results drawn on it; called from another thread.

        It may be drawn on in place, or another comes back, of one size for frames of one size.
        """

    def settings(self) -> TaskSettings:
        """What may be changed while it runs, as it is now."""

    def with_settings(self, settings: TaskSettings) -> Self:
        """The same task with other settings; it remembers what this one does.

        Raises:
            UsageError: settings that it cannot have.
        """

    def fallback_to_cpu(self) -> Self:
        """The same task on the CPU, for when its delegate died.

        Raises:
            DelegateError: there is no such model for the CPU.
        """
