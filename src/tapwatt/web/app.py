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
from tapwatt.platform import tariff_views, tokens
from tapwatt.platform.approvals import NoSuchApproval, NotTheirs, UnableToApprove
from tapwatt.platform.finding import UnableToRead
from tapwatt.platform.idempotency import UnableToRepeat, UnableToReuse
from tapwatt.platform.notes import UnableToNote
from tapwatt.platform.places import Terms
from tapwatt.platform.sessions import Event
from tapwatt.platform.station_commands import Send, StationCommands
from tapwatt.platform.tariffs import Findings, NoSuchTariff, UnableToChangeTariff
from tapwatt.platform.tokens import UnableToMakeToken
from tapwatt.platform.webhooks import TooManyWebhooks, UnableToKeepWebhook
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
from tapwatt.web.people_api import people_api
from tapwatt.web.problems import Described, allowed, problem, senseless
from tapwatt.web.receipt_api import receipt_api
from tapwatt.web.simple_tariff import UnableToReadFields
from tapwatt.web.station_api import station_api
from tapwatt.web.tariff_api import tariff_api
from tapwatt.web.tariff_desk import TariffDesk
from tapwatt.web.token_api import token_api
from tapwatt.web.webhook_api import webhook_api

FOR_DRIVERS = "/d/"
STRICT_TRANSPORT = {"Strict-Transport-Security": "max-age=31536000"}
"""Said where the public address is https: a browser that heard it comes by https alone (RFC 6797)."""
REFUSED_FROM = 400
FOUR_EYES_MINOR = 10_000
"""Above this an order of money waits for a second person, if no setting says otherwise."""
FOR_NOBODY = ("/api/", "/static/", "/health")
"""What is the same in every language."""
DESCRIPTION = (
    "What the console shows, as JSON. Times are epoch milliseconds (`_ms`), money is in minor units of its "
    "currency (`_minor`), energy in watt-hours (`_wh`). Whatever goes wrong is answered with a "
    "problem (RFC 9457). Lists come a page at a time: `cursor` of an answer asks for the next page, and "
    "is null at the end."
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
    gate = Gate(
        **common, secure=public_url().startswith("https://"), who_of_token=who_of_token or tokens.who_of
    )
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
    _add_api(app, desk, day, tariffs, doors)
    app.include_router(drivers.router())
    app.include_router(console.router())

    _add_for_machines(app, gate, health, metrics)
    _explain_errors(app, gate, console, drivers)
    return WebSide(app, desk, day, gate)


def _add_api(app: FastAPI, desk: Desk, day: Day, tariffs: TariffDesk, doors: Doors) -> None:
    """Everything under `/api/v1`."""
    app.state.now_ms = desk.now_ms
    keys = MeterDesk(database=desk.database, operator_id=desk.operator_id, now_ms=desk.now_ms)
    for router in (
        api(desk, day),
        day_api(day, desk),
        station_api(desk, day),
        tariff_api(tariffs, desk),
        receipt_api(desk, day),
        meter_api(keys, desk),
        token_api(desk),
        webhook_api(desk),
        approval_api(desk),
        people_api(doors),
    ):
        app.include_router(router)


def _guarded(gate: Gate) -> Described:
    """An application without routes, each of which will be behind the gate."""
    return Described(
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


Answering = Callable[..., Response]


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
    """Programs get a problem with the reason, operators a page with the same sentence, drivers a few
    words."""

    def answer(request: Request, status: int, reason: str, headers: Any = None, **more: Any) -> Response:
        if request.url.path.startswith(FOR_DRIVERS):
            return drivers.sorry(status, headers)
        if request.url.path.startswith(FOR_MACHINES):
            return problem(status, reason, headers, **more)
        return console.sorry(status, reason, headers)

    _explain_people(app, answer)

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        if (error.status_code, error.detail) == (400, "There was an error parsing the body"):
            why = "the body is no JSON in UTF-8"
            return answer(request, 422, why, errors=[{"pointer": "", "detail": why}])
        with contextlib.suppress(UnableToStore, UnableToQueue):
            await gate.know(request)
        reason = {
            (404, "Not Found"): f"there is no {request.url.path}",
            (405, "Method Not Allowed"): f"{request.method} is not taken at {request.url.path}",
        }.get((error.status_code, error.detail), error.detail)
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers.update(allowed(app.openapi(), request.url.path))
        return answer(request, error.status_code, reason, headers)

    _explain_senseless(app, answer)
    _explain_impossible(app, answer)

    @app.exception_handler(UnableToStore)
    @app.exception_handler(UnableToQueue)
    async def unstored(request: Request, error: Exception) -> Response:
        return answer(request, 503, str(error), {"Retry-After": "5"})

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> Response:
        return answer(request, 500, "something broke here; the program's log has it")


def _explain_senseless(app: FastAPI, answer: Answering) -> None:
    """Values that make no sense, each by its name."""

    @app.exception_handler(RequestValidationError)
    async def unread(request: Request, error: RequestValidationError) -> Response:
        reason, errors = senseless(error)
        return answer(request, 422, reason, errors=errors)

    @app.exception_handler(UnableToReadFields)
    async def unread_fields(request: Request, error: UnableToReadFields) -> Response:
        errors = [{"pointer": f"/{name}", "detail": why} for name, why in error.wrong.items()]
        return answer(request, 422, str(error), errors=errors)

    @app.exception_handler(UnableToReadTariff)
    @app.exception_handler(UnableToReuse)
    @app.exception_handler(UnableToMakeToken)
    @app.exception_handler(UnableToKeepWebhook)
    @app.exception_handler(UnableToNote)
    async def no_sense(request: Request, error: Exception) -> Response:
        return answer(request, 422, str(error))

    @app.exception_handler(UnableToRead)
    async def no_cursor(request: Request, error: UnableToRead) -> Response:
        errors = [{"parameter": "cursor", "detail": "is none that this list gave"}]
        return answer(request, 422, str(error), errors=errors)


def _explain_impossible(app: FastAPI, answer: Answering) -> None:
    """Orders that make sense and cannot be carried out."""

    @app.exception_handler(UnableToDecide)
    @app.exception_handler(UnableToCredit)
    @app.exception_handler(UnableToRepeat)
    @app.exception_handler(TooManyWebhooks)
    async def impossible(request: Request, error: Exception) -> Response:
        return answer(request, 409, str(error))

    @app.exception_handler(UnableToChangeTariff)
    async def not_with_this_tariff(request: Request, error: UnableToChangeTariff) -> Response:
        status = 404 if isinstance(error, NoSuchTariff) else 409
        more = {"findings": tariff_views.findings(error.found)} if isinstance(error, Findings) else {}
        return answer(request, status, str(error), **more)
