"""What stands in front of every page and every API call: no foreign host name, no foreign order, our headers.

A pure ASGI layer, outside everything else: streams pass unbuffered and errors get the headers too. Before
there is login, whoever reaches the listener is the operator, so a foreign web page in the operator's browser
must not reach it: not by a name of its own that resolves to us (DNS rebinding), not by a form.
"""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

READING = ("GET", "HEAD", "OPTIONS")
OWN_SITE = ("same-origin", "none")


class Guard:
    """An application behind the guard. `hosts` are the names (with port, where one is written) by which it
    may be called beside localhost: none while nobody has to log in."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        headers: Mapping[str, str],
        hosts: Callable[[], frozenset[str]] = frozenset,
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it. A HEAD is a GET whose body is not sent."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, self._headers, bodiless=scope["method"] == "HEAD")
        refused = _refused(scope["method"], Headers(scope=scope), self._hosts())
        if refused is not None:
            await answer.refuse(*refused)
        elif scope["method"] == "HEAD":
            await self._app({**scope, "method": "GET", "tapwatt.head": True}, receive, answer.send)
        else:
            await self._app(scope, receive, answer.send)


class _Answer:
    """One answer on its way out."""

    def __init__(self, send: Send, headers: list[tuple[bytes, bytes]], *, bodiless: bool) -> None:
        self._send = send
        self._headers = headers
        self._bodiless = bodiless
        self._ended = False

    async def send(self, message: Message) -> None:
        """Add our headers; leave the body out where none was asked for."""
        if message["type"] == "http.response.start":
            ours = {name for name, _ in self._headers}
            kept = [pair for pair in message.get("headers", ()) if pair[0].lower() not in ours]
            await self._send({**message, "headers": [*kept, *self._headers]})
        elif not self._bodiless:
            await self._send(message)
        elif not self._ended:
            self._ended = True
            await self._send({"type": "http.response.body", "body": b""})

    async def refuse(self, status: int, reason: str) -> None:
        """Answer in the application's place."""
        problem = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
        body = json.dumps({**problem, "detail": reason, "error": reason}).encode()
        headers = [
            (b"content-type", b"application/problem+json"),
            (b"content-length", str(len(body)).encode()),
        ]
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})


def _refused(method: str, headers: Headers, hosts: frozenset[str]) -> tuple[int, str] | None:
    host = headers.get("host", "").lower()
    if host not in hosts and not is_own_host(host):
        return 421, f"this console is at localhost, not at {host or 'no name at all'}"
    if method in READING or headers.get("authorization", "").lower().startswith("bearer "):
        # No browser shows a token of its own accord, as it does a cookie; no foreign page can make it.
        return None
    origin = headers.get("origin")
    site = headers.get("sec-fetch-site")
    own_origin = origin is None or urlsplit(origin).netloc.lower() in {host, *hosts}
    if not own_origin or (site is not None and site not in OWN_SITE):
        return 403, "orders are taken from our own pages only"
    return None


def is_own_host(host: str) -> bool:
    """Whether a Host header names this machine: `localhost` or a loopback address, with any port."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
