"""`/api/v1/meter-keys` and `/api/v1/ocmf/verify`: the register of meter keys, and what is signed by them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Request, Response
from pydantic import Field

from tapwatt.ocmf.check import check
from tapwatt.ocmf.codec import UnableToReadOcmf
from tapwatt.ocmf.container import FILE_LIMIT, read_file
from tapwatt.ocmf.curves import UnableToJudge
from tapwatt.ocmf.keys import KEY_LIMIT, KeyRegister
from tapwatt.ocmf.shown import as_json
from tapwatt.platform import audit, meter_keys
from tapwatt.platform.meter_keys import (
    METER_MAX,
    MOST_MS,
    SOURCE_MAX,
    NoSuchKey,
    SenselessKey,
    UnableToChangeKeys,
)
from tapwatt.store import Database
from tapwatt.web.answers.places import MeterKeyShown, MeterKeysPage, OcmfVerdict
from tapwatt.web.asked import NO_NUL, ApiRoute, By, Cursor, Given, Json, Limit, Sent, answer, once
from tapwatt.web.desk import Desk
from tapwatt.web.gate import acting
from tapwatt.web.problems import told

Meter = Annotated[str, Path(description="As in `meter`", min_length=1, max_length=METER_MAX)]
MISSING = told({404: "No key of this meter is registered"})
REFUSED = told({409: "Another key is in force then, the key has its end, too many, or the order is not over"})
OCMF_BODY = {
    "requestBody": {
        "required": True,
        "description": "OCMF documents of one transaction, each beginning on its own line, or the "
        "transparency software's XML",
        "content": {"text/plain": {"schema": {"type": "string"}}},
    }
}


class KeyGiven(Given):
    """A meter's public key, who says so, and when it is the meter's."""

    meter: str = Field(
        min_length=1, max_length=METER_MAX, pattern=NO_NUL, description="Serial of the meter or gateway"
    )
    key: str = Field(
        min_length=1, max_length=KEY_LIMIT, description="Hex, base64 or PEM; DER or the bare point"
    )
    source: str = Field(min_length=1, max_length=SOURCE_MAX, pattern=NO_NUL, examples=["label on the meter"])
    valid_from_ms: int = Field(0, ge=0, le=MOST_MS, description="0: since ever")
    valid_to_ms: int | None = Field(None, ge=1, le=MOST_MS, description="Not included; else without an end")
    by: By = "operator"


class KeyEnd(Given):
    """When a key stops being the meter's."""

    at_ms: int | None = Field(None, ge=1, le=MOST_MS, description="Not included; now, if none is named")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterDesk:
    """The meter keys of one operator; every question has the operator's name in it."""

    database: Database
    operator_id: str
    now_ms: Callable[[], int]

    async def listing(self, *, cursor: str | None, most: int) -> Json:
        """A page of keys, by meter, the oldest first. Raises UnableToRead."""
        owner = self.operator_id
        return await self.database.read(
            lambda tx: meter_keys.listing(tx, operator_id=owner, cursor=cursor, most=most)
        )

    async def register(self) -> KeyRegister:
        """The keys as verdicts are found with them."""
        owner = self.operator_id
        return await self.database.read(lambda tx: meter_keys.register_of(tx, operator_id=owner))


def meter_api(keys: MeterDesk, desk: Desk) -> APIRouter:
    """The routes of meter keys for one operator's desk."""
    router = APIRouter(prefix="/api/v1", route_class=ApiRoute)
    _register(router, keys, desk)

    @router.post(
        "/ocmf/verify",
        summary="Verify signed meter values by the registered keys, and say whether they may be billed",
        response_model=OcmfVerdict,
        openapi_extra=OCMF_BODY,
    )
    async def verify(request: Request) -> Response:
        data, register = await _document_of(request), await keys.register()
        try:
            verdict = await asyncio.to_thread(_verdict, data, register)
        except (UnableToReadOcmf, UnableToJudge) as error:
            raise HTTPException(422, str(error)) from None
        return Response(verdict, media_type="application/json")

    return router


def _register(router: APIRouter, keys: MeterDesk, desk: Desk) -> None:
    @router.get("/meter-keys", summary="Registered meter keys, ended ones too", response_model=MeterKeysPage)
    async def listing(limit: Limit = 50, cursor: Cursor = None) -> Response:
        return answer(await keys.listing(cursor=cursor, most=limit))

    @router.post(
        "/meter-keys",
        status_code=201,
        summary="Register a meter's public key",
        response_model=MeterKeyShown,
        responses=REFUSED,
    )
    async def add(given: KeyGiven, sent: Sent) -> Response:
        who, at_ms = acting(keys.operator_id, given.by), keys.now_ms()
        row = {**given.model_dump(), "by": who.name, "at_ms": at_ms}

        def work(tx: Any, _: Any) -> Json:
            added = meter_keys.add(tx, operator_id=keys.operator_id, **row)
            audit.append(tx, who, "meter key added", given.meter, at_ms=at_ms)
            return added

        try:
            return await once(desk.engine, sent, work, status=201)
        except UnableToChangeKeys as problem:
            raise _refused(problem) from problem

    @router.post(
        "/meter-keys/{meter:path}/end",
        summary="Set the end of a meter's key, once",
        response_model=MeterKeyShown,
        responses={**MISSING, **REFUSED},
    )
    async def end(meter: Meter, order: KeyEnd, sent: Sent) -> Response:
        who, now_ms = acting(keys.operator_id), keys.now_ms()
        until_ms = now_ms if order.at_ms is None else order.at_ms

        def work(tx: Any, _: Any) -> Json:
            ended = meter_keys.end(tx, operator_id=keys.operator_id, meter=meter, at_ms=until_ms)
            audit.append(tx, who, "meter key ended", meter, at_ms=now_ms)
            return ended

        try:
            return await once(desk.engine, sent, work)
        except UnableToChangeKeys as problem:
            raise _refused(problem) from problem


def _verdict(data: bytes, register: KeyRegister) -> str:
    return as_json(check(read_file(data), register=register))


def _refused(problem: UnableToChangeKeys) -> HTTPException:
    status = {NoSuchKey: 404, SenselessKey: 422}.get(type(problem), 409)
    return HTTPException(status, str(problem))


async def _document_of(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > FILE_LIMIT:
            raise HTTPException(413, f"the document has more than {FILE_LIMIT} bytes")
    return body
