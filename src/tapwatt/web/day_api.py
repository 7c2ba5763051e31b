"""`/api/v1`: sessions found a page at a time, notes, open holds, the figures of a day."""

from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Response
from pydantic import Field

from tapwatt.platform import audit
from tapwatt.platform import notes as kept
from tapwatt.platform.finding import Wanted
from tapwatt.platform.notes import TEXT_MAX
from tapwatt.web.answers.places import FiguresOfDay
from tapwatt.web.answers.sessions import Holds, Notes, SessionsPage
from tapwatt.web.api import MISSING, REFUSED
from tapwatt.web.asked import (
    MOST_MINOR,
    MOST_MS,
    NO_NUL,
    ApiRoute,
    By,
    Cursor,
    Given,
    Json,
    Limit,
    Sent,
    SessionId,
    answer,
    once,
)
from tapwatt.web.day import FIRST_DAY, LAST_DAY, Day
from tapwatt.web.desk import Desk
from tapwatt.web.gate import acting

Word = Annotated[str | None, Query(min_length=1, max_length=64, pattern=NO_NUL)]


class NoteWritten(Given):
    """What somebody writes about a session."""

    text: str = Field(
        min_length=1,
        max_length=TEXT_MAX,
        pattern=r"^[^\u0000]*[^\s\u0000][^\u0000]*$",
        description="No card number: it is refused",
    )
    by: By = "operator"


def day_api(day: Day, desk: Desk) -> APIRouter:
    """The routes of a day's work."""
    router = APIRouter(prefix="/api/v1", route_class=ApiRoute)
    _finding(router, day)
    _notes(router, day, desk)

    @router.get(
        "/holds",
        summary="Open holds with their age, what ends first first, a page at a time",
        response_model=Holds,
    )
    async def holds(limit: Limit = 200, cursor: Cursor = None) -> Response:
        return answer(await day.holds(cursor=cursor, most=limit))

    @router.get(
        "/figures",
        summary="The key figures of a day, by the operator's clock",
        response_model=FiguresOfDay,
    )
    async def figures(
        of: Annotated[
            date | None,
            Query(
                alias="day",
                json_schema_extra={"pattern": "^[2-8][0-9]{3}-[0-9]{2}-[0-9]{2}$"},
                description=f"Today, if none is named; {FIRST_DAY} to {LAST_DAY}",
            ),
        ] = None,
    ) -> Response:
        if of is not None and not FIRST_DAY <= of <= LAST_DAY:
            raise HTTPException(422, f"day is one from {FIRST_DAY} to {LAST_DAY}")
        found = await day.figures(of)
        counted = found["figures"]
        shown = {**asdict(counted), "approval_permille": counted.approval_permille}
        return answer({**found, "figures": shown})

    return router


def _finding(router: APIRouter, day: Day) -> None:
    @router.get("/sessions", summary="Sessions, newest first, a page at a time", response_model=SessionsPage)
    async def sessions(
        limit: Limit = 50,
        cursor: Cursor = None,
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
    ) -> Response:
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
        return answer(await day.sessions(wanted, cursor=cursor, most=limit))


def _notes(router: APIRouter, day: Day, desk: Desk) -> None:
    @router.get(
        "/sessions/{session_id}/notes",
        summary="What people wrote about a session, oldest first",
        response_model=Notes,
    )
    async def notes(session_id: SessionId) -> Response:
        return answer({"notes": await day.notes(session_id)})

    @router.post(
        "/sessions/{session_id}/notes",
        status_code=201,
        summary="Write a note: it can be neither changed nor taken away",
        response_model=Notes,
        responses={**MISSING, **REFUSED},
    )
    async def write(session_id: SessionId, note: NoteWritten, sent: Sent) -> Response:
        named: Json = {"operator_id": day.operator_id, "session_id": session_id}
        who, at_ms = acting(day.operator_id, note.by), day.now_ms()
        written: Json = {
            "text": note.text,
            "by": who.name,
            "key": sent.own_key or day.new_key(),
            "at_ms": at_ms,
        }

        def work(tx: Any, _: Any) -> Json:
            if not kept.add(tx, **named, **written):
                raise HTTPException(404, f"there is no session {session_id}")
            audit.append(tx, who, "note", session_id, at_ms=at_ms)
            return {"notes": kept.of_session(tx, **named)}

        return await once(desk.engine, sent, work, status=201)
