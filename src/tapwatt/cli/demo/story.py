"""Tells what happens, line by line with amounts, from the sessions as the platform shows them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from tapwatt.core.energy import show_kwh
from tapwatt.core.money import show

Json = dict[str, Any]


class Story:
    """Remembers what it has told, so that each change is told once."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._told: dict[str, tuple[object, ...]] = {}

    def tell(self, sessions: list[Json]) -> None:
        """Say what is new; oldest session first."""
        for session in reversed(sessions):
            mark = (session["state"], session["payment_state"])
            if self._told.get(session["session_id"]) == mark:
                continue
            self._told[session["session_id"]] = mark
            self._say(f"{_clock()}  {session['session_id'][-5:]}  {line(session)}")

    def skip(self, sessions: list[Json]) -> None:
        """Pass over what was there before."""
        for session in sessions:
            self._told[session["session_id"]] = (session["state"], session["payment_state"])


def line(session: Json) -> str:
    """One session's present state in plain words."""
    currency = session["currency"]

    def money(name: str) -> str:
        return show(session[f"{name}_minor"], currency=currency)

    card = f"{session['brand'] or 'card'} …{session['last_four']}" if session["last_four"] else "account"
    energy = f"{show_kwh(session['energy_wh'])} kWh"
    connector = f"{session['station_id']}/{session['evse_id']}"
    ended = f"{session['reason']}, {session['detail'] or 'nothing taken'}"
    return {
        "offered": f"plugged in at {connector}: {session['price']}, {session['hold']}",
        "authorising": f"tap, {card}: asking for the hold",
        "ready": f"{money('authorised')} held, waiting for the car",
        "starting": f"{money('authorised')} held, asking the station to start",
        "charging": f"power flows, {money('authorised')} held",
        "stopping": f"stopping at {energy}, {session['cost']} so far",
        "closing": f"{energy} delivered, {session['cost']}: settling ({session['payment_state']})",
        "closed": f"done: {energy}, captured {money('captured')}, released {money('released')}"
        + (f" ({session['reason']})" if session["reason"] else ""),
        "failed": f"ended: {ended}; captured {money('captured')}",
        "review": f"needs a person: {session['reason']}, {session['detail']}",
    }[session["state"]]


def _clock() -> str:
    return datetime.now().astimezone().strftime("%H:%M:%S")
