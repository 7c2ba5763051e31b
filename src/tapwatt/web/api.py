"""`/api/v1`: what the console shows, as JSON."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query

from tapwatt.platform.views import PAGE_MAX
from tapwatt.web.desk import Desk

Json = dict[str, Any]


def api(desk: Desk) -> APIRouter:
    """The API's routes for one operator's desk."""
    router = APIRouter(prefix="/api/v1")

    @router.get("/summary", summary="What is open and what waits")
    async def summary() -> Json:
        return await desk.summary()

    @router.get("/board", summary="Stations, connectors, terminals and running sessions")
    async def board() -> Json:
        return await desk.board()

    @router.get("/sessions", summary="The newest sessions, newest first")
    async def sessions(limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50) -> Json:
        return {"sessions": await desk.sessions(limit)}

    @router.get("/sessions/{session_id}", summary="One session: timeline, ledger, bill, receipt")
    async def session(session_id: str) -> Json:
        found = await desk.session(session_id)
        if found is None:
            raise HTTPException(404, f"there is no session {session_id}")
        return found

    @router.post("/sessions/{session_id}/stop", status_code=202, summary="Ask for the end of a session")
    async def stop(session_id: str) -> Json:
        if not await desk.stop(session_id):
            raise HTTPException(404, f"there is no session {session_id}")
        return {"accepted": True}

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

    return router
