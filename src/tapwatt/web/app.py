"""The web application of the platform: console, API and health, behind the guard."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope
from starlette.types import Send as Sending

from tapwatt.core.effects import Effect
from tapwatt.core.payment import UnableToDecide
from tapwatt.core.receipt import UnableToCredit
from tapwatt.core.session import Session
from tapwatt.engine import Engine
from tapwatt.ocpi.tariffs import UnableToReadTariff
from tapwatt.pages.guard import Guard
from tapwatt.pages.layout import HEADERS, static
from tapwatt.pages.reader import COOKIE, READER, reader_of
from tapwatt.platform import tariff_views
from tapwatt.platform.places import Terms
from tapwatt.platform.sessions import Event
from tapwatt.platform.station_commands import Send, StationCommands
from tapwatt.platform.tariffs import Findings, NoSuchTariff, UnableToChangeTariff
from tapwatt.store import Database, UnableToQueue, UnableToStore
from tapwatt.web.api import api
from tapwatt.web.chart.hosts import HostTraces
from tapwatt.web.console import Console
from tapwatt.web.day import Day
from tapwatt.web.day_api import day_api
from tapwatt.web.desk import Desk
from tapwatt.web.driver import DriverPages
from tapwatt.web.meter_api import MeterDesk, meter_api
from tapwatt.web.receipt_api import receipt_api
from tapwatt.web.station_api import station_api
from tapwatt.web.tariff_api import tariff_api
from tapwatt.web.tariff_desk import TariffDesk

FOR_MACHINES = ("/api/", "/live/", "/static/", "/health", "/metrics")
FOR_DRIVERS = "/d/"
FOR_NOBODY = ("/api/", "/static/", "/health")
"""What is the same in every language."""
DESCRIPTION = (
    "What the console shows, as JSON. Times are epoch milliseconds (`_ms`), money is in minor units of its "
    "currency (`_minor`), energy in watt-hours (`_wh`). Whatever goes wrong is answered with `error`, a "
    "sentence."
)


class WebSide(Guard):
    """The application for one operator's console. Each step of a session wakes the open pages."""

    def __init__(self, app: FastAPI, desk: Desk, day: Day) -> None:
        super().__init__(app, headers=HEADERS)
        self.app = app
        self._desk = desk
        self._day = day

    async def __call__(self, scope: Scope, receive: Receive, send: Sending) -> None:
        """Answer in the reader's language, by the operator's clock."""
        if scope["type"] == "http" and not scope["path"].startswith(FOR_NOBODY):
            request = Request(scope)
            READER.set(
                reader_of(
                    request.headers.get("accept-language", ""),
                    request.cookies.get(COOKIE),
                    time_zone=(await self._day.operator())["time_zone"],
                )
            )
        await super().__call__(scope, receive, send)

    def close(self) -> None:
        """End the open event streams, so that a stop of the program need not wait for them."""
        self._desk.live.close()


