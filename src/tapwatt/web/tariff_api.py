"""`/api/v1/tariffs`: tariffs written, checked, tried, published and retired. Documents are OCPI's."""

from dataclasses import replace
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response
from pydantic import Field

from tapwatt.core.tariff.described import described
from tapwatt.core.tariff.model import Tariff
from tapwatt.markets.lint import lint
from tapwatt.ocpi.document import as_text, parse
from tapwatt.ocpi.tariffs import UnableToReadTariff, read
from tapwatt.platform import audit, tariff_views
from tapwatt.platform import tariffs as rows
from tapwatt.platform.approvals import Kind, Order
from tapwatt.platform.idempotency import Order as SentOrder
from tapwatt.platform.tariffs import anywhere
from tapwatt.web.answers.tariffs import Assigned, Linted, Quote, Simulation, TariffsPage, TariffWhole
from tapwatt.web.asked import (
    NO_NUL,
    ApiRoute,
    By,
    Cursor,
    Given,
    Json,
    Limit,
    Sent,
    StationId,
    answer,
    once,
)
from tapwatt.web.desk import Desk
from tapwatt.web.gate import acting
from tapwatt.web.given import WAITS, given
from tapwatt.web.problems import told
from tapwatt.web.simple_tariff import SimpleTariff, UnableToReadFields
from tapwatt.web.tariff_desk import Charge, TariffDesk
from tapwatt.web.tariff_form import tariff_of

