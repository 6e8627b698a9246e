"""What a service on a board cannot do, checked in the options of its command before a deploy.

The service has no screen, runs until it is stopped, and writes to its own folder only (see
:mod:`boards.deploy.systemd_unit`). Files of the board are not known here, but for those that the
release brings along.
"""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from edge import session, sinks, sources
from edge.errors import UsageError
from edge.sinks.web.address import parse_address

_FIRST_FREE_PORT = 1024
"""Ports below it need root privileges, which the service does not have."""


def check(options: Mapping[str, Any]) -> None:
    """Check the options of a demo, by name as click parses them.

    Raises:
        UsageError: the service could not work with one of them.
    """
    _check_source(options["source"])
    if options.get("frames") is not None:
        raise UsageError(
            "a command that runs until it is stopped",
            f"--frames {options['frames']}",
            "leave out --frames: the service would be restarted after the last one",
            code="run-command-ends",
        )
    for uri in options["sinks"]:
        _check_sink(uri)
    for words, path in _outputs(options):
        _check_output(words, path)
    outputs = list(session.output_files(options["sinks"]))
    session.check_output_paths(options["source"], outputs)
    index = options.get("index")
    if index is not None:
        _check_on_board("--index", index)


def _check_source(uri: str) -> None:
    scheme, address = sources.resolve(uri)
    kind = sources.SOURCES[scheme]
    if kind.needs_sink is not None:
        raise UsageError(
            "a source on the board",
            f"--source {uri}",
            "use a camera of the board: the deploy waits for its first frame",
            code="source-not-on-board",
        )
    if kind.reads_file:
        _check_on_board("--source", address)


def _check_on_board(option: str, path: str) -> None:
    """Check that a path of the board is absolute: relative ones are not those of this machine."""
    if not PurePosixPath(path).is_absolute():
        raise UsageError(
            f"{option} with the absolute path of a file or folder on the board",
            f"{option} {path}",
            f"copy it to the board, and write its path there: {option} /home/pi/{path}",
            code="source-not-on-board",
            summary=f"{option} {path} is on this machine, or in no known folder of the board",
        )


def _check_sink(uri: str) -> None:
    scheme, address = sinks.resolve(uri)
    if sinks.SINKS[scheme].needs_screen:
        raise UsageError(
            "a sink for a service, which has no screen",
            f"--sink {uri}",
            "use --sink web for a page with the image, or leave it out",
            code="sink-needs-screen",
        )
    if scheme == "web" and 0 < (port := parse_address(address).port) < _FIRST_FREE_PORT:
        raise UsageError(
            f"a port from {_FIRST_FREE_PORT}",
            f"--sink {uri}",
            "use a port such as 8080: the service runs without root privileges",
            code="port-not-permitted",
            summary=f"port {port} requires root privileges",
        )


def _outputs(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the option and the path of everything that the command writes."""
    yield from session.output_files(options["sinks"])
    if options.get("stats") is not None:
        yield f"--stats {options['stats']}", str(options["stats"])
    for uri in options["sinks"]:
        scheme, address = sinks.resolve(uri)
        if scheme == "web":
            yield f"--sink {uri}", str(parse_address(address).recordings)


def _check_output(words: str, path: str) -> None:
    place = PurePosixPath(path)
    outside = place.is_absolute() and not place.is_relative_to("/dev")
    if outside or ".." in place.parts:
        raise UsageError(
            "an output in the folder of the service",
            words,
            f"write {words.replace(path, place.name)}: it comes into the folder 'state' there",
            code="output-not-on-board",
            summary=f"the service cannot write to {path}: its own folder is all that it may change",
        )
