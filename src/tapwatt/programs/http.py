"""The HTTP server of every program: uvicorn as a task in our loop, and a small JSON application for hosts.

uvicorn would take over the process's signals and wait for open event streams (stack.md, trap 3): its signal
capture is overridden here, and a stop waits two seconds at most.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Final

import h11
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from tapwatt.programs.health import Part, told
from tapwatt.programs.metrics import CONTENT_TYPE, Figures, own_figures, page
from tapwatt.programs.runtime import Runtime, listening_socket

STOP_WITHIN_S: Final = 2
REQUEST_WITHIN_S: Final = 10.0
MOST_BODY_BYTES: Final = 64 * 1024
MOST_CONNECTIONS: Final = 500

View = Callable[[Mapping[str, str]], Awaitable[object]]
"""Query parameters → what is shown as JSON. Raises BadQuery."""
Action = Callable[[dict[str, Any]], Awaitable[object]]
"""A JSON object sent to us → what is answered as JSON. Raises BadQuery."""
Health = Callable[[], Mapping[str, object]]
"""Facts that `/health` tells beside the status."""
Parts = Callable[[], list[Part]]


class BadQuery(ValueError):
    """The asker sent something that makes no sense; the sentence is shown to him with status 400."""


class _Patience(H11Protocol):
    """uvicorn waits for ever for the rest of a request; here a request has to be whole in time."""

    _limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody dialled: the time begins."""
        super().connection_made(transport)
        self._begin()

    def data_received(self, data: bytes) -> None:
        """A part of a request, or all of it: then the time is stopped."""
        self._begin()
        super().data_received(data)
        if self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._end()
        super().connection_lost(exc)

    def _begin(self) -> None:
        if self._limit is None:
            self._limit = self.loop.call_later(REQUEST_WITHIN_S, self.transport.close)

    def _end(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None


class _Server(uvicorn.Server):
    """uvicorn without its hands on our signals."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The runtime has the signals."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        self.up.set()


async def serve_http(
    runtime: Runtime, app: Any, port: int, *, name: str = "http", host: str | None = None
) -> int:
    """Serve an ASGI application until the program stops; returns the port, also noted for the ready line.
    `host` is for the one listener that may leave loopback.

    Raises UnableToStart when the port is taken.
    """
    if not runtime.serves_http:
        return port
    bound = listening_socket(host or runtime.settings.host, port, purpose=f"{runtime.name}'s {name}")
    config = uvicorn.Config(
        app,
        http=_Patience,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=STOP_WITHIN_S,
    )
    server = _Server(config)
    # Not a task of the runtime: those are cancelled at a stop, this one is asked to leave.
    task = asyncio.get_running_loop().create_task(server.serve(sockets=[bound]), name=f"{name} server")

    async def stop() -> None:
        server.should_exit = True
        await asyncio.gather(task, return_exceptions=True)
        bound.close()

    runtime.closing.push_async_callback(stop)
    await server.up.wait()
    taken = int(bound.getsockname()[1])
    runtime.listening(name, taken, host=host)
    return taken


def health_route(runtime: Runtime, health: Health | None = None, parts: Parts | None = None) -> Route:
    """`GET /health`: status, program, up_ms, which part is ill and why, and the facts of `health`; 503 when
    the program is down."""

    async def answer(_request: Request) -> Response:
        status, body = told(runtime, parts() if parts else [], health() if health else {})
        return JSONResponse(body, status_code=status)

    return Route("/health", answer)


def metrics_route(runtime: Runtime, figures: Figures | None = None) -> Route:
    """`GET /metrics`: what every program counts, and what `figures` adds."""

    async def answer(_request: Request) -> Response:
        found = await figures() if figures is not None else own_figures(runtime)
        return Response(page(found), media_type=CONTENT_TYPE)

    return Route("/metrics", answer)


def json_app(
    runtime: Runtime,
    *,
    health: Health | None = None,
    parts: Parts | None = None,
    figures: Figures | None = None,
    views: Mapping[str, View] | None = None,
    actions: Mapping[str, Action] | None = None,
) -> Starlette:
    """A host's HTTP side: `/health`, `/metrics`, views (GET path → JSON) and actions (POST path, JSON object
    → JSON)."""
    routes = [health_route(runtime, health, parts), metrics_route(runtime, figures)]
    routes += [Route(path, _viewing(view)) for path, view in (views or {}).items()]
    routes += [Route(path, _acting(act), methods=["POST"]) for path, act in (actions or {}).items()]
    return Starlette(routes=routes)


def _viewing(view: View) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return JSONResponse(await view(dict(request.query_params)))
        except BadQuery as error:
            return JSONResponse({"error": str(error)}, status_code=400)

    return answer


def _acting(action: Action) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return JSONResponse(await action(await _json_object(request)))
        except BadQuery as error:
            return JSONResponse({"error": str(error)}, status_code=400)

    return answer


async def _json_object(request: Request) -> dict[str, Any]:
    # A page in a browser can post a form to loopback, but not this content type without asking first.
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise BadQuery("send application/json")
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > MOST_BODY_BYTES:
                raise BadQuery(f"a body has at most {MOST_BODY_BYTES} bytes")
    except ClientDisconnect:
        raise BadQuery("the body did not come whole") from None
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise BadQuery("the body is no JSON") from None
    if not isinstance(value, dict):
        raise BadQuery("send a JSON object")
    return value
