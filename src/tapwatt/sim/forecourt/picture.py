"""The view model of the forecourt page: facts in, what the templates show out. Pure."""

from __future__ import annotations

from typing import Any, Final

from tapwatt.core.energy import show_kwh
from tapwatt.core.money import show
from tapwatt.core.screen import is_receipt_link
from tapwatt.sim.forecourt.facts import Bay, Device, Facts, Json, Stated
from tapwatt.sim.forecourt.lines import LINES
from tapwatt.sim.forecourt.media import GROUPS as MEDIA_GROUPS
from tapwatt.sim.forecourt.media import PAYS, media
from tapwatt.sim.forecourt.switches import GROUPS, SWITCHES, Switch
from tapwatt.sim.forecourt.telling import ENDED, tell

PARTIES: Final = (
    ("issuer", "Issuer", "the driver’s bank"),
    ("scheme", "Scheme", "the card network"),
    ("acquirer", "Acquirer", "the merchant’s bank"),
    ("gateway", "Gateway", "speaks for the terminal"),
    ("ledger", "Ledger", "the platform’s books"),
    ("session", "Session", "this charge"),
)
BETWEEN: Final = {
    "scheme": ("scheme-issuer",),
    "acquirer": ("acquirer-scheme",),
    "gateway": ("gateway-acquirer",),
    "ledger": ("terminal-gateway", "terminal-edge", "edge-platform"),
}
"""The lines between a party and the one listed before it."""
ARRIVES_PERCENT: Final = 20
LEAVES_PERCENT: Final = 80
"""What the drawn car's battery has when it comes, and when it has what it came for."""
BAR: Final = 1000
DOING: Final = {
    "preauthorisation": "asks the bank for the hold",
    "read_card": "waits for a card",
    "partial_reversal": "books the final amount",
    "book_total": "books the final amount",
    "preauthorisation_reversal": "gives the hold back",
    "display_text": "shows a text",
    "registration": "is being registered",
}
STEPS: Final = ("Plug in", "Tap", "Hold", "Charge", "Pay what was used")
HINTS: Final = {
    "plug": "Choose a connector and plug in.",
    "tap": "The terminal waits: hold your card to it.",
    "stop": "Stop it at the station, tap the same card again, or just pull the plug.",
    "pull": "It is over. Pull the plug and drive away, or tap another card.",
}
"""What a driver would do next, in words."""
REACHED: Final = {
    "offered": 1,
    "authorising": 2,
    "ready": 2,
    "starting": 3,
    "charging": 3,
    "stopping": 3,
    "closing": 4,
    "closed": 5,
    "review": 4,
}


def picture(facts: Facts) -> Json:
    """Everything that moves on the page."""
    tale = tell(facts)
    bays = [_bay(bay, facts) for bay in facts.bays]
    return {
        "driving": facts.driving,
        "busy": facts.busy,
        "notice": facts.notice,
        "holding": facts.holding,
        "who": _who(facts),
        "tale": {"now": tale.now, "elsewhere": tale.elsewhere, "tone": tale.tone},
        "session_id": facts.told.session["session_id"] if facts.told.session else "",
        "steps": _steps(facts),
        "bays": bays,
        "scene": _scene(facts, bays),
        "terminal": _terminal(facts.device, facts),
        "next": (coming := next_act(facts)),
        "hint": HINTS.get(coming, "One moment." if facts.driving else "The first press takes the site over."),
        "money": _money(facts),
        "switches": [
            {"group": group, "switches": [_switch(each, facts) for each in SWITCHES if each.group == group]}
            for group in GROUPS
        ],
    }


def choices(chosen: str, evse_id: int, evses: tuple[int, ...]) -> Json:
    """What can be chosen in the driver's form; it stands still while the rest moves."""
    chosen = chosen or media()[0].key
    groups = []
    for group in MEDIA_GROUPS:
        listed = [each for each in media() if each.group == group]
        shut = group != PAYS and chosen not in [each.key for each in listed]
        groups.append({"group": group, "media": listed, "open": not shut})
    return {"groups": groups, "chosen": chosen, "evse_id": evse_id, "evses": evses}


def next_act(facts: Facts) -> str:
    """What a driver would do next: its button stands out."""
    stay, session = facts.stay, facts.told.session
    if not facts.driving or facts.busy:
        return ""
    plugged = stay is not None and any(bay.plugged for bay in facts.bays if bay.evse_id == stay.evse_id)
    if stay is None or stay.over or not plugged:
        return "plug"
    if session is not None and session["state"] in ENDED:
        return "pull"
    if session is not None and session["state"] == "charging":
        return "stop"
    return "tap" if session is not None and session["state"] == "offered" else ""


# --- who, and how far


def _who(facts: Facts) -> str:
    if facts.driving:
        return f"You have taken over: {'the driver leaves' if facts.busy else 'nobody else comes'}."
    if facts.stay is None:
        return "Drivers come by themselves."
    medium = facts.stay.medium
    with_what = f" with: {medium.title.lower()}, {medium.marked}" if medium is not None else ""
    verb = "was" if facts.stay.over else "is"
    return f"A driver {verb} at connector {facts.stay.evse_id}{with_what}."


