"""Tells what happens, line by line with amounts, from the events of the sessions as the platform shows
them."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from tapwatt.core.energy import show_kwh
from tapwatt.core.money import show

Json = dict[str, Any]
ENDED = ("closed", "failed", "review")


class Story:
    """Remembers what it has told, so that each step is told once, even across restarts of the platform."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._told: dict[str, int] = {}
        self._remarks: set[str] = set()

    def remark(self, text: str) -> None:
        """Say something once."""
        if text not in self._remarks:
            self._remarks.add(text)
            self._say(text)

    def skip(self, sessions: list[Json]) -> None:
        """Pass over what was there before."""
        self._told |= {session["session_id"]: session["version"] for session in sessions}

    async def tell(self, sessions: list[Json], page: Callable[[str], Awaitable[Json]]) -> None:
        """Say what is new, oldest session first; `page` fetches one session with its events."""
        for session in reversed(sessions):
            name = session["session_id"]
            told = self._told.get(name, 0)
            if session["version"] <= told:
                continue
            whole = await page(name)
            for event in whole["events"]:
                if (event["version"] or 0) > told and event["before"] != event["after"]:
                    self._say(f"{_clock(event['at_ms'])}  {name[-5:]}  {line(event, whole)}")
            self._told[name] = whole["version"]


def line(event: Json, session: Json) -> str:
    """One step of a session in plain words."""
    currency, body = session["currency"], event["body"]

    def money(name: str) -> str:
        return show(session[f"{name}_minor"], currency=currency)

    card = f"{session['brand'] or 'card'} …{session['last_four']}" if session["last_four"] else "a known tag"
    energy = f"{show_kwh(session['energy_wh'])} kWh"
    reason = f" ({session['reason']})" if session["reason"] else ""
    held = show(body.get("amount_minor") or session["authorised_minor"], currency=currency)
    connector = f"{session['station_id']}/{session['evse_id']}"
    detail = f": {session['detail']}" if session["detail"] else ""
    return {
        "offered": f"plugged in at {connector}: {session['price']}, {session['hold']}",
        "authorising": f"{card} tapped, asking for the hold",
        "ready": f"{held} held, waiting for the car",
        "starting": f"{held} held, asking the station to start",
        "charging": f"power flows at {connector}",
        "stopping": f"asked to stop{detail}",
        "closing": f"{energy} delivered for {session['cost']}, settling{reason}",
        "closed": f"done: {energy}, captured {money('captured')}, released {money('released')}{reason}",
        "failed": f"ended without a charge: {session['reason']}{detail}",
        "review": f"needs a person: {session['reason']}{detail}",
    }[event["after"]]


def _clock(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000).astimezone().strftime("%H:%M:%S")
