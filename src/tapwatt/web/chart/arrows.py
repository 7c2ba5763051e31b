"""Traces become arrows: the two ends of a wire are one message, and what only one end saw may have been lost.

Pure. Times are each party's own clock; an arrow is drawn when its sender says it left.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import zip_longest
from typing import Any, Final

from tapwatt.rails.meaning import explain as explain_iso
from tapwatt.terminals.zvt.meaning import explain as explain_zvt
from tapwatt.web.chart.hosts import HOSTS, Told

Json = dict[str, Any]
COLUMNS: Final = (
    "driver", "terminal", "edge", "platform", "station", "gateway", "acquirer", "scheme", "issuer"
)  # fmt: skip
LOST_AFTER_MS: Final = 3_000
"""A party writes its traces down within a second: before that, nobody is missed."""
_OWN: Final = {"ocpp": ("platform", "station"), "uplink": ("platform", "edge"), "zvt": ("edge", "terminal")}
_BACK: Final = ("0400", "0401", "0420", "0421", "06 25", "Operate release")
_DRIVER: Final = {
    "PluggedIn": ("station", "plugs in"),
    "CardPresented": ("terminal", "holds a card"),
    "HoldChosen": ("terminal", "chooses the hold"),
    "Unplugged": ("station", "unplugs"),
}


def arrows(found: Json, own: list[Json], told: Told, *, now_ms: int) -> list[Json]:
    """Every message of a session, in order, numbered."""
    drawn = [_arrow(row, _own_ends(row), seen_by=[_OWN[row["wire"]][0]]) for row in own]
    drawn += _joined(told, now_ms)
    drawn += _of_driver(found, drawn)
    drawn.sort(key=lambda arrow: int(arrow["at_ms"]))  # what is of one moment stays in its party's order
    for number, arrow in enumerate(drawn, 1):
        arrow["number"] = number
    return drawn


def payments(drawn: list[Json]) -> list[Json]:
    """The payments on the rails among the arrows: RRN, life-cycle reference and how many arrows each has."""
    found: dict[str, Json] = {}
    for arrow in drawn:
        cycle = arrow["life_cycle"]
        if cycle:
            one = found.setdefault(cycle, {"life_cycle": cycle, "rrn": "", "messages": 0})
            one["rrn"] = one["rrn"] or arrow["rrn"]
            one["messages"] += 1
    return list(found.values())


def _own_ends(row: Json) -> tuple[str, str]:
    here, there = _OWN[row["wire"]]
    return (here, there) if row["direction"] == "sent" else (there, here)


def _joined(told: Told, now_ms: int) -> list[Json]:
    """The rails: what one host sent and the next received is one arrow."""
    ends: dict[tuple[str, ...], tuple[list[tuple[str, Json]], list[tuple[str, Json]]]]
    ends = defaultdict(lambda: ([], []))
    drawn: list[Json] = []
    for host in HOSTS:
        for row in told.get(host) or []:
            peer = row["peer"] if row["peer"] in COLUMNS else "terminal"
            if row["direction"] == "awaited":
                drawn.append(_arrow(row, (peer, host), seen_by=[host]))
                continue
            sent = row["direction"] == "sent"
            way = (host, peer) if sent else (peer, host)
            ends[(*way, row["name"], row["link"])][0 if sent else 1].append((host, row))
    for (sender, receiver, *_), (gone, come) in ends.items():
        for left, arrived in zip_longest(gone, come):
            drawn.append(_one_message(sender, receiver, left, arrived, told, now_ms))
    return drawn


def _one_message(
    sender: str,
    receiver: str,
    left: tuple[str, Json] | None,
    arrived: tuple[str, Json] | None,
    told: Told,
    now_ms: int,
) -> Json:
    seen = [end for end in (left, arrived) if end is not None]
    row = seen[0][1]
    arrow = _arrow(row, (sender, receiver), seen_by=[host for host, _ in seen])
    arrow["mark"] = next((end[1]["mark"] for end in reversed(seen) if end[1]["mark"]), "")
    if arrived is not None:
        arrow["arrived_ms"] = arrived[1]["at_ms"]
    missed = arrived is None and told.get(receiver) is not None and receiver in HOSTS
    arrow["lost"] = missed and now_ms - row["at_ms"] > LOST_AFTER_MS
    return arrow


def _arrow(row: Json, ends: tuple[str, str], *, seen_by: list[str]) -> Json:
    wire = row.get("wire", "iso8583")
    awaited = row["direction"] == "awaited"
    name = f"no answer to {row['name'].split()[0]}" if awaited else row["name"]
    fields = row["fields"]
    return {
        "number": 0,
        "at_ms": row["at_ms"],
        "arrived_ms": None,
        "from": ends[0],
        "to": ends[1],
        "wire": wire,
        "name": name,
        "amount_minor": None if awaited else row["amount_minor"],
        "currency": row["currency"] if len(row["currency"]) == 3 else "",
        "mark": row["mark"],
        "lost": awaited,
        "back": row["name"].startswith(_BACK),
        "answer": _answers(row["name"], wire),
        "seen_by": seen_by,
        "rrn": str(fields.get("37", "")) if wire == "iso8583" else "",
        "life_cycle": row["life_cycle"],
        "key": row.get("key", ""),
        "fields": _explained(row, wire),
    }


def _answers(name: str, wire: str) -> bool:
    if wire == "iso8583":
        return len(name) > 3 and name[2] in "13"
    return name.startswith("80 00") or name.endswith(".conf")


def _explained(row: Json, wire: str) -> list[Json]:
    currency = row["currency"] if len(row["currency"]) == 3 and row["currency"].isalpha() else ""
    if wire == "iso8583":
        told = explain_iso(row["name"][:4], row["fields"], currency=currency)
    elif wire == "zvt":
        told = explain_zvt(row["fields"], currency=currency)
    else:
        told = [(path, value, "") for path, value in _paths("", row["fields"])]
    return [{"label": label, "value": value, "meaning": meaning} for label, value, meaning in told]


def _paths(path: str, value: Any) -> list[tuple[str, str]]:
    """Every leaf of a JSON payload under its path."""
    if isinstance(value, dict):
        inner = [(f"{path}.{name}" if path else name, each) for name, each in value.items()]
    elif isinstance(value, list):
        inner = [(f"{path}[{place}]", each) for place, each in enumerate(value)]
    else:
        said = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        return [(path, said)] if said else []
    return [leaf for name, each in inner for leaf in _paths(name, each)]


def _of_driver(found: Json, drawn: list[Json]) -> list[Json]:
    """What the driver did: on no wire, but told by the session's own events."""
    done = []
    for event in found["events"]:
        if event["kind"] not in _DRIVER or event["refused"]:
            continue
        to, words = _DRIVER[event["kind"]]
        done.append(_deed(to, words, _before(event["at_ms"], to, drawn)))
    if found["events"] and not any(event["kind"] == "PluggedIn" for event in found["events"]):
        done.append(_deed("station", "plugs in", _before(found["opened_ms"], "station", drawn)))
    return done


def _before(at_ms: int, party: str, drawn: list[Json]) -> int:
    """A deed comes before the message that tells of it."""
    told = [
        arrow["at_ms"]
        for arrow in drawn
        if arrow["from"] == party and at_ms - 2_000 <= arrow["at_ms"] <= at_ms and not arrow["answer"]
    ]
    return (told[-1] if told else at_ms) - 1


def _deed(to: str, words: str, at_ms: int) -> Json:
    nothing = {"at_ms": at_ms, "direction": "", "name": words, "amount_minor": None, "currency": ""}
    row = {**nothing, "mark": "", "life_cycle": "", "fields": {}, "wire": ""}
    return {**_arrow(row, ("driver", to), seen_by=["platform"]), "fields": []}
