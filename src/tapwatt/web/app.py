"""The web application of the platform: console, API and health, behind the guard."""

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope
from starlette.types import Send as Sending

from tapwatt.core.effects import Effect
from tapwatt.core.payment import UnableToDecide
from tapwatt.core.receipt import UnableToCredit
from tapwatt.core.session import Session
from tapwatt.engine import Engine
from tapwatt.ocpi.tariffs import UnableToReadTariff
from tapwatt.pages.guard import READING, Guard
from tapwatt.pages.layout import HEADERS, static
from tapwatt.pages.reader import COOKIE, READER, reader_of
from tapwatt.platform import tariff_views
from tapwatt.platform.approvals import NoSuchApproval, NotTheirs, UnableToApprove
from tapwatt.platform.places import Terms
from tapwatt.platform.sessions import Event
from tapwatt.platform.station_commands import Send, StationCommands
from tapwatt.platform.tariffs import Findings, NoSuchTariff, UnableToChangeTariff
from tapwatt.store import Database, UnableToQueue, UnableToStore
from tapwatt.web.api import api
from tapwatt.web.approval_api import approval_api
from tapwatt.web.chart.hosts import HostTraces
from tapwatt.web.console import Console
from tapwatt.web.day import Day
from tapwatt.web.day_api import day_api
from tapwatt.web.desk import Desk
from tapwatt.web.doors import Doors
from tapwatt.web.driver import DriverPages
from tapwatt.web.gate import FOR_MACHINES, Gate, LoginNeeded, TokenLookup
from tapwatt.web.meter_api import MeterDesk, meter_api
from tapwatt.web.orders import Orders, Waits, written_down
from tapwatt.web.receipt_api import receipt_api
from tapwatt.web.station_api import station_api
from tapwatt.web.tariff_api import tariff_api
from tapwatt.web.tariff_desk import TariffDesk

FOR_DRIVERS = "/d/"
STRICT_TRANSPORT = {"Strict-Transport-Security": "max-age=31536000"}
"""Said where the public address is https: a browser that heard it comes by https alone (RFC 6797)."""
REFUSED_FROM = 400
FOUR_EYES_MINOR = 10_000
"""Above this an order of money waits for a second person, if no setting says otherwise."""
FOR_NOBODY = ("/api/", "/static/", "/health", FOR_DRIVERS)
"""What is the same in every language, or has its own."""
DESCRIPTION = (
    "What the console shows, as JSON. Times are epoch milliseconds (`_ms`), money is in minor units of its "
    "currency (`_minor`), energy in watt-hours (`_wh`). Whatever goes wrong is answered with `error`, a "
    "sentence."
)


