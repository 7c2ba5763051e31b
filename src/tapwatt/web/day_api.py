"""`/api/v1`: sessions found a page at a time, notes, open holds, the figures of a day."""

from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Header, HTTPException, Query
from pydantic import BaseModel, Field

from tapwatt.platform.finding import CURSOR_MAX, UnableToRead, Wanted
from tapwatt.platform.notes import TEXT_MAX, UnableToNote
from tapwatt.platform.views import PAGE_MAX
from tapwatt.web.api import MISSING, PROBLEMS, REFUSED, SessionId
from tapwatt.web.day import Day

Json = dict[str, Any]
MOST_MS, MOST_MINOR = 10**14, 10**12
Word = Annotated[str | None, Query(min_length=1, max_length=64)]


class Note(BaseModel):
    """What somebody writes about a session."""

    text: str = Field(min_length=1, max_length=TEXT_MAX, description="No card number: it is refused")
    by: str = Field("operator", min_length=1, max_length=64, description="Who writes")


def day_api(day: Day) -> APIRouter:
    """The routes of a day's work."""
    router = APIRouter(prefix="/api/v1", responses=PROBLEMS)
    _finding(router, day)
    _notes(router, day)

    @router.get("/holds", summary="Open holds with their age, what ends first first")
    async def holds() -> Json:
        return await day.holds()

    @router.get("/figures", summary="The key figures of a day, by the operator's clock")
    async def figures(
        of: Annotated[date | None, Query(alias="day", description="Today, if none is named")] = None,
    ) -> Json:
        found = await day.figures(of)
        counted = found["figures"]
        return {
            **found,
            "figures": {**asdict(counted), "approval_permille": counted.approval_permille},
        }

    return router


def _finding(router: APIRouter, day: Day) -> None:
    @router.get("/sessions", summary="Sessions, newest first, a page at a time")
    async def sessions(
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
        cursor: Annotated[
            str | None, Query(max_length=CURSOR_MAX, description="`cursor` of the page before")
        ] = None,
        last_four: Annotated[str | None, Query(pattern=r"^[0-9]{4}$")] = None,
        from_ms: Annotated[int | None, Query(ge=0, le=MOST_MS, description="Opened then or later")] = None,
        to_ms: Annotated[int | None, Query(ge=0, le=MOST_MS, description="Opened before then")] = None,
        station_id: Word = None,
        amount_minor: Annotated[
            int | None, Query(ge=0, le=MOST_MINOR, description="Captured or held, exactly")
        ] = None,
        state: Word = None,
        leader: Word = None,
        reason: Word = None,
    ) -> Json:
        wanted = Wanted(
            last_four=last_four,
            from_ms=from_ms,
            to_ms=to_ms,
            station_id=station_id,
            amount_minor=amount_minor,
            state=state,
            leader=leader,
            reason=reason,
        )
        try:
            return await day.sessions(wanted, cursor=cursor, most=limit)
        except UnableToRead as error:
            raise HTTPException(422, str(error)) from None


def _notes(router: APIRouter, day: Day) -> None:
    @router.get("/sessions/{session_id}/notes", summary="What people wrote about a session, oldest first")
    async def notes(session_id: SessionId) -> Json:
        return {"notes": await day.notes(session_id)}

    @router.post(
        "/sessions/{session_id}/notes",
        status_code=201,
        summary="Write a note: it can be neither changed nor taken away",
        responses={**MISSING, **REFUSED},
    )
    async def write(
        session_id: SessionId,
        note: Note,
        idempotency_key: Annotated[
            str | None,
            Header(
                description="A note sent again under its key is the same note", min_length=1, max_length=64
            ),
        ] = None,
    ) -> Json:
        try:
            known = await day.note(session_id, text=note.text, by=note.by, key=idempotency_key)
        except UnableToNote as error:
            raise HTTPException(422, str(error)) from None
        if not known:
            raise HTTPException(404, f"there is no session {session_id}")
        return {"notes": await day.notes(session_id)}
