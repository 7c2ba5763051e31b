"""`/api/v1/meter-keys` and `/api/v1/ocmf/verify`: the register of meter keys, and what is signed by them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Request, Response
from pydantic import BaseModel, Field

from tapwatt.ocmf.check import check
from tapwatt.ocmf.codec import UnableToReadOcmf
from tapwatt.ocmf.container import FILE_LIMIT, read_file
from tapwatt.ocmf.curves import UnableToJudge
from tapwatt.ocmf.keys import KEY_LIMIT, KeyRegister
from tapwatt.ocmf.shown import as_json
from tapwatt.platform import audit, meter_keys
from tapwatt.platform.meter_keys import (
    BY_MAX,
    METER_MAX,
    MOST_MS,
    SOURCE_MAX,
    NoSuchKey,
    SenselessKey,
    UnableToChangeKeys,
)
from tapwatt.store import Database, Transaction
from tapwatt.web.api import PROBLEMS, Json, Problem
from tapwatt.web.gate import acting

Meter = Annotated[str, Path(description="As in `meter`", min_length=1, max_length=METER_MAX)]
MISSING: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "No key of this meter is registered"}
}
REFUSED: dict[int | str, dict[str, Any]] = {
    403: {"model": Problem, "description": "The order comes from a foreign page"},
    409: {"model": Problem, "description": "Another key is in force then, the key has its end, or too many"},
}
TOO_LONG: dict[int | str, dict[str, Any]] = {
    413: {"model": Problem, "description": f"More than {FILE_LIMIT} bytes"}
}
OCMF_BODY = {
    "requestBody": {
        "required": True,
        "description": "OCMF documents of one transaction, each beginning on its own line, or the "
        "transparency software's XML",
        "content": {"text/plain": {"schema": {"type": "string"}}},
    }
}


class KeyGiven(BaseModel):
    """A meter's public key, who says so, and when it is the meter's."""

    meter: str = Field(min_length=1, max_length=METER_MAX, description="Serial of the meter or gateway")
    key: str = Field(
        min_length=1, max_length=KEY_LIMIT, description="Hex, base64 or PEM; DER or the bare point"
    )
    source: str = Field(min_length=1, max_length=SOURCE_MAX, examples=["label on the meter"])
    valid_from_ms: int = Field(0, ge=0, le=MOST_MS, description="0: since ever")
    valid_to_ms: int | None = Field(None, ge=1, le=MOST_MS, description="Not included; else without an end")
    by: str = Field("operator", min_length=1, max_length=BY_MAX, description="Who registers it")


class KeyEnd(BaseModel):
    """When a key stops being the meter's."""

    at_ms: int | None = Field(None, ge=1, le=MOST_MS, description="Not included; now, if none is named")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterDesk:
    """The meter keys of one operator; every question has the operator's name in it."""

    database: Database
    operator_id: str
    now_ms: Callable[[], int]

    async def listing(self) -> list[Json]:
        """Every key, by meter, the oldest first."""
        owner = self.operator_id
        return await self.database.read(lambda tx: meter_keys.listing(tx, operator_id=owner))

    async def register(self) -> KeyRegister:
        """The keys as verdicts are found with them."""
        owner = self.operator_id
        return await self.database.read(lambda tx: meter_keys.register_of(tx, operator_id=owner))

    async def add(self, given: KeyGiven) -> Json:
        """Register a key. Raises UnableToChangeKeys and its kinds."""
        who, at_ms, row = acting(self.operator_id, given.by), self.now_ms(), given.model_dump()
        row["by"] = who.name

        def work(tx: Transaction) -> Json:
            added = meter_keys.add(tx, operator_id=self.operator_id, at_ms=at_ms, **row)
            audit.append(tx, who, "meter key added", given.meter, at_ms=at_ms)
            return added

        return await self.database.write(work)

    async def end(self, meter: str, at_ms: int | None) -> Json:
        """Set a key's end. Raises UnableToChangeKeys and its kinds."""
        who, now_ms = acting(self.operator_id), self.now_ms()
        until_ms = now_ms if at_ms is None else at_ms

        def work(tx: Transaction) -> Json:
            ended = meter_keys.end(tx, operator_id=self.operator_id, meter=meter, at_ms=until_ms)
            audit.append(tx, who, "meter key ended", meter, at_ms=now_ms)
            return ended

        return await self.database.write(work)


def meter_api(desk: MeterDesk) -> APIRouter:
    """The routes of meter keys for one operator's desk."""
    router = APIRouter(prefix="/api/v1", responses=PROBLEMS)

    @router.get("/meter-keys", summary="All registered meter keys, ended ones too")
    async def listing() -> Json:
        return {"meter_keys": await desk.listing()}

    @router.post("/meter-keys", status_code=201, summary="Register a meter's public key", responses=REFUSED)
    async def add(given: KeyGiven) -> Json:
        try:
            return await desk.add(given)
        except UnableToChangeKeys as problem:
            raise _refused(problem) from problem

    @router.post(
        "/meter-keys/{meter:path}/end",
        summary="Set the end of a meter's key, once",
        responses={**MISSING, **REFUSED},
    )
    async def end(meter: Meter, order: KeyEnd) -> Json:
        try:
            return await desk.end(meter, order.at_ms)
        except UnableToChangeKeys as problem:
            raise _refused(problem) from problem

    @router.post(
        "/ocmf/verify",
        summary="Verify signed meter values by the registered keys, and say whether they may be billed",
        responses=TOO_LONG,
        openapi_extra=OCMF_BODY,
    )
    async def verify(request: Request) -> Response:
        data, register = await _document_of(request), await desk.register()
        try:
            told = await asyncio.to_thread(_verdict, data, register)
        except (UnableToReadOcmf, UnableToJudge) as error:
            raise HTTPException(422, str(error)) from None
        return Response(told, media_type="application/json")

    return router


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