class WebSide(Guard):
    """The application for one operator's console. Each step of a session wakes the open pages."""

    def __init__(self, app: FastAPI, desk: Desk, day: Day, gate: Gate) -> None:
        strict = STRICT_TRANSPORT if gate.secure else {}
        super().__init__(app, headers={**HEADERS, **strict}, hosts=self._public_hosts)
        self.app = app
        self._desk = desk
        self._day = day
        self._gate = gate

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
        if scope["type"] != "http" or scope["method"] in READING:
            await super().__call__(scope, receive, send)
            return
        status = 0

        async def seen(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        await super().__call__(scope, receive, seen)
        if status >= REFUSED_FROM:
            await self._gate.refused(Request(scope), status)

    def _public_hosts(self) -> frozenset[str]:
        """The public name, once nobody gets in without a login."""
        public = urlsplit(self._desk.public_url()).netloc.lower()
        return frozenset({public}) if public and self._gate.closed else frozenset()

    async def look(self) -> bool:
        """Find out whether the house is closed: whether there is an administrator."""
        return await self._gate.look()

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
    four_eyes_minor: int = FOUR_EYES_MINOR,
    who_of_token: TokenLookup | None = None,
) -> WebSide:
    """Join the parts into an ASGI application. Call its `close` before the HTTP server is stopped. `chance`
    gives so many random bytes, links begin with `public_url`, `send` brings a command to a station, `hosts`
    says where the rails' traces are read, `terms` are what sessions are offered with, `links` stand in the
    header of the console, orders of money above `four_eyes_minor` need two,
    `who_of_token` finds the person behind a bearer token."""
    common: dict[str, Any] = {"database": database, "operator_id": operator_id, "now_ms": now_ms}
    gate = Gate(**common, secure=public_url().startswith("https://"), who_of_token=who_of_token)
    orders = Orders(**common, engine=engine, chance=chance, four_eyes_minor=four_eyes_minor)
    stations = send and StationCommands(**common, send=written_down(send, **common))
    desk = Desk(
        **common,
        engine=engine,
        chance=chance,
        public_url=public_url,
        orders=orders,
        stations=stations,
        hosts=hosts or HostTraces({}),
        links=links,
    )
    engine.subscribe(lambda step: desk.live.changed())
    tariffs = TariffDesk(**common, orders=orders, terms=terms)
    day = Day(**common, chance=chance)
    doors = Doors(**common, engine=engine, chance=chance)
    console, drivers = Console(desk, tariffs, day, doors, gate, orders), DriverPages(desk)
    app = _guarded(gate)
    meters = MeterDesk(**common)
    for router in (
        api(desk),
        day_api(day),
        station_api(desk),
        tariff_api(tariffs),
        receipt_api(desk),
        meter_api(meters),
        approval_api(orders),
        drivers.router(),
        console.router(),
    ):
        app.include_router(router)
    _add_for_machines(app, gate, health, metrics)
    _explain_errors(app, gate, console, drivers)
    return WebSide(app, desk, day, gate)


def _guarded(gate: Gate) -> FastAPI:
    """An application without routes, each of which will be behind the gate."""
    return FastAPI(
        title="Tapwatt",
        version="1",
        description=DESCRIPTION,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(gate.check)],
    )


def _add_for_machines(
    app: FastAPI,
    gate: Gate,
    health: Callable[[], dict[str, object]],
    metrics: Callable[[], Awaitable[str]] | None,
) -> None:
    """What no person reads: health, figures, and the files of pages."""

    @app.get("/health", include_in_schema=False)
    async def alive(request: Request) -> Response:
        body = {"status": "ok", **health()}
        status = 503 if body["status"] == "down" else 200
        if not await gate.may_see(request):
            body = {"status": body["status"]}
        return JSONResponse(body, status_code=status)

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


def _explain_people(app: FastAPI, answer: Callable[[Request, int, str], Response]) -> None:
    """What has to do with who asks: a login that is needed, a second person."""

    @app.exception_handler(LoginNeeded)
    async def who_is_it(request: Request, error: LoginNeeded) -> Response:
        return RedirectResponse(error.address, status_code=303)

    @app.exception_handler(Waits)
    async def waits(request: Request, error: Waits) -> Response:
        if request.url.path.startswith(FOR_MACHINES):
            return JSONResponse(error.approval, status_code=202)
        return RedirectResponse(f"/approvals#{error.approval['approval_id']}", status_code=303)

    @app.exception_handler(UnableToApprove)
    async def not_approved(request: Request, error: UnableToApprove) -> Response:
        return answer(request, {NoSuchApproval: 404, NotTheirs: 403}.get(type(error), 409), str(error))


def _explain_errors(app: FastAPI, gate: Gate, console: Console, drivers: DriverPages) -> None:
    """Programs get a JSON object with the reason, operators a page with the same sentence, drivers a few
    words."""

    def answer(request: Request, status: int, reason: str, headers: Any = None) -> Response:
        if request.url.path.startswith(FOR_DRIVERS):
            return drivers.sorry(status, headers)
        if request.url.path.startswith(FOR_MACHINES):
            return JSONResponse({"error": reason}, status_code=status, headers=headers)
        return console.sorry(status, reason, headers)

    _explain_people(app, answer)

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        with contextlib.suppress(UnableToStore, UnableToQueue):
            await gate.know(request)
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
