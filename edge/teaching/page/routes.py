"""Routes of the page: its files, images of the classes, and image files that are dropped on it."""

import asyncio
import time
from collections.abc import Sequence, Sized
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from edge.errors import EdgeError, ImageError
from edge.image import decode_bgr, downscale, encode_jpeg, read_content
from edge.quantities import size
from edge.sinks.web.connections import ConnectionLimits, Connections
from edge.sinks.web.server import STATIC as SHARED
from edge.sinks.web.server import PageFiles
from edge.sources.browser import BrowserCamera
from edge.system_files import is_system_name
from edge.teaching.page.hub import TeachingHub
from edge.teaching.page.inbox import Inbox
from edge.teaching.page.visitor import VisitorEndpoint

_STATIC = Path(__file__).parent / "static"

_MAX_FILE_BYTES = 64_000_000
"""Size of an image file that is dropped on the page."""

_UPLOAD_TIMEOUT_S = 120.0
_SIDES = {"thumbnail": 160, "large": 1280}
"""Size of an image on the page → its longer side in pixels."""

_FOREVER = "private, max-age=31536000, immutable"
"""An image's address has its version in it."""


class TeachingPage:
    """The page of ``edge teach``; a :class:`edge.sinks.web.server.ServedPage`.

    Args:
        hub: Passes on what visitors see.
        inbox: Takes what they ask for.
        root: Folder of the images.
        camera: Takes the images of the page's camera; None where the source is another one.
        limits: Of connections.
    """

    streams: frozenset[str] = frozenset()

    def __init__(
        self,
        hub: TeachingHub,
        inbox: Inbox,
        root: Path,
        camera: BrowserCamera | None,
        limits: ConnectionLimits,
    ) -> None:
        self._hub, self._inbox, self._root = hub, inbox, root
        self._socket = VisitorEndpoint(hub, inbox, camera, limits.send_timeout_s)
        self.run, self.end = hub.run, hub.end

    @property
    def clients(self) -> Sized:
        """The visitors that have the page open."""
        return self._hub.clients

    def routes(self, _: Connections) -> Sequence[BaseRoute]:
        """Return the routes of the page."""
        return [
            Route("/", self._page),
            Route("/api/state", self._state),
            Route("/api/images", self._images),
            Route("/api/images", self._upload, methods=["POST"]),
            Route("/api/image", self._image),
            WebSocketRoute("/ws", self._socket),
            Mount("/teach", PageFiles(directory=_STATIC)),
            Mount("/static", PageFiles(directory=SHARED)),
        ]

    async def _page(self, _: Request) -> Response:
        return FileResponse(_STATIC / "index.html")

    async def _state(self, _: Request) -> Response:
        view = self._hub.view
        return JSONResponse({} if view is None else {**view.rest, "cards": view.cards})

    async def _images(self, request: Request) -> Response:
        """List all images of a class."""
        label = request.query_params.get("label", "")
        waiting = self._inbox.submit(lambda session: session.images(label))
        try:
            return JSONResponse(await asyncio.wrap_future(waiting))
        except EdgeError as error:
            return _refused(error, 404)

    async def _image(self, request: Request) -> Response:
        """Return an image of a class as a JPEG of one of two sizes."""
        label, name = (request.query_params.get(key, "") for key in ("label", "name"))
        side = _SIDES.get(request.query_params.get("size", ""), _SIDES["large"])
        for part in (label, name):
            if not part or "/" in part or "\0" in part or is_system_name(part):
                raise HTTPException(404, "no such image")
        try:
            jpeg = await asyncio.to_thread(_scaled, self._root / label / name, side)
        except ImageError:
            raise HTTPException(404, "no such image") from None
        return Response(jpeg, media_type="image/jpeg", headers={"cache-control": _FOREVER})

    async def _upload(self, request: Request) -> Response:
        """Add an image file to a class."""
        label, name = (request.query_params.get(key, "") for key in ("label", "name"))
        try:
            async with asyncio.timeout(_UPLOAD_TIMEOUT_S):
                content = await _body(request, name)
            waiting = self._inbox.submit(
                lambda session: session.add_file(content, name, label, time.monotonic())
            )
            return JSONResponse({"name": await asyncio.wrap_future(waiting)})
        except EdgeError as error:
            return _refused(error, 422)
        except (TimeoutError, ClientDisconnect):
            raise HTTPException(408, f"{name} did not arrive in time") from None


async def _body(request: Request, name: str) -> bytes:
    """Read a file that is sent.

    Raises:
        ImageError: it is too large.
    """
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > _MAX_FILE_BYTES:
            raise ImageError(
                f"an image of at most {size(_MAX_FILE_BYTES)}",
                f"{name}, which is larger",
                "make it smaller",
                code="image-too-large",
            )
    return bytes(content)


def _scaled(path: Path, side: int) -> bytes:
    image = decode_bgr(read_content(path), str(path), (side // 2, side // 2))
    return encode_jpeg(downscale(image, side), 85)


def _refused(error: EdgeError, status: int) -> Response:
    return JSONResponse({"code": error.code, "message": str(error)}, status)
