"""The console's pages: the live board, and the story of one session. Review queue and tariffs have files of
their own."""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from tapwatt.core.screen import is_receipt_link
from tapwatt.pages.layout import environment, render
from tapwatt.platform.access import Permission
from tapwatt.web import language
from tapwatt.web.chart.drawing import chart_page
from tapwatt.web.day import Day
from tapwatt.web.desk import Desk
from tapwatt.web.doors import Doors
from tapwatt.web.gate import WHO, Gate, csrf_field
from tapwatt.web.login import LoginPages
from tapwatt.web.looking import Looking
from tapwatt.web.orders import Orders
from tapwatt.web.people import PeoplePages
from tapwatt.web.queue import ReviewQueue
from tapwatt.web.record import RecordPages
from tapwatt.web.sentences import in_words
from tapwatt.web.story import timeline
from tapwatt.web.tariff_desk import TariffDesk
from tapwatt.web.tariffs import TariffPages
from tapwatt.web.webhook_pages import WebhookPages
from tapwatt.web.worklists import Worklists

Json = dict[str, Any]
Payment = Annotated[str, Query(max_length=64)]
SESSION_TONES = {
    "charging": "busy", "starting": "busy", "authorising": "busy", "stopping": "busy", "closing": "busy",
    "ready": "busy", "offered": "", "closed": "good", "failed": "warn", "review": "bad",
}  # fmt: skip
STATUS_TONES = {
    "available": "good", "preparing": "busy", "charging": "busy", "finishing": "", "faulted": "bad",
    "unavailable": "warn", "ready": "good", "busy": "busy", "offline": "bad", "unknown": "",
}  # fmt: skip
"""Colours go with words, never instead of them."""

NAV = (
    ("/", "Live board"), ("/sessions", "Sessions"), ("/review", "Review"), ("/holds", "Holds"),
    ("/alarms", "Alarms"), ("/stations", "Stations"), ("/terminals", "Terminals"), ("/tariffs", "Tariffs"),
    ("/figures", "Figures"), ("/webhooks", "Webhooks"), ("/people", "People"),
    ("/approvals", "Approvals"), ("/audit", "Audit log"),
)  # fmt: skip
NEEDED = {
    "/people": Permission.PEOPLE, "/audit": Permission.AUDIT, "/webhooks": Permission.WEBHOOK,
}  # fmt: skip
"""Pages that not everybody who reads may see."""
OF_PEOPLE = ("/people", "/approvals", "/audit")
"""Pages that nobody needs before there are people."""
TITLES = {403: "Not allowed", 404: "Not found", 405: "Not possible here", 409: "Not possible now"}
STOPPABLE = ("offered", "authorising", "ready", "starting", "charging")
CONNECTORS_MAX, TERMINALS_MAX, ALARMS_MAX, STEPS_MAX = 60, 20, 8, 80
MESSAGES_MAX, MESSAGE_CHARACTERS_MAX = 40, 300
"""What one page shows at most; what it leaves out is counted on it."""

BOARD = ("figures", "stations", "terminals", "alarms", "latest")
CHART = ("followed", "wires", "heard")
STORY = ("head", "timeline", "money", "bill", "receipt", "ledger", "messages", "notes")


class _Nav:
    """The pages that whoever is looking may see."""

    def __iter__(self) -> Iterator[tuple[str, str]]:
        who = WHO.get()
        shown = [row for row in NAV if who.via != "open" or row[0] not in OF_PEOPLE]
        return (row for row in shown if who.may(NEEDED.get(row[0], Permission.READ)))