DOCUMENT_BYTES_MAX = 1_000_000
DAY_S = 86_400
AT = r"^(([01][0-9]|2[0-3]):[0-5][0-9])?$"
"""Told, and judged by the desk, which says it in better words."""
TariffId = Annotated[str, Path(description="As in `tariff_id`", max_length=36)]
Version = Annotated[int, Path(description="As in `version`", ge=1, le=1_000_000)]
VersionAsked = Annotated[
    int | None, Query(ge=1, le=1_000_000, description="Else the draft, or what is in force")
]
SignedBy = Annotated[str, Query(min_length=1, max_length=64, pattern=NO_NUL, description="Who does it")]
MISSING = told({404: "No such tariff, version or station"})
REFUSED = told({409: "It cannot be done; `findings` say what the linter objects to"})
OCPI_BODY = {
    "requestBody": {
        "required": True,
        "description": "A tariff of OCPI 2.2.1 or 2.3.0",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


class Publication(Given):
    """Who publishes, and why warnings of the linter are accepted, if there are any."""

    by: By = "operator"
    accept: str = Field("", max_length=500, pattern=NO_NUL)


class Retirement(Given):
    """Who ends a version, and why."""

    by: By = "operator"
    why: str = Field(min_length=3, max_length=500, pattern=NO_NUL)


class Assignment(Given):
    """Which tariff a station is to have."""

    tariff_id: str = Field(min_length=1, max_length=36, pattern=NO_NUL)


def tariff_api(tariffs: TariffDesk, desk: Desk) -> APIRouter:
    """The routes of tariffs for one operator's desk."""
    router = APIRouter(prefix="/api/v1", route_class=ApiRoute)
    _reading(router, tariffs)
    _trying(router, tariffs)
    _drafts(router, tariffs, desk)
    _orders(router, tariffs, desk)
    return router


def _reading(router: APIRouter, desk: TariffDesk) -> None:
    @router.get("/tariffs", summary="Tariffs and what is in force of each", response_model=TariffsPage)
    async def listing(limit: Limit = 50, cursor: Cursor = None) -> Response:
        return answer(await desk.listing_page(cursor=cursor, most=limit))

    @router.get(
        "/tariffs/{tariff_id}",
        summary="One tariff: words, findings, versions, stations, its OCPI 2.3.0 document",
        response_model=TariffWhole,
        responses=MISSING,
    )
    async def page(tariff_id: TariffId, version: VersionAsked = None) -> Response:
        return _exactly(await desk.page(tariff_id, version))


def _trying(router: APIRouter, desk: TariffDesk) -> None:
    """Questions that change nothing."""

    @router.get(
        "/tariffs/{tariff_id}/quote",
        summary="What a charge would cost, and the hold for it",
        response_model=Quote,
        responses=MISSING,
    )
    async def quote(
        tariff_id: TariffId,
        version: VersionAsked = None,
        energy_wh: Annotated[int, Query(ge=0, le=1_000_000)] = 20_000,
        charging_s: Annotated[int, Query(ge=0, le=2 * DAY_S)] = 1_500,
        idle_s: Annotated[int, Query(ge=0, le=2 * DAY_S)] = 0,
        at: Annotated[
            str,
            Query(
                max_length=5, json_schema_extra={"pattern": AT}, description="The station's clock; else now"
            ),
        ] = "",
        station_id: Annotated[str | None, Query(min_length=1, max_length=64, pattern=NO_NUL)] = None,
    ) -> Response:
        charge = Charge(energy_wh=energy_wh, charging_ms=charging_s * 1000, idle_ms=idle_s * 1000, at=at)
        tariff = await desk.tariff(tariff_id, version)
        try:
            return _exactly(await desk.quote(tariff, charge, station_id))
        except ValueError as error:
            raise HTTPException(422, str(error)) from None

    @router.post(
        "/tariffs/lint",
        summary="Say what a tariff says and what is suspicious or unlawful in it; nothing is kept",
        response_model=Linted,
        openapi_extra=OCPI_BODY,
    )
    async def check(
        request: Request,
        country: Annotated[str, Query(pattern="^([A-Za-z]{2})?$", description="ISO 3166-1 alpha-2")] = "",
        power_w: Annotated[int | None, Query(ge=0, le=100_000_000)] = None,
        evse_kind: Annotated[str | None, Query(pattern="^(AC|DC)$")] = None,
        day: Annotated[date | None, Query(description="Whose rules count; else today's")] = None,
    ) -> Response:
        tariff, _ = await document_of(request)
        here = anywhere(desk.now_ms())
        where = replace(
            here, day=day or here.day, country=country.upper(), power_w=power_w, evse_kind=evse_kind
        )
        found = tariff_views.findings(lint(tariff, [where]))
        return answer({"sentences": described(tariff), "findings": found})

    @router.post(
        "/tariffs/{tariff_id}/versions/{version}/simulate",
        summary="Price last month's sessions again with a version",
        response_model=Simulation,
        responses=MISSING,
    )
    async def simulate(tariff_id: TariffId, version: Version) -> Response:
        return answer(await desk.simulate(tariff_id, version))


def _drafts(router: APIRouter, tariffs: TariffDesk, desk: Desk) -> None:
    """The two ways to write a draft: as a document, and by the fields of the console's form."""

    async def kept(tariff: Tariff, sent: SentOrder, *, by: str, note: str, document: str | None) -> Response:
        at_ms, owner, who = tariffs.now_ms(), tariffs.operator_id, acting(tariffs.operator_id, by)

        def work(tx: Any, _: Any) -> Json:
            version = rows.put(
                tx, tariff, operator_id=owner, by=who.name, at_ms=at_ms, note=note, document=document
            )
            audit.append(tx, who, "tariff drafted", f"{tariff.tariff_id}/{version}", at_ms=at_ms)
            return tariffs.shown(tx, tariff.tariff_id, version)

        return await once(desk.engine, sent, work, status=201, write=as_text)

    @router.put(
        "/tariffs/{tariff_id}",
        status_code=201,
        summary="Keep an OCPI tariff as the next version, a draft",
        response_model=TariffWhole,
        responses=REFUSED,
        openapi_extra=OCPI_BODY,
    )
    async def put(
        tariff_id: TariffId,
        request: Request,
        sent: Sent,
        by: SignedBy = "operator",
        note: Annotated[str, Query(max_length=500, pattern=NO_NUL)] = "",
    ) -> Response:
        tariff, text = await document_of(request)
        if tariff.tariff_id != tariff_id:
            raise HTTPException(422, f"$.id: is {tariff.tariff_id}, the address says {tariff_id}")
        return await kept(tariff, sent, by=by, note=note, document=text)

    @router.post(
        "/simple-tariffs",
        status_code=201,
        summary="Keep a simple tariff as a draft, by the fields of the console's form",
        response_model=TariffWhole,
        responses=REFUSED,
    )
    async def simple(form: SimpleTariff, sent: Sent) -> Response:
        fields = {name: str(value) for name, value in form.model_dump(exclude={"by"}).items()}
        tariff, wrong = tariff_of(fields)
        if tariff is None:
            raise UnableToReadFields(wrong)
        return await kept(tariff, sent, by=form.by, note=form.note.strip(), document=None)


def _orders(router: APIRouter, tariffs: TariffDesk, desk: Desk) -> None:
    async def done(tariff_id: str, version: int, sent: Sent, kind: Kind, by: str, **body: str) -> Response:
        order = Order(kind=kind, subject=f"{tariff_id}/{version}", body=dict(body))
        return await given(
            desk,
            sent,
            order,
            by=by,
            shown=lambda tx, _: tariffs.shown(tx, tariff_id, version),
            write=as_text,
        )

    @router.post(
        "/tariffs/{tariff_id}/versions/{version}/publish",
        summary="Publish a draft; warnings need a reason to accept them, errors block",
        response_model=TariffWhole,
        responses={**WAITS, **MISSING, **REFUSED},
    )
    async def publish(tariff_id: TariffId, version: Version, order: Publication, sent: Sent) -> Response:
        return await done(tariff_id, version, sent, Kind.PUBLISH, order.by, accept=order.accept)

    @router.post(
        "/tariffs/{tariff_id}/versions/{version}/retire",
        summary="End a version now, or before it begins",
        response_model=TariffWhole,
        responses={**WAITS, **MISSING, **REFUSED},
    )
    async def retire(tariff_id: TariffId, version: Version, order: Retirement, sent: Sent) -> Response:
        return await done(tariff_id, version, sent, Kind.RETIRE, order.by, why=order.why)

    @router.put(
        "/stations/{station_id}/tariff",
        summary="Give a station a tariff, from its next session on",
        response_model=Assigned,
        responses={**WAITS, **MISSING, **REFUSED},
    )
    async def assign(station_id: StationId, order: Assignment, sent: Sent) -> Response:
        wanted = Order(kind=Kind.ASSIGN, subject=station_id, body={"tariff_id": order.tariff_id})
        told = {"station_id": station_id, "tariff_id": order.tariff_id}
        return await given(desk, sent, wanted, by="operator", shown=lambda *_: told)


async def document_of(request: Request) -> tuple[Tariff, str]:
    """The tariff in a request's body and its text, numbers exact. Raises UnableToReadTariff,
    HTTPException."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > DOCUMENT_BYTES_MAX:
            raise HTTPException(413, f"the document has more than {DOCUMENT_BYTES_MAX} bytes")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise HTTPException(422, "the document is not UTF-8") from None
    return read(parse(text, UnableToReadTariff)), text


def _exactly(value: Json) -> Response:
    """JSON with exact numbers, as documents have them."""
    return Response(as_text(value), media_type="application/json")
