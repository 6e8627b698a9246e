"""What visitors share, while the stream's thread goes on writing."""

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
    def _newest(self) -> Any:
        newest, *rest = self.coming
        self.coming = tuple(rest) or self.coming
        return newest

    @_newest.setter
    def _newest(self, _: Any) -> None:
        """It is told by ``coming``."""


def test_an_output_without_an_image_is_never_shown(
    stream: Any, output: Any, tmp_path: Path
) -> None:
    recorder = Recorder(tmp_path, 10, live=False, say=stream.said.append)
    hub = Racing(stream.context, Mock(), recorder)
    drawn = output(1)
    hub.coming = (drawn, drawn, replace(drawn, index=2, image=None))
    hub._wake()
    assert hub.shown is not None
    assert hub.shown.output.image is not None
