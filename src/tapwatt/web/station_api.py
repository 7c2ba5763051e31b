"""`/api/v1/stations/…`: one station, and commands to it in OCPP's own words."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path
from pydantic import BaseModel, Field

from tapwatt.platform.station_commands import (
    NoSuchStation,
    NotThere,
    Refused,
    SenselessCommand,
    Silent,
    UnableToCommand,
)
from tapwatt.web.api import PROBLEMS, Json, Problem
from tapwatt.web.desk import Desk

StationId = Annotated[str, Path(description="As in `station_id`", max_length=64)]
STATUSES: dict[type[UnableToCommand], int] = {
    NoSuchStation: 404,
    SenselessCommand: 422,
    NotThere: 409,
    Refused: 502,
    Silent: 504,
}
MISSING: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "No such station"}}
FAILING: dict[int | str, dict[str, Any]] = {
    403: {"model": Problem, "description": "The order comes from a foreign page"},
    409: {"model": Problem, "description": "The station is not connected; nothing was sent"},
    502: {"model": Problem, "description": "The station answered with an error"},
    504: {"model": Problem, "description": "The station did not answer; it may have acted"},
}


class CommandAsked(BaseModel):
    """A command as OCPP 1.6 spells it."""

    action: Annotated[str, Field(max_length=50, examples=["Reset"])]
    payload: Annotated[dict[str, Any], Field(default_factory=dict, examples=[{"type": "Soft"}])]


def station_api(desk: Desk) -> APIRouter:
    """The routes of single stations for one operator's desk."""
    router = APIRouter(prefix="/api/v1/stations", responses=PROBLEMS)

    @router.get(
        "/{station_id}", summary="One station: connectors, configuration, transfers", responses=MISSING
    )
    async def station(station_id: StationId) -> Json:
        found = await desk.station(station_id)
        if found is None:
            raise HTTPException(404, f"there is no station {station_id}")
        return found

    @router.post(
        "/{station_id}/commands",
        summary="Send a command of OCPP 1.6 and get the station's answer",
        responses={**MISSING, **FAILING},
    )
    async def command(station_id: StationId, asked: CommandAsked) -> Json:
        if desk.stations is None:
            raise HTTPException(503, "no station can be reached from here")
        try:
            return await desk.stations.perform(station_id, asked.action, asked.payload)
        except UnableToCommand as problem:
            raise HTTPException(STATUSES[type(problem)], str(problem)) from problem

    return router
