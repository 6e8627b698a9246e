"""Frames sink: writes a JPEG per frame, with the result drawn on it."""

from pathlib import Path

from edge.errors import UsageError
from edge.files import output_errors, write_atomic
from edge.frame import Output
from edge.image import encode_jpeg
from edge.streaming.sink import StreamContext

_QUEUE_SIZE = 8
_QUALITY = 90


def open_frames(address: str, _: StreamContext) -> "FramesSink":
    """Open a folder, created if need be, for images named by the index of their frame.

    Raises:
        OutputError: The folder cannot be written.
    """
    if not address:
        raise UsageError("frames:DIR", "'frames:'", "use frames:images", code="missing-address")
    folder = Path(address)
    with output_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".edge-probe"
        probe.touch()
        probe.unlink()
    return FramesSink(folder)


class FramesSink:
    """Writes images into a folder."""

    wants_images, queue_size = True, _QUEUE_SIZE

    def __init__(self, folder: Path) -> None:
        self.name, self._folder = f"frames:{folder}", folder

    def write(self, output: Output) -> None:
        """Write the image of an output.

        Raises:
            OutputError: It cannot be written.
        """
        assert output.image is not None
        content = encode_jpeg(output.image, _QUALITY)
        write_atomic(self._folder / f"{output.index:06d}.jpg", content)

    def close(self) -> None:
        """Do nothing: every image is complete already."""
