"""The console's review queue: what waits for a person, and the forms to decide it with."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment

from tapwatt.core.money import to_minor
from tapwatt.pages.layout import render
from tapwatt.web.desk import Desk
from tapwatt.web.forms import read_form
from tapwatt.web.looking import Looking

FORM_BYTES_MAX = 4096
WHY_LEAST, WHY_MOST = 3, 500
ALARMS_SHOWN = 30
PIECES = ("queue", "noted")


class ReviewQueue:
    """The pages of the queue."""

    def __init__(self, desk: Desk, looking: Looking, env: Environment) -> None:
        self._desk = desk
        self._looking = looking
        self._env = env

    def add_to(self, router: APIRouter) -> None:
        """Add the queue's routes."""
        router.add_api_route("/review", self.page, methods=["GET"])
        router.add_api_route("/live/review", self.live, methods=["GET"])
        router.add_api_route("/review/{session_id}", self.decide, methods=["POST"])
        router.add_api_route("/alarms/{key}/acknowledge", self.acknowledge, methods=["POST"])

    async def page(self) -> Response:
        """The queue."""
        shown = queue_page(await self._desk.review())
        return HTMLResponse(render(self._env, "review.html", live="/live/review", **shown))

    async def live(self, request: Request) -> Response:
        """Its changes, as they happen. What somebody is typing stays."""

        async def pieces() -> Mapping[str, str]:
            shown = queue_page(await self._desk.review())
            return {name: render(self._env, f"pieces/{name}.html", **shown) for name in PIECES}

        return await self._looking.at(request, "review", pieces)

    async def decide(self, session_id: str, request: Request) -> Response:
        """Take the amount that was typed, or give everything back; then show the session."""
        form = await read_form(request, most_bytes=FORM_BYTES_MAX)
        why = form.get("why", "").strip()
        if not WHY_LEAST <= len(why) <= WHY_MOST:
            raise HTTPException(422, f"a reason of {WHY_LEAST} to {WHY_MOST} characters is needed")
        found = await self._desk.session(session_id)
        if found is None:
            raise HTTPException(404, f"there is no session {session_id}")
        amount_minor = 0
        if form.get("do") == "take":
            try:
                amount_minor = to_minor(form.get("amount", ""), currency=found["currency"])
            except ValueError as error:
                raise HTTPException(422, str(error)) from None
            if not amount_minor:
                raise HTTPException(422, "to take nothing, give the hold back")
        elif form.get("do") != "give-back":
            raise HTTPException(422, "say whether to capture an amount or to give the hold back")
        await self._desk.decide(session_id, amount_minor=amount_minor, by="operator", why=why)
        return RedirectResponse(f"/sessions/{session_id}", status_code=303)

    async def acknowledge(self, key: str) -> Response:
        """Take note of an alarm, then show what still waits."""
        if not await self._desk.acknowledge(key, by="operator"):
            raise HTTPException(404, f"there is no alarm {key}")
        return RedirectResponse("/review", status_code=303)


def queue_page(queue: dict[str, Any]) -> dict[str, Any]:
    """What the queue's templates show, bounded."""
    return {
        **queue,
        "alarms": queue["alarms"][:ALARMS_SHOWN],
        "alarms_left_out": max(0, len(queue["alarms"]) - ALARMS_SHOWN),
    }
