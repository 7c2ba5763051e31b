"""`/api/v1/stations/…` and terminals: one of them, a page of stations, commands in OCPP's own words."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, HTTPException, Path, Response
from pydantic import Field

from tapwatt.platform import idempotency
from tapwatt.platform.idempotency import Order, Told
from tapwatt.platform.station_commands import (
    NoSuchStation,
    NotThere,
    Refused,
    SenselessCommand,
    Silent,
    UnableToCommand,
)
from tapwatt.web import problems
from tapwatt.web.answers.places import StationsPage, StationWhole, Terminal
from tapwatt.web.asked import ApiRoute, Cursor, Given, Json, Limit, Sent, StationId, answer, told_again
from tapwatt.web.day import Day
from tapwatt.web.desk import Desk
from tapwatt.web.problems import told

STATUSES: dict[type[UnableToCommand], int] = {
    NoSuchStation: 404,
    SenselessCommand: 422,
    NotThere: 409,
    Refused: 502,
    Silent: 504,
}
NOT_SENT = (NoSuchStation, SenselessCommand, NotThere)
"""Whoever is told this may ask again under the same key: nothing left the house."""
MISSING = told({404: "No such station"})
FAILING = told(
    {
        409: "The station is not connected, nothing was sent; or what came of the key's order is not known",
        502: "The station answered with an error",
        504: "The station did not answer; it may have acted",
    }
)


class CommandAsked(Given):
    """A command as OCPP 1.6 spells it."""

    action: Annotated[str, Field(max_length=50, examples=["Reset"])]
    payload: Annotated[dict[str, Any], Field(default_factory=dict, examples=[{"type": "Soft"}])]


def station_api(desk: Desk, day: Day) -> APIRouter:
    """The routes of stations and terminals for one operator's desk."""
    router = APIRouter(prefix="/api/v1", route_class=ApiRoute)

    @router.get("/stations", summary="Stations with their health", response_model=StationsPage)
    async def stations(limit: Limit = 50, cursor: Cursor = None) -> Response:
        return answer(await day.stations_page(cursor=cursor, most=limit))

    @router.get(
        "/terminals/{terminal_id}",
        summary="One terminal: its health, its screen, what it serves",
        response_model=Terminal,
        responses=told({404: "No such terminal"}),
    )
    async def terminal(
        terminal_id: Annotated[str, Path(description="As in `terminal_id`", max_length=64)],
    ) -> Response:
        found = await day.terminal(terminal_id)
        if found is None:
            raise HTTPException(404, f"there is no terminal {terminal_id}")
        return answer(found)

    @router.get(
        "/stations/{station_id}",
        summary="One station: connectors, health, configuration, transfers, doubtful messages",
        response_model=StationWhole,
        responses=MISSING,
    )
    async def station(station_id: StationId) -> Response:
        found = await desk.station(station_id)
        if found is None:
            raise HTTPException(404, f"there is no station {station_id}")
        return answer(found)

    @router.post(
        "/stations/{station_id}/commands",
        summary="Send a command of OCPP 1.6 and get the station's answer",
        response_model=dict[str, Any],
        responses={**MISSING, **FAILING},
    )
    async def command(station_id: StationId, asked: CommandAsked, sent: Sent) -> Response:
        return await _commanded(desk, station_id, asked, sent)

    return router


async def _commanded(desk: Desk, station_id: str, asked: CommandAsked, sent: Order) -> Response:
    """Send a command once: the key is claimed before it goes out, and its answer kept after."""
    stations = desk.stations
    if stations is None:
        raise HTTPException(503, "no station can be reached from here")
    found = await desk.engine.transact(lambda tx, _: idempotency.claim(tx, sent))
    if found is not None:
        return told_again(found)
    try:
        said: Json = await stations.perform(station_id, asked.action, asked.payload)
    except NOT_SENT as problem:
        await desk.engine.transact(lambda tx, _: idempotency.release(tx, sent))
        raise HTTPException(STATUSES[type(problem)], str(problem)) from problem
    except Refused as problem:
        body = msgspec.json.encode(problems.body_of(502, str(problem))).decode()
        await _settled(desk, sent, Told(status=502, body=body))
        raise HTTPException(502, str(problem)) from problem
    except Silent as problem:
        raise HTTPException(504, str(problem)) from problem
    done = Told(status=200, body=msgspec.json.encode(said).decode())
    await _settled(desk, sent, done)
    return told_again(done)


async def _settled(desk: Desk, sent: Order, done: Told) -> None:
    await desk.engine.transact(lambda tx, _: idempotency.settle(tx, sent, done))
