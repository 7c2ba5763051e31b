"""The console's two pages: the live board, and the story of one session."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse

from tapwatt.pages.layout import environment, render
from tapwatt.pages.live import TooManyLookers
from tapwatt.web.desk import Desk

Json = dict[str, Any]
TAGS = {
    "charging": "busy", "starting": "busy", "authorising": "busy", "stopping": "busy", "closing": "busy",
    "ready": "busy", "offered": "", "closed": "good", "failed": "warn", "review": "bad",
}  # fmt: skip
STATUS_TAGS = {
    "available": "good", "preparing": "busy", "charging": "busy", "finishing": "", "faulted": "bad",
    "unavailable": "warn", "ready": "good", "busy": "busy", "offline": "bad",
}  # fmt: skip


def console(desk: Desk) -> APIRouter:
    """The pages' routes for one operator's desk."""
    router = APIRouter(include_in_schema=False)
    env = environment("tapwatt.web")
    env.globals["session_tag"] = TAGS
    env.globals["status_tag"] = STATUS_TAGS

    async def board_pieces() -> Mapping[str, str]:
        board = await desk.board()
        recent = await desk.sessions(12)
        return {
            "figures": render(env, "figures.html", summary=board["summary"]),
            "bays": render(env, "bays.html", stations=board["stations"]),
            "terminals": render(env, "terminals.html", terminals=board["terminals"]),
            "recent": render(env, "recent.html", sessions=recent),
        }

    @router.get("/")
    async def board() -> HTMLResponse:
        pieces = await board_pieces()
        return HTMLResponse(render(env, "board.html", live="/live/board", pieces=pieces))

    @router.get("/live/board")
    async def live_board() -> StreamingResponse:
        return _stream(desk, board_pieces)

    @router.get("/sessions/{session_id}")
    async def session(session_id: str) -> HTMLResponse:
        found = await desk.session(session_id)
        if found is None:
            page = render(env, "missing.html", live=None, what=f"There is no session {session_id}.")
            return HTMLResponse(page, status_code=404)
        pieces = _session_pieces(env, found)
        page = render(env, "session.html", live=f"/live/sessions/{session_id}", session=found, pieces=pieces)
        return HTMLResponse(page)

    @router.get("/live/sessions/{session_id}")
    async def live_session(session_id: str) -> StreamingResponse:
        if await desk.session(session_id) is None:
            raise HTTPException(404, f"there is no session {session_id}")

        async def pieces() -> Mapping[str, str]:
            found = await desk.session(session_id)
            return {} if found is None else _session_pieces(env, found)

        return _stream(desk, pieces)

    @router.post("/sessions/{session_id}/stop")
    async def stop(session_id: str) -> RedirectResponse:
        if not await desk.stop(session_id):
            raise HTTPException(404, f"there is no session {session_id}")
        return RedirectResponse(f"/sessions/{session_id}", status_code=303)

    return router


def _session_pieces(env: Any, found: Json) -> dict[str, str]:
    return {
        "head": render(env, "session_head.html", session=found),
        "timeline": render(env, "timeline.html", steps=timeline(found)),
        "money": render(env, "money.html", session=found),
    }


def timeline(found: Json) -> list[Json]:
    """Events and the effects that each of them asked for, in order."""
    effects: dict[int, list[Json]] = {}
    for effect in found["effects"]:
        effects.setdefault(effect["version"], []).append(effect)
    return [
        {**event, "effects": effects.get(event["version"], []) if event["version"] is not None else []}
        for event in found["events"]
    ]


def _stream(desk: Desk, draw: Callable[[], Awaitable[Mapping[str, str]]]) -> StreamingResponse:
    async def events() -> AsyncIterator[str]:
        try:
            async for piece in desk.live.fragments(draw):
                yield piece
        except TooManyLookers:
            yield "retry: 30000\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")
