"""The camera of the device that shows a page, which one visitor at a time may be."""

from edge.errors import OutputError, UsageError
from edge.sources.browser import BrowserCamera


class PageCamera:
    """Belongs to the first visitor that sends an image, until that one leaves.

    Used only in the event loop.

    Args:
        camera: Takes the images; None where the source is another one.
    """

    def __init__(self, camera: BrowserCamera | None) -> None:
        self._camera = camera
        self._sender: object | None = None

    def claim(self, sender: object) -> BrowserCamera:
        """Return what takes the images of a visitor.

        Raises:
            UsageError: The source is another one.
            OutputError: Another visitor is the camera.
        """
        if self._camera is None:
            raise UsageError(
                "no images from a page's camera",
                "one",
                "use --source browser",
                code="browser-camera-not-used",
                summary="the camera of the page is not used",
            )
        if self._sender is None:
            self._sender = sender
        if self._sender is not sender:
            raise OutputError(
                "one camera",
                "a second one",
                "close the other page",
                code="browser-camera-in-use",
                summary="another page's camera is in use",
            )
        return self._camera

    def release(self, sender: object) -> None:
        """Let another visitor be the camera if it was ``sender``."""
        if self._sender is sender:
            self._sender = None
