"""Access control: ASGI middleware that checks requests and adds security headers.

Reference: https://asgi.readthedocs.io.
"""

import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' blob:; media-src 'self' blob:; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}

_SAFE_METHODS = ("GET", "HEAD")
"""Methods that change nothing, so that it does not matter which page asks."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class AccessMiddleware:
    """Passes permitted requests on, and answers others with one line.

    Args:
        app: The protected application.
        hosts: Permitted names in the Host header, against DNS rebinding; None for any, where a
            token keeps others out.
        token: Required of a client; None where only this machine can connect.
        cookie: Name of the cookie that holds the token.
    """

    def __init__(
        self, app: App, hosts: frozenset[str] | None, token: str | None, cookie: str
    ) -> None:
        self._app, self._hosts, self._token, self._cookie = app, hosts, token, cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a connection as an ASGI application."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1")
                   for name, value in scope["headers"]}  # fmt: skip
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[-1]
        refusal = self._refusal(scope, headers, given)
        if refusal is not None:
            await _refuse(scope, send, *refusal)
        elif self._token is not None and given and scope["path"] == "/":
            cookie = f"{self._cookie}={self._token}; HttpOnly; SameSite=Strict; Path=/"
            extra = [(b"location", b"/"), (b"set-cookie", cookie.encode())]
            await _answer(send, 303, "see /", extra)
        else:
            await self._app(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope, headers: dict[str, str], given: str) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if self._hosts is not None and _host_name(host) not in self._hosts:
            return 403, f"unknown host '{host}': open this page as localhost"
        origin = headers.get("origin")
        if (
            (scope["type"] == "websocket" or scope["method"] not in _SAFE_METHODS)
            and origin is not None
            and _origin_host(origin) != host.lower()
        ):
            return 403, f"connections from other pages are not allowed ({origin})"
        if self._token is not None and not self._is_authorized(headers.get("cookie", ""), given):
            problem = "wrong token" if given else "no token"
            return 401, f"{problem}: open the full address that the program printed"
        return None

    def _is_authorized(self, cookies: str, given: str) -> bool:
        assert self._token is not None
        token = given or _cookie_value(cookies, self._cookie)
        return secrets.compare_digest(token.encode(), self._token.encode())


def loopback_hosts(bound: str) -> frozenset[str]:
    """Return the names by which this machine reaches itself."""
    return _LOOPBACK | {bound}


def _host_name(host: str) -> str:
    """Return the name in a Host header, without its port: behind a tunnel that differs."""
    return re.sub(r":\d*$", "", host.lower()).strip("[]")


def _origin_host(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _cookie_value(header: str, name: str) -> str:
    try:
        cookie = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return cookie.value if cookie is not None else ""


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = {name for name, _ in message["headers"]}
            for name, value in (*_HEADERS.items(), ("cache-control", "no-store")):
                if name.encode() not in present:
                    message["headers"].append((name.encode(), value.encode()))
        await send(message)

    return send_with_headers


async def _refuse(scope: Scope, send: Send, status: int, line: str) -> None:
    if scope["type"] == "http":
        await _answer(send, status, line, [])
    elif "websocket.http.response" in scope.get("extensions", {}):
        await _answer(send, status, line, [], kind="websocket.http.response")
    else:
        await send({"type": "websocket.close", "code": 1008, "reason": line[:120]})


async def _answer(
    send: Send, status: int, line: str, extra: list[tuple[bytes, bytes]],
    kind: str = "http.response",
) -> None:  # fmt: skip
    body = f"{line}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"),
               (b"content-length", str(len(body)).encode()), (b"connection", b"close"),
               *extra]  # fmt: skip
    send_message = _with_headers(send) if kind == "http.response" else send
    await send_message({"type": f"{kind}.start", "status": status, "headers": headers})
    await send_message({"type": f"{kind}.body", "body": body})