class Console:
    """The pages of one operator's desk."""

    def __init__(
        self, desk: Desk, tariffs: TariffDesk, day: Day, doors: Doors, gate: Gate, orders: Orders
    ) -> None:
        self._desk = desk
        self._day = day
        self._looking = Looking(live=desk.live, gate=gate)
        self._env = environment("tapwatt.web", links=desk.links, csrf_field=csrf_field)
        self._env.globals["who"] = self._env.globals["logged_in"] = WHO.get
        self._env.filters["in_words"] = in_words
        self._env.tests["receipt_link"] = is_receipt_link
        self._env.globals["session_tones"] = SESSION_TONES
        self._env.globals["status_tones"] = STATUS_TONES
        self._env.globals["stoppable"] = STOPPABLE
        self._env.globals["nav"] = _Nav()
        self._queue = ReviewQueue(desk, self._looking, self._env)
        self._tariffs = TariffPages(tariffs, desk, self._env)
        self._worklists = Worklists(day, self._env)
        self._webhooks = WebhookPages(desk, self._env)
        self._login = LoginPages(doors, gate, self._env)
        self._people = PeoplePages(doors, gate, self._env)
        self._record = RecordPages(orders, self._env)

    def router(self) -> APIRouter:
        """The pages' routes."""
        router = APIRouter(include_in_schema=False)
        router.add_api_route("/", self.board, methods=["GET"])
        router.add_api_route("/live/board", self.live_board, methods=["GET"])
        router.add_api_route("/sessions/{session_id}", self.session, methods=["GET"])
        router.add_api_route("/live/sessions/{session_id}", self.live_session, methods=["GET"])
        router.add_api_route("/sessions/{session_id}/stop", self.stop, methods=["POST"])
        router.add_api_route("/sessions/{session_id}/chart", self.chart, methods=["GET"])
        router.add_api_route("/live/sessions/{session_id}/chart", self.live_chart, methods=["GET"])
        self._queue.add_to(router)
        self._tariffs.add_to(router)
        self._worklists.add_to(router)
        self._webhooks.add_to(router)
        self._login.add_to(router)
        self._people.add_to(router)
        self._record.add_to(router)
        language.add_to(router)
        return router

    async def board(self) -> Response:
        """The live board."""
        shown = board_page(await self._desk.overview())
        return HTMLResponse(render(self._env, "board.html", live="/live/board", **shown))

    async def live_board(self, request: Request) -> Response:
        """Its changes, as they happen."""

        async def pieces() -> Mapping[str, str]:
            return self._pieces(BOARD, board_page(await self._desk.overview()))

        return await self._looking.at(request, "board", pieces)

    async def session(self, session_id: str) -> Response:
        """The story of a session."""
        shown = session_page(await self._found(session_id), now_ms=self._desk.now_ms())
        return HTMLResponse(render(self._env, "session.html", live=f"/live/sessions/{session_id}", **shown))

    async def live_session(self, session_id: str, request: Request) -> Response:
        """Its changes, as they happen."""
        await self._found(session_id)

        async def pieces() -> Mapping[str, str]:
            found = await self._found(session_id)
            return self._pieces(STORY, session_page(found, now_ms=self._desk.now_ms()))

        return await self._looking.at(request, f"session {session_id}", pieces)

    async def chart(self, session_id: str, payment: Payment = "") -> Response:
        """The sequence chart of a session; `payment` is the life cycle to follow."""
        live = f"/live/sessions/{session_id}/chart?{urlencode({'payment': payment})}"
        shown = await self._charted(session_id, payment)
        return HTMLResponse(render(self._env, "chart.html", live=live, **shown))

    async def live_chart(self, session_id: str, request: Request, payment: Payment = "") -> Response:
        """Its changes, as they happen."""
        await self._found(session_id)

        async def pieces() -> Mapping[str, str]:
            return self._pieces(CHART, await self._charted(session_id, payment))

        return await self._looking.at(request, f"chart {session_id} {payment}", pieces)

    async def _charted(self, session_id: str, payment: str) -> Json:
        found = await self._found(session_id)
        return chart_page(found, await self._desk.chart(found), chosen=payment)

    async def stop(self, session_id: str) -> Response:
        """Ask for the end of a session, then show it."""
        if not await self._desk.stop(session_id):
            raise HTTPException(404, f"there is no session {session_id}")
        return RedirectResponse(f"/sessions/{session_id}", status_code=303)

    def sorry(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> Response:
        """A page that says what is wrong."""
        title = TITLES.get(status, "Sorry")
        page = render(self._env, "sorry.html", live=None, title=title, reason=reason)
        return HTMLResponse(page, status_code=status, headers=headers)

    def _pieces(self, names: tuple[str, ...], shown: Json) -> dict[str, str]:
        return {name: render(self._env, f"pieces/{name}.html", **shown) for name in names}

    async def _found(self, session_id: str) -> Json:
        found = await self._desk.session(session_id)
        if found is None:
            raise HTTPException(404, f"there is no session {session_id}")
        return {**found, "notes": await self._day.notes(session_id)}


def board_page(overview: Json) -> Json:
    """What the board's templates show, bounded: a page stays under 100 KB however big the site is."""
    stations, connectors = [], 0
    for station in overview["stations"]:
        listed = [c for c in station["connectors"] if c["evse_id"]]
        connectors += max(1, len(listed))
        if connectors > CONNECTORS_MAX:
            break
        stations.append({**station, "connectors": listed})
    return {
        **overview,
        "stations": stations,
        "stations_left_out": len(overview["stations"]) - len(stations),
        "terminals": overview["terminals"][:TERMINALS_MAX],
        "terminals_left_out": max(0, len(overview["terminals"]) - TERMINALS_MAX),
        "alarms": overview["alarms"][:ALARMS_MAX],
        "alarms_left_out": max(0, len(overview["alarms"]) - ALARMS_MAX),
    }


def session_page(found: Json, *, now_ms: int) -> Json:
    """What the session's templates show, bounded: how it began and what was last, if it is too long."""
    steps = timeline(found)
    left_out = max(0, len(steps) - STEPS_MAX)
    if left_out:
        begun = STEPS_MAX // 4
        steps = [*steps[:begun], *steps[begun + left_out :]]
    return {
        "session": found,
        "steps": steps,
        "steps_left_out": left_out,
        "messages": [
            {**message, "text": _cut(json.dumps(message["body"], ensure_ascii=False))}
            for message in found["messages"][-MESSAGES_MAX:]
        ],
        "now_ms": now_ms,
    }


def _cut(text: str) -> str:
    return text if len(text) <= MESSAGE_CHARACTERS_MAX else text[:MESSAGE_CHARACTERS_MAX] + "…"
