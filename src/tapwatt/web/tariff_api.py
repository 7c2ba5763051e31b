"""`/api/v1/tariffs`: tariffs written, checked, tried, published and retired. Documents are OCPI's."""

from dataclasses import replace
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response
from pydantic import BaseModel, Field

from tapwatt.core.tariff.described import described
from tapwatt.core.tariff.model import Tariff
from tapwatt.markets.lint import lint
from tapwatt.ocpi.document import as_text, parse
from tapwatt.ocpi.tariffs import UnableToReadTariff, read
from tapwatt.platform import tariff_views
from tapwatt.platform.tariffs import anywhere
from tapwatt.web.api import PROBLEMS, Json, Problem
from tapwatt.web.tariff_desk import Charge, TariffDesk

DOCUMENT_BYTES_MAX = 1_000_000
DAY_S = 86_400
TariffId = Annotated[str, Path(description="As in `tariff_id`", max_length=36)]
Version = Annotated[int, Path(description="As in `version`", ge=1, le=1_000_000)]
By = Annotated[str, Query(min_length=1, max_length=64, description="Who does it")]
MISSING: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "No such tariff, version or station"}
}
REFUSED: dict[int | str, dict[str, Any]] = {
    403: {"model": Problem, "description": "The order comes from a foreign page"},
    409: {"model": Problem, "description": "It cannot be done; `findings` say what the linter objects to"},
}
OCPI_BODY = {
    "requestBody": {
        "required": True,
        "description": "A tariff of OCPI 2.2.1 or 2.3.0",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


class Publication(BaseModel):
    """Who publishes, and why warnings of the linter are accepted, if there are any."""

    by: str = Field("operator", min_length=1, max_length=64)
    accept: str = Field("", max_length=500)


class Retirement(BaseModel):
    """Who ends a version, and why."""

    by: str = Field("operator", min_length=1, max_length=64)
    why: str = Field(min_length=3, max_length=500)


class Assignment(BaseModel):
    """Which tariff a station is to have."""

    tariff_id: str = Field(min_length=1, max_length=36)


def tariff_api(desk: TariffDesk) -> APIRouter:
    """The routes of tariffs for one operator's desk."""
    router = APIRouter(prefix="/api/v1", responses=PROBLEMS)
    _reading(router, desk)
    _orders(router, desk)
    return router


def _reading(router: APIRouter, desk: TariffDesk) -> None:
    @router.get("/tariffs", summary="All tariffs and what is in force of each")
    async def listing() -> Json:
        return {"tariffs": await desk.listing()}

    @router.get(
        "/tariffs/{tariff_id}",
        summary="One tariff: words, findings, versions, stations, its OCPI 2.3.0 document",
        responses=MISSING,
    )
    async def page(
        tariff_id: TariffId,
        version: Annotated[int | None, Query(ge=1, description="Else the draft, or what is in force")] = None,
    ) -> Response:
        return _exactly(await desk.page(tariff_id, version))

    @router.get(
        "/tariffs/{tariff_id}/quote",
        summary="What a charge would cost, and the hold for it",
        responses=MISSING,
    )
    async def quote(
        tariff_id: TariffId,
        version: Annotated[int | None, Query(ge=1)] = None,
        energy_wh: Annotated[int, Query(ge=0, le=1_000_000)] = 20_000,
        charging_s: Annotated[int, Query(ge=0, le=2 * DAY_S)] = 1_500,
        idle_s: Annotated[int, Query(ge=0, le=2 * DAY_S)] = 0,
        at: Annotated[str, Query(max_length=5, description="The station's clock, 18:00; else now")] = "",
        station_id: Annotated[str | None, Query(max_length=64)] = None,
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
        openapi_extra=OCPI_BODY,
    )
    async def check(
        request: Request,
        country: Annotated[str, Query(max_length=2, description="ISO 3166-1 alpha-2")] = "",
        power_w: Annotated[int | None, Query(ge=0)] = None,
        evse_kind: Annotated[str | None, Query(pattern="^(AC|DC)$")] = None,
        day: Annotated[date | None, Query(description="Whose rules count; else today's")] = None,
    ) -> Json:
        tariff, _ = await document_of(request)
        here = anywhere(desk.now_ms())
        where = replace(
            here, day=day or here.day, country=country.upper(), power_w=power_w, evse_kind=evse_kind
        )
        return {
            "sentences": described(tariff),
            "findings": tariff_views.findings(lint(tariff, [where])),
        }


def _orders(router: APIRouter, desk: TariffDesk) -> None:
    @router.put(
        "/tariffs/{tariff_id}",
        status_code=201,
        summary="Keep an OCPI tariff as the next version, a draft",
        responses=REFUSED,
        openapi_extra=OCPI_BODY,
    )
    async def put(
        tariff_id: TariffId,
        request: Request,
        by: By = "operator",
        note: Annotated[str, Query(max_length=500)] = "",
    ) -> Response:
        tariff, text = await document_of(request)
        if tariff.tariff_id != tariff_id:
            raise HTTPException(422, f"$.id: is {tariff.tariff_id}, the address says {tariff_id}")
        version = await desk.put(tariff, by=by, note=note, document=text)
        return _exactly(await desk.page(tariff_id, version), status=201)

    @router.post(
        "/tariffs/{tariff_id}/versions/{version}/simulate",
        summary="Price last month's sessions again with a version",
        responses=MISSING,
    )
    async def simulate(tariff_id: TariffId, version: Version) -> Json:
        return await desk.simulate(tariff_id, version)

    @router.post(
        "/tariffs/{tariff_id}/versions/{version}/publish",
        summary="Publish a draft; warnings need a reason to accept them, errors block",
        responses={**MISSING, **REFUSED},
    )
    async def publish(tariff_id: TariffId, version: Version, order: Publication) -> Response:
        await desk.publish(tariff_id, version, by=order.by, accept=order.accept)
        return _exactly(await desk.page(tariff_id, version))

    @router.post(
        "/tariffs/{tariff_id}/versions/{version}/retire",
        summary="End a version now, or before it begins",
        responses={**MISSING, **REFUSED},
    )
    async def retire(tariff_id: TariffId, version: Version, order: Retirement) -> Response:
        await desk.retire(tariff_id, version, by=order.by, why=order.why)
        return _exactly(await desk.page(tariff_id, version))

    @router.put(
        "/stations/{station_id}/tariff",
        summary="Give a station a tariff, from its next session on",
        responses={**MISSING, **REFUSED},
    )
    async def assign(station_id: Annotated[str, Path(max_length=64)], order: Assignment) -> Json:
        await desk.assign(station_id, order.tariff_id)
        return {"station_id": station_id, "tariff_id": order.tariff_id}


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


def _exactly(value: Json, *, status: int = 200) -> Response:
    """JSON with exact numbers, as documents have them."""
    return Response(as_text(value), status_code=status, media_type="application/json")
