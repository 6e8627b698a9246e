"""A JPEG per processed frame, with the result drawn on it."""

from pathlib import Path

from edge.errors import UsageError
from edge.files import output_errors, write_atomic
from edge.frame import Output
from edge.image import encode_jpeg
from edge.streaming.sink import StreamContext

_BACKLOG = 8
_QUALITY = 90


def open_frames(address: str, _: StreamContext) -> "FramesSink":
    """Images named by the number of their frame in a folder, which is made if need be.

    Raises:
        OutputError: the folder cannot be written.
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
    wants_images, queue_size = True, _BACKLOG

    def __init__(self, folder: Path) -> None:
        self.name, self._folder = f"frames:{folder}", folder

    def write(self, output: Output) -> None:
        assert output.image is not None
        content = encode_jpeg(output.image, _QUALITY)
        write_atomic(self._folder / f"{output.index:06d}.jpg", content)

    def close(self) -> None:
        """Every image is whole already."""
