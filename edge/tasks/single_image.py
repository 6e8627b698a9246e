"""Prediction for one image, which all tasks share."""

from pathlib import Path
from typing import Protocol, TypeVar

from edge.frame import BgrImage, Frame
from edge.image import as_image
from edge.interpreter import Array, Engine

ResultT = TypeVar("ResultT")
ResultT_co = TypeVar("ResultT_co", covariant=True)


class _ImageTask(Protocol[ResultT_co]):
    """The part of a task that :class:`SingleImage` needs."""

    @property
    def runtime(self) -> Engine: ...

    def preprocess(self, frame: Frame) -> tuple[Array, ...]: ...

    def postprocess(self, outputs: tuple[Array, ...], frame: Frame) -> ResultT_co: ...


class SingleImage:
    """Mixin for tasks: predicts the result for one image."""

    __slots__ = ()

    def predict(self: _ImageTask[ResultT], image: BgrImage | str | Path) -> ResultT:
        """Run the model on one image.

        Args:
            image: uint8 [height, width, 3] in BGR order, as OpenCV reads it, or the path of a
                JPEG, PNG, BMP or WebP file.

        Returns:
            The result, in pixels of the image where it has coordinates.

        Raises:
            ImageError: the file cannot be read, or the array is no such image.
            ModelError: the model fails.
        """
        name = "image" if not isinstance(image, str | Path) else str(image)
        # A frame with a name is independent of the one before: nothing is averaged over time.
        frame = Frame(0, 0.0, as_image(image), name)
        return self.postprocess(self.runtime.invoke(*self.preprocess(frame)), frame)
