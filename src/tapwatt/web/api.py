"""`/api/v1`: what the console shows, as JSON."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path
from pydantic import BaseModel, Field

from tapwatt.web.desk import Desk

Json = dict[str, Any]
SessionId = Annotated[str, Path(description="As in `session_id`", max_length=64)]


class Problem(BaseModel):
    """What every error answer holds."""

    error: str


class Decision(BaseModel):
    """What a person decides about a session in review."""

    amount_minor: int = Field(ge=0, description="To be taken from the hold; 0 gives all of it back")
    why: str = Field(min_length=3, max_length=500, description="The reason, kept with the session")
    by: str = Field("operator", min_length=1, max_length=64, description="Who decides")


class HoldChoice(BaseModel):
    """How much a driver wants to have held."""

    amount_minor: int = Field(gt=0, description="One of the session's `hold_choices_minor`")


class Acknowledgement(BaseModel):
    """Who took note of an alarm."""

    by: str = Field("operator", min_length=1, max_length=64)


PROBLEMS: dict[int | str, dict[str, Any]] = {
    422: {"model": Problem, "description": "A value makes no sense"},
    503: {"model": Problem, "description": "The store takes nothing now"},
}
MISSING: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "No such session"}}
REFUSED: dict[int | str, dict[str, Any]] = {
    403: {"model": Problem, "description": "The order comes from a foreign page"},
    409: {"model": Problem, "description": "The session cannot take it"},
}


def api(desk: Desk) -> APIRouter:
    """The API's routes for one operator's desk."""
    router = APIRouter(prefix="/api/v1", responses=PROBLEMS)

    @router.get("/summary", summary="What is open and what waits")
    async def summary() -> Json:
        return await desk.summary()

    @router.get("/board", summary="Stations, connectors, terminals and running sessions")
    async def board() -> Json:
        return await desk.board()

    @router.get(
        "/sessions/{session_id}",
        summary="One session: events, effects, ledger, bill, receipt, money at each party",
        responses=MISSING,
    )
    async def session(session_id: SessionId) -> Json:
        found = await desk.session(session_id)
        if found is None:
            raise HTTPException(404, f"there is no session {session_id}")
        return found

    @router.post(
        "/sessions/{session_id}/stop",
        status_code=202,
        summary="Ask for the end of a session",
        responses={**MISSING, **REFUSED},
    )
    async def stop(session_id: SessionId) -> Json:
        if not await desk.stop(session_id):
            raise HTTPException(404, f"there is no session {session_id}")
        return {"accepted": True}

    @router.post(
        "/sessions/{session_id}/hold",
        status_code=202,
        summary="Choose another of the holds that were offered, before the tap",
        responses={**MISSING, **REFUSED},
    )
    async def choose_hold(session_id: SessionId, choice: HoldChoice) -> Json:
        if not await desk.choose_hold(session_id, amount_minor=choice.amount_minor):
            raise HTTPException(404, f"there is no session {session_id}")
        return {"accepted": True}

    _places(router, desk)
    _charts(router, desk)
    _waiting(router, desk)
    return router


def _places(router: APIRouter, desk: Desk) -> None:
    """What stands where, and who has an account."""

    @router.get("/stations", summary="All stations")
    async def stations() -> Json:
        return {"stations": await desk.listing("stations")}

    @router.get("/terminals", summary="All terminals")
    async def terminals() -> Json:
        return {"terminals": await desk.listing("terminals")}

    @router.get("/accounts", summary="Accounts of tags, with their balances")
    async def accounts() -> Json:
        return {"accounts": await desk.listing("accounts")}

    @router.get("/alarms", summary="What waits for a person")
    async def alarms() -> Json:
        return {"alarms": await desk.listing("alarms")}


def _charts(router: APIRouter, desk: Desk) -> None:
    """What went over the wires."""

    @router.get(
        "/sessions/{session_id}/chart",
        summary="Every message between the parties of one session, decoded and masked",
        responses=MISSING,
    )
    async def chart(session_id: SessionId) -> Json:
        found = await desk.session(session_id)
        if found is None:
            raise HTTPException(404, f"there is no session {session_id}")
        return await desk.chart(found)


def _waiting(router: APIRouter, desk: Desk) -> None:
    """What waits for a person, and the person's orders."""

    @router.get("/review", summary="Sessions that wait for a person's decision, alarms, orphan messages")
    async def review() -> Json:
        return await desk.review()

    @router.post(
        "/sessions/{session_id}/decide",
        status_code=202,
        summary="Decide a session in review: take an amount, or give all back",
        responses={**MISSING, **REFUSED},
    )
    async def decide(session_id: SessionId, decision: Decision) -> Json:
        decided = await desk.decide(
            session_id, amount_minor=decision.amount_minor, by=decision.by, why=decision.why
        )
        if not decided:
            raise HTTPException(404, f"there is no session {session_id}")
        return {"accepted": True}

    @router.post(
        "/alarms/{key}/acknowledge",
        summary="Take note of an alarm: it waits no more",
        responses={404: {"model": Problem, "description": "No such alarm"}, **REFUSED},
    )
    async def acknowledge(
        key: Annotated[str, Path(description="As in `key`", max_length=128)],
        acknowledgement: Acknowledgement,
    ) -> Json:
        if not await desk.acknowledge(key, by=acknowledgement.by):
            raise HTTPException(404, f"there is no alarm {key}")
        return {"acknowledged": True}
