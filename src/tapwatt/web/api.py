"""`/api/v1`: the board, sessions and what waits for a person, as JSON."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Response
from pydantic import Field

from tapwatt.platform import audit, review, session_orders
from tapwatt.platform.approvals import Kind, Order
from tapwatt.web.answers.outside import Approval
from tapwatt.web.answers.places import AccountsPage, Board, Summary, TerminalsPage
from tapwatt.web.answers.sessions import (
    Accepted,
    Acknowledged,
    AlarmsPage,
    Chart,
    NotedPage,
    ReviewQueue,
    SessionWhole,
)
from tapwatt.web.asked import (
    MOST_MINOR,
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
from tapwatt.web.day import Day
from tapwatt.web.desk import Desk
from tapwatt.web.gate import acting
from tapwatt.web.given import given
from tapwatt.web.problems import Responses, told


class Decision(Given):
    """What a person decides about a session in review."""

    amount_minor: int = Field(
        ge=0, le=MOST_MINOR, description="To be taken from the hold; 0 gives all of it back"
    )
    why: str = Field(
        min_length=3, max_length=500, pattern=NO_NUL, description="The reason, kept with the session"
    )
    by: By = "operator"


class HoldChoice(Given):
    """How much a driver wants to have held."""

    amount_minor: int = Field(gt=0, le=MOST_MINOR, description="One of the session's `hold_choices_minor`")


class Acknowledgement(Given):
    """Who took note of an alarm."""

    by: By = "operator"


MISSING: Responses = told({404: "No such session"})
REFUSED: Responses = told({409: "The session cannot take it, or the key's order is not over"})


def api(desk: Desk, day: Day) -> APIRouter:
    """The API's routes for one operator's desk."""
    router = APIRouter(prefix="/api/v1", route_class=ApiRoute)

    @router.get("/summary", summary="What is open and what waits", response_model=Summary)
    async def summary() -> Response:
        return answer(await desk.summary())

    @router.get(
        "/board", summary="Stations, connectors, terminals and running sessions", response_model=Board
    )
    async def board() -> Response:
        return answer(await desk.board())

    @router.get(
        "/sessions/{session_id}",
        summary="One session: events, effects, ledger, bill, receipt, money at each party",
        response_model=SessionWhole,
        responses=MISSING,
    )
    async def session(session_id: SessionId) -> Response:
        return answer(await _found(desk, session_id))

    @router.get(
        "/sessions/{session_id}/chart",
        summary="Every message between the parties of one session, decoded and masked",
        response_model=Chart,
        responses=MISSING,
    )
    async def chart(session_id: SessionId) -> Response:
        return answer(await desk.chart(await _found(desk, session_id)))

    @router.get("/accounts", summary="Accounts of tags, a page at a time", response_model=AccountsPage)
    async def accounts(limit: Limit = 50, cursor: Cursor = None) -> Response:
        return answer(await day.accounts(cursor=cursor, most=limit))

    @router.get("/terminals", summary="Terminals with their health", response_model=TerminalsPage)
    async def terminals(limit: Limit = 50, cursor: Cursor = None) -> Response:
        return answer(await day.terminals_page(cursor=cursor, most=limit))

    _orders(router, desk)
    _waiting(router, desk, day)
    return router


def _orders(router: APIRouter, desk: Desk) -> None:
    """Orders to a session."""

    @router.post(
        "/sessions/{session_id}/stop",
        status_code=202,
        summary="Ask for the end of a session",
        response_model=Accepted,
        responses={**MISSING, **REFUSED},
    )
    async def stop(session_id: SessionId, sent: Sent) -> Response:
        order: Json = {"session_id": session_id, "at_ms": desk.now_ms()}
        who = acting(desk.operator_id)

        def work(tx: Any, stepper: Any) -> Json:
            known = session_orders.stop(tx, stepper, who, **order)
            return _accepted(known, session_id)

        return await once(desk.engine, sent, work, status=202)

    @router.post(
        "/sessions/{session_id}/hold",
        status_code=202,
        summary="Choose another of the holds that were offered, before the tap",
        response_model=Accepted,
        responses={**MISSING, **REFUSED},
    )
    async def choose_hold(session_id: SessionId, choice: HoldChoice, sent: Sent) -> Response:
        order: Json = {"session_id": session_id, "at_ms": desk.now_ms()}
        who = acting(desk.operator_id)

        def work(tx: Any, stepper: Any) -> Json:
            known = session_orders.choose_hold(tx, stepper, who, **order, amount_minor=choice.amount_minor)
            return _accepted(known, session_id)

        return await once(desk.engine, sent, work, status=202)

    @router.post(
        "/sessions/{session_id}/decide",
        status_code=202,
        summary="Decide a session in review: take an amount, or give all back",
        response_model=Accepted | Approval,
        responses={**MISSING, **REFUSED},
    )
    async def decide(session_id: SessionId, decision: Decision, sent: Sent) -> Response:
        body = {"amount_minor": decision.amount_minor, "why": decision.why}
        order = Order(kind=Kind.DECIDE, subject=session_id, body=body)
        return await given(
            desk, sent, order, by=decision.by, status=202, shown=lambda _, done: _accepted(done, session_id)
        )


def _waiting(router: APIRouter, desk: Desk, day: Day) -> None:
    """What waits for a person."""

    @router.get(
        "/review",
        summary="Sessions that wait for a person's decision, alarms, orphan messages",
        response_model=ReviewQueue,
    )
    async def queue() -> Response:
        return answer(await desk.review())

    @router.get("/alarms", summary="What nobody has taken note of, newest first", response_model=AlarmsPage)
    async def alarms(limit: Limit = 50, cursor: Cursor = None) -> Response:
        return answer(await day.alarms_waiting(cursor=cursor, most=limit))

    @router.get("/alarms/noted", summary="What somebody took note of, last first", response_model=NotedPage)
    async def noted(limit: Limit = 50, cursor: Cursor = None) -> Response:
        return answer(await day.alarms_noted(cursor=cursor, most=limit))

    @router.post(
        "/alarms/{key}/acknowledge",
        summary="Take note of an alarm: it waits no more",
        response_model=Acknowledged,
        responses=told({404: "No such alarm", 409: "The key's order is not over"}),
    )
    async def acknowledge(
        key: Annotated[str, Path(description="As in `key`", max_length=128)],
        acknowledgement: Acknowledgement,
        sent: Sent,
    ) -> Response:
        who, at_ms = acting(desk.operator_id, acknowledgement.by), desk.now_ms()

        def work(tx: Any, _: Any) -> Json:
            if not review.acknowledge(tx, operator_id=who.operator_id, key=key, by=who.name, at_ms=at_ms):
                raise HTTPException(404, f"there is no alarm {key}")
            audit.append(tx, who, "alarm acknowledged", key, at_ms=at_ms)
            return {"acknowledged": True}

        done = await once(desk.engine, sent, work)
        desk.live.changed()
        return done


async def _found(desk: Desk, session_id: str) -> Json:
    found = await desk.session(session_id)
    if found is None:
        raise HTTPException(404, f"there is no session {session_id}")
    return found


def _accepted(known: bool, session_id: str) -> Json:
    if not known:
        raise HTTPException(404, f"there is no session {session_id}")
    return {"accepted": True}
