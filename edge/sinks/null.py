"""No sink: results are thrown away, for measuring."""

from edge.errors import UsageError
from edge.frame import Output
from edge.streaming.sink import StreamContext


def open_null(address: str, _: StreamContext) -> "NullSink":
    """The sink ``none``."""
    if address:
        raise UsageError(
            "the sink none without an address",
            f"'none:{address}'",
            "use --sink none",
            code="unexpected-address",
        )
    return NullSink()


class NullSink:
    name, wants_images, queue_size = "none", False, 8

    def write(self, output: Output) -> None:
        """Done."""

    def close(self) -> None:
        """Nothing is kept open."""
