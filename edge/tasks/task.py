"""Protocol of tasks: from an image to a model's input, and from its output to a result."""

from typing import Any, Protocol, Self

from edge.frame import BgrImage, Frame
from edge.interpreter import Array, Engine
from edge.results import Result
from edge.tasks.settings import TaskSettings


class Task(Protocol):
    """A model that processes the frames of a stream."""

    @property
    def name(self) -> str:
        """Name of the task: "classify", "detect", "track", …."""

    @property
    def runtime(self) -> Engine:
        """Runtime of the model."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the user about what was assumed or fell back."""

    @property
    def prefetchable(self) -> bool:
        """True where a frame's inputs do not depend on the result before.

        Inputs are then prepared while the model runs.
        """

    def preprocess(self, frame: Frame) -> tuple[Array, ...]:
        """Return the model's inputs for a frame; called in another thread if ``prefetchable``."""

    def postprocess(self, outputs: tuple[Array, ...], frame: Frame) -> Result:
        """Return the result in pixels of the frame; called in order, and may keep state."""

    def draw(self, image: BgrImage, result: Any) -> BgrImage:
        """Draw a result of this task on its image, uint8 BGR; called in another thread.

        The image is changed in place, or another one is returned, always of the same size for
        frames of the same size.
        """

    def settings(self) -> TaskSettings:
        """Return the settings that may change while the task runs."""

    def with_settings(self, settings: TaskSettings) -> Self:
        """Return this task with other settings and the same state.

        Raises:
            UsageError: settings that it cannot have.
        """

    def fallback_to_cpu(self) -> Self:
        """Return this task on the CPU, for when its delegate fails.

        Raises:
            DelegateError: there is no such model for the CPU.
        """
