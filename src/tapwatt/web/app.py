"""The web application of the platform: console, API, health, and the headers on all of them."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from tapwatt.core.effects import Effect
from tapwatt.core.session import Session
from tapwatt.engine import Engine
from tapwatt.pages.layout import HEADERS, static
from tapwatt.platform.sessions import Event
from tapwatt.store import Database
from tapwatt.web.api import api
from tapwatt.web.console import console
from tapwatt.web.desk import Desk

OWN_SITE = (None, "same-origin", "none")


def build_app(
    *,
    database: Database,
    engine: Engine[Session, Event, Effect],
    operator_id: str,
    now_ms: Callable[[], int],
    health: Callable[[], dict[str, object]],
) -> FastAPI:
    """The application for one operator's console. Each step of a session wakes the open pages."""
    desk = Desk(database=database, engine=engine, operator_id=operator_id, now_ms=now_ms)
    engine.subscribe(lambda step: desk.live.changed())
    app = FastAPI(
        title="Tapwatt", version="1", openapi_url="/api/v1/openapi.json", docs_url=None, redoc_url=None
    )
    app.include_router(api(desk))
    app.include_router(console(desk))

    @app.get("/health", include_in_schema=False)
    async def alive() -> dict[str, object]:
        return {"status": "ok", **health()}

    @app.get("/static/{name}", include_in_schema=False)
    async def asset(name: str) -> Response:
        found = static(name)
        if found is None:
            return Response("not found", status_code=404, media_type="text/plain")
        body, kind = found
        return Response(body, media_type=kind)

    @app.middleware("http")
    async def guard(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        refused = _foreign(request)
        response = refused if refused is not None else await go_on(request)
        for name, value in HEADERS.items():
            response.headers[name] = value
        return response

    return app


def _foreign(request: Request) -> Response | None:
    """Refuse an order that another site's page gives through the operator's browser."""
    if request.method in ("GET", "HEAD") or request.headers.get("sec-fetch-site") in OWN_SITE:
        return None
    return JSONResponse({"detail": "orders are taken from our own pages only"}, status_code=403)