def build_app(
    *,
    database: Database,
    engine: Engine[Session, Event, Effect],
    operator_id: str,
    now_ms: Callable[[], int],
    chance: Callable[[int], bytes],
    public_url: Callable[[], str],
    health: Callable[[], dict[str, object]],
    metrics: Callable[[], Awaitable[str]] | None = None,
    send: Send | None = None,
    hosts: HostTraces | None = None,
    terms: Terms | None = None,
    links: tuple[tuple[str, str], ...] = (),
) -> WebSide:
    """Join the parts into an ASGI application. Call its `close` before the HTTP server is stopped. `chance`
    gives so many random bytes, links begin with `public_url`, `send` brings a command to a station, `hosts`
    says where the rails' traces are read, `terms` are what sessions are offered with, `links` stand in the
    header of the console."""
    stations = send and StationCommands(database=database, operator_id=operator_id, send=send, now_ms=now_ms)
    desk = Desk(
        database=database,
        engine=engine,
        operator_id=operator_id,
        now_ms=now_ms,
        chance=chance,
        public_url=public_url,
        stations=stations,
        hosts=hosts or HostTraces({}),
        links=links,
    )
    engine.subscribe(lambda step: desk.live.changed())
    tariffs = TariffDesk(database=database, operator_id=operator_id, now_ms=now_ms, terms=terms)
    day = Day(database=database, operator_id=operator_id, now_ms=now_ms, chance=chance)
    console, drivers = Console(desk, tariffs, day), DriverPages(desk)
    app = FastAPI(
        title="Tapwatt",
        version="1",
        description=DESCRIPTION,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.include_router(api(desk))
    app.include_router(day_api(day))
    app.include_router(station_api(desk))
    app.include_router(tariff_api(tariffs))
    app.include_router(receipt_api(desk))
    app.include_router(meter_api(MeterDesk(database=database, operator_id=operator_id, now_ms=now_ms)))
    app.include_router(drivers.router())
    app.include_router(console.router())

    _add_for_machines(app, health, metrics)
    _explain_errors(app, console, drivers)
    return WebSide(app, desk, day)


def _add_for_machines(
    app: FastAPI, health: Callable[[], dict[str, object]], metrics: Callable[[], Awaitable[str]] | None
) -> None:
    """What no person reads: health, figures, and the files of pages."""

    @app.get("/health", include_in_schema=False)
    async def alive() -> Response:
        body = {"status": "ok", **health()}
        return JSONResponse(body, status_code=503 if body["status"] == "down" else 200)

    if metrics is not None:
        app.add_api_route("/metrics", _scraped(metrics), methods=["GET"], include_in_schema=False)

    @app.get("/static/{name}", include_in_schema=False)
    async def asset(name: str) -> Response:
        found = static(name)
        if found is None:
            raise HTTPException(404, f"there is no file {name}")
        body, kind = found
        return Response(body, media_type=kind)


def _scraped(metrics: Callable[[], Awaitable[str]]) -> Callable[[], Awaitable[Response]]:
    async def answer() -> Response:
        return Response(await metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return answer


def _explain_errors(app: FastAPI, console: Console, drivers: DriverPages) -> None:
    """Programs get a JSON object with the reason, operators a page with the same sentence, drivers a few
    words."""

    def answer(request: Request, status: int, reason: str, headers: Any = None) -> Response:
        if request.url.path.startswith(FOR_DRIVERS):
            return drivers.sorry(status, headers)
        if request.url.path.startswith(FOR_MACHINES):
            return JSONResponse({"error": reason}, status_code=status, headers=headers)
        return console.sorry(status, reason, headers)

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        reason = {
            (404, "Not Found"): f"there is no {request.url.path}",
            (405, "Method Not Allowed"): f"{request.method} is not taken at {request.url.path}",
        }.get((error.status_code, error.detail), error.detail)
        return answer(request, error.status_code, reason, error.headers)

    @app.exception_handler(RequestValidationError)
    async def senseless(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        reason = first["msg"].replace("Input should", "should", 1)
        return answer(request, 422, f"{first['loc'][-1]} {reason}")

    @app.exception_handler(UnableToDecide)
    @app.exception_handler(UnableToCredit)
    async def impossible(request: Request, error: Exception) -> Response:
        return answer(request, 409, str(error))

    @app.exception_handler(UnableToReadTariff)
    async def no_tariff(request: Request, error: UnableToReadTariff) -> Response:
        return answer(request, 422, str(error))

    @app.exception_handler(UnableToChangeTariff)
    async def not_with_this_tariff(request: Request, error: UnableToChangeTariff) -> Response:
        status = 404 if isinstance(error, NoSuchTariff) else 409
        if isinstance(error, Findings) and request.url.path.startswith(FOR_MACHINES):
            found = tariff_views.findings(error.found)
            return JSONResponse({"error": str(error), "findings": found}, status_code=status)
        return answer(request, status, str(error))

    @app.exception_handler(UnableToStore)
    @app.exception_handler(UnableToQueue)
    async def unstored(request: Request, error: Exception) -> Response:
        return answer(request, 503, str(error), {"Retry-After": "5"})

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> Response:
        return answer(request, 500, "something broke here; the program's log has it")
