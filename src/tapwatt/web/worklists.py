"""The console's lists for a day's work: sessions by search, open holds, alarms, stations, terminals, figures.

All of it works with links and forms alone. What is longer than a page has a link to the next.
"""

from datetime import date, timedelta
from urllib.parse import quote, urlencode

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment

from tapwatt.pages.layout import render
from tapwatt.platform.finding import CURSOR_MAX, UnableToRead
from tapwatt.platform.notes import UnableToNote
from tapwatt.web import search_form
from tapwatt.web.charts import charts
from tapwatt.web.day import FIRST_DAY, LAST_DAY, Day, Json
from tapwatt.web.forms import read_form

PAGE = 50
HOLDS_SHOWN, ALARMS_SHOWN, KEYS_SHOWN = 60, 60, 60
NAME_MAX = 64
FORM_BYTES_MAX = 16_384


class Worklists:
    """The lists of one operator."""

    def __init__(self, day: Day, env: Environment) -> None:
        self._day = day
        self._env = env

    def add_to(self, router: APIRouter) -> None:
        """Add the lists' routes."""
        router.add_api_route("/sessions", self.sessions, methods=["GET"])
        router.add_api_route("/sessions/{session_id}/notes", self.note, methods=["POST"])
        router.add_api_route("/holds", self.holds, methods=["GET"])
        router.add_api_route("/alarms", self.alarms, methods=["GET"])
        router.add_api_route("/stations", self.stations, methods=["GET"])
        router.add_api_route("/stations/{station_id}", self.station, methods=["GET"])
        router.add_api_route("/terminals", self.terminals, methods=["GET"])
        router.add_api_route("/figures", self.figures, methods=["GET"])

    async def sessions(self, request: Request) -> Response:
        """Sessions by search, a page at a time."""
        search = search_form.read_search(
            request.query_params, zone=await self._day.zone(), currency=await self._day.currency()
        )
        cursor = request.query_params.get("cursor", "")[:CURSOR_MAX] or None
        try:
            found = await self._day.sessions(search.wanted, cursor=cursor, most=PAGE)
        except UnableToRead as error:
            raise HTTPException(422, str(error)) from None
        after = found["cursor"] and f"/sessions?{search.address}&{urlencode({'cursor': found['cursor']})}"
        return self._html(
            "sessions.html",
            status=422 if search.wrong else 200,
            latest=found["sessions"],
            after=after,
            first=cursor is None,
            search=search,
            choices=search_form,
        )

    async def note(self, session_id: str, request: Request) -> Response:
        """Keep a note, then show the session."""
        form = await read_form(request, most_bytes=FORM_BYTES_MAX)
        try:
            known = await self._day.note(
                session_id, text=form.get("text", ""), by="operator", key=form.get("key", "")[:NAME_MAX]
            )
        except UnableToNote as error:
            raise HTTPException(422, str(error)) from None
        if not known:
            raise HTTPException(404, f"there is no session {session_id}")
        return RedirectResponse(f"/sessions/{quote(session_id, safe='')}#notes", status_code=303)

    async def holds(self) -> Response:
        """Open holds."""
        found = await self._day.holds()
        shown = found["holds"][:HOLDS_SHOWN]
        return self._html(
            "holds.html", holds=shown, holds_left_out=found["total"] - len(shown), total=found["total"]
        )

    async def alarms(self) -> Response:
        """Alarms that wait, and who took note of the others."""
        found = await self._day.alarms()
        return self._html(
            "alarms.html",
            alarms=found["alarms"][:ALARMS_SHOWN],
            alarms_left_out=max(0, len(found["alarms"]) - ALARMS_SHOWN),
            noted=found["noted"],
        )

    async def stations(self, request: Request) -> Response:
        """Stations with their health."""
        found = await self._day.stations(_after(request))
        return self._html("stations.html", **found, first=not _after(request))

    async def terminals(self, request: Request) -> Response:
        """Terminals with their health."""
        found = await self._day.terminals(_after(request))
        return self._html("terminals.html", **found, first=not _after(request))

    async def station(self, station_id: str) -> Response:
        """One station."""
        found = await self._day.station(station_id)
        if found is None:
            raise HTTPException(404, f"there is no station {station_id}")
        keys = found["configuration"]
        return self._html(
            "station.html",
            station={**found, "configuration": keys[:KEYS_SHOWN]},
            keys_left_out=max(0, len(keys) - KEYS_SHOWN),
        )

    async def figures(self, request: Request) -> Response:
        """The key figures of a day, drawn and as tables."""
        found = await self._day.figures(_day(request.query_params.get("day", "")))
        of = found["day"]
        return self._html(
            "figures.html",
            **found,
            charts=charts(found["figures"]),
            before=of - timedelta(days=1),
            after=of + timedelta(days=1) if of < found["today"] else None,
        )

    def _html(self, template: str, *, status: int = 200, **values: object) -> Response:
        page: Json = {"live": None, "now_ms": self._day.now_ms(), **values}
        return HTMLResponse(render(self._env, template, **page), status_code=status)


def _after(request: Request) -> str:
    return request.query_params.get("after", "")[:NAME_MAX]


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise HTTPException(422, "day is a date such as 2027-01-15") from None
    if not FIRST_DAY <= found <= LAST_DAY:
        raise HTTPException(422, f"day is {FIRST_DAY} or later")
    return found