def _steps(facts: Facts) -> list[Json]:
    session, stay = facts.told.session, facts.stay
    plugged = stay is not None and any(bay.plugged for bay in facts.bays if bay.evse_id == stay.evse_id)
    reached = 1 if plugged else 0
    failed = False
    if session is not None:
        failed = session["state"] == "failed" or (
            session["state"] == "closed" and not session["captured_minor"]
        )
        reached = 2 if failed else REACHED.get(str(session["state"]), reached)
    return [
        {
            "title": title,
            "state": "done"
            if number < reached
            else "missed"
            if failed
            else "now"
            if number == reached
            else "",
        }
        for number, title in enumerate(STEPS)
    ]


# --- the site


def _bay(bay: Bay, facts: Facts) -> Json:
    session = _session_at(bay, facts)
    delivered_wh = bay.delivered_wh
    if bay.plugged and not bay.charging and session is not None:
        delivered_wh = int(session["energy_wh"])
    full = max(bay.target_wh, 1)
    percent = ARRIVES_PERCENT + (LEAVES_PERCENT - ARRIVES_PERCENT) * min(delivered_wh, full) // full
    return {
        "evse_id": bay.evse_id,
        "status": bay.status,
        "tone": {"available": "good", "charging": "busy", "preparing": "busy"}.get(bay.status, ""),
        "plugged": bay.plugged,
        "charging": bay.charging,
        "power_w": bay.power_w,
        "energy": f"{show_kwh(delivered_wh if bay.plugged else 0)} kWh",
        "percent": percent if bay.plugged else 0,
        "cost": session["cost"] if session is not None and bay.plugged else "–",
    }


def _session_at(bay: Bay, facts: Facts) -> Json | None:
    """The newest session at a connector, if it belongs to the car that is there."""
    stay = facts.stay
    if stay is not None and stay.evse_id == bay.evse_id:
        return facts.told.session
    for session in facts.told.sessions or ():
        if session["evse_id"] == bay.evse_id:
            return session if session["state"] not in ENDED else None
    return None


def _scene(facts: Facts, bays: list[Json]) -> Json:
    said = [
        f"connector {bay['evse_id']}: "
        + (
            f"a car at {bay['percent']} percent{', charging' if bay['charging'] else ''}"
            if bay["plugged"]
            else "free"
        )
        for bay in bays
    ]
    return {
        "label": f"The site. {'; '.join(said)}. The station is {'on' if facts.station_up else 'off'} line.",
        "left": bays[0],
        "right": bays[1] if len(bays) > 1 else None,
        "up": facts.station_up,
        "lit": bool(facts.device.screen),
        "reading": facts.device.reading,
        "holding": bool(facts.holding),
    }


def _terminal(device: Device, facts: Facts) -> Json:
    doing = DOING.get(device.doing, "") if device.edge else "has nobody who leads it"
    lines = [("edge", device.edge), ("card network", device.gateway)]
    return {
        "screen": [line for line in device.screen if not is_receipt_link(line)],
        "link": next((line for line in device.screen if is_receipt_link(line)), ""),
        "reading": device.reading,
        "doing": f"You hold: {facts.holding.lower()}"
        if facts.holding
        else f"The terminal {doing or 'rests'}",
        "lines": [{"to": name, "up": up} for name, up in lines],
    }


# --- the money


def _money(facts: Facts) -> Json:
    session, told = facts.told.session, facts.told
    currency = str(session["currency"]) if session is not None else "EUR"
    stated = [each for each in told.parties.values() if each is not None]
    scale = max((each.authorised_minor for each in stated), default=0)
    scale = max(scale, *(each.captured_minor for each in stated), 1) if stated else 1
    rows = [
        {
            "party": key,
            "title": title,
            "role": role,
            "cut": [_ends(name) for name in BETWEEN.get(key, ()) if name in facts.on],
            **_amounts(told.parties.get(key), known=key in told.parties, scale=scale, currency=currency),
        }
        for key, title, role in PARTIES
    ]
    return {"rows": rows, "empty": session is None, "currency": currency}


def _ends(name: str) -> str:
    ends = next(line.ends for line in LINES if line.name == name)
    return f"{ends[0]} – {ends[1]}"


def _amounts(stated: Stated | None, *, known: bool, scale: int, currency: str) -> Json:
    if stated is None:
        words = "does not answer" if known else "not asked"
        return {"words": words, "tone": "bad" if known else "", "bars": []}
    parts = (
        ("captured", stated.captured_minor, "taken"),
        ("held", stated.held_minor, "held"),
        ("released", stated.released_minor, "back"),
    )
    bars, at = [], 0
    for name, amount, _ in parts:
        width = max(amount, 0) * BAR // scale
        if width:
            bars.append({"name": name, "x": at, "width": width})
        at += width
    words = ", ".join(f"{show(amount, currency=currency)} {verb}" for _, amount, verb in parts if amount > 0)
    tone = "busy" if stated.held_minor > 0 else "good" if stated.captured_minor else ""
    return {"words": words or "nothing", "tone": tone, "bars": bars}


# --- the switches


def _switch(each: Switch, facts: Facts) -> Json:
    on = each.key in facts.on
    press: Any = "Do it" if each.kind.once else "Put right" if on else "Break"
    return {
        "key": each.key,
        "title": each.title,
        "does": each.does,
        "on": on,
        "press": press,
        "unable": facts.out_of_reach.get(each.key, ""),
    }
