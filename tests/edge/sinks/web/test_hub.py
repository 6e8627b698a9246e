"""The state that clients share, while the stream's thread goes on writing."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

from edge.sinks.web.hub import Hub
from edge.sinks.web.recording import Recorder


class Racing(Hub):
    """Whenever the newest output was read, the stream publishes the next of ``coming``."""

    coming: tuple[Any, ...] = ()

    @property
    def _published(self) -> Any:
        newest, *rest = self.coming
        self.coming = tuple(rest) or self.coming
        return newest

    @_published.setter
    def _published(self, _: Any) -> None:
        """Ignore it: ``coming`` has the values."""


def test_an_output_without_an_image_is_never_sent(stream: Any, output: Any, tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, 10, live=False, say=stream.notes.append)
    hub = Racing(stream.context, Mock(), recorder)
    drawn = output(1)
    hub.coming = (drawn, drawn, replace(drawn, index=2, image=None))
    hub._wake()
    assert hub.newest is not None
    assert hub.newest.output.image is not None
