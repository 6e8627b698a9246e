"""Null sink: discards the results, for measuring."""

from edge.errors import UsageError
from edge.frame import Output
from edge.streaming.sink import StreamContext


def open_null(address: str, _: StreamContext) -> "NullSink":
    """Open the sink ``none``."""
    if address:
        raise UsageError(
            "the sink none without an address",
            f"'none:{address}'",
            "use --sink none",
            code="unexpected-address",
        )
    return NullSink()


class NullSink:
    """A sink that discards its outputs."""

    name, wants_images, queue_size = "none", False, 8

    def write(self, output: Output) -> None:
        """Discard the output."""

    def close(self) -> None:
        """Do nothing: no resource is held."""
