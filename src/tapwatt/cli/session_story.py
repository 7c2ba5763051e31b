"""A session told in the shell: what happened, where the money is, and every message between the parties."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from tapwatt.core.money import show
from tapwatt.web.story import timeline

Json = dict[str, Any]
AMOUNTS: Final = ("authorised_minor", "captured_minor", "released_minor")
RAILS: Final = ("gateway", "acquirer", "issuer")
ASK_WITHIN_S: Final = 3.0


def told(page: Json, parties: list[Json]) -> Iterator[str]:
    """A session's page as lines."""
    yield f"{page['session_id']}: {page['state']}"
    if page["reason"]:
        yield f"because {page['reason']}; {page['detail']}".rstrip("; ")
    bill = _money(page, page["cost_minor"]) if page["bill"] else "none"
    yield f"at {page['station_name']}, connector {page['evse_id']}"
    yield f"energy {page['energy_wh']} Wh, bill {bill}, reference {page['reference']}"
    yield ""
    yield from _happened(page)
    yield ""
    yield f"{'':<14}{'authorised':>14}{'captured':>14}{'released':>14}"
    for party in [*page["money"], *parties]:
        if party.get("away"):
            yield f"{party['party']:<14}{'does not answer':>42}"
            continue
        amounts = "".join(f"{_money(page, party[name]):>14}" for name in AMOUNTS)
        yield f"{party['party'][:14]:<14}{amounts}"
    if page["lost_minor"]:
        yield f"{'lost':<14}{_money(page, page['lost_minor']):>14}, owned by the operator"


def _happened(page: Json) -> Iterator[str]:
    for step in timeline(page):
        state = f" → {step['state']}" if step["state"] else ""
        facts = f"  {' · '.join(step['facts'])}" if step["facts"] else ""
        refused = f"  refused: {step['refused']}" if step["refused"] else ""
        title = f"{step['readings']} meter readings" if step["readings"] > 1 else step["title"]
        yield f"{clock(step['at_ms'])}  {title}{state}{facts}{refused}"
        for effect in step["effects"]:
            late = "" if effect["done_ms"] else f"  (waiting, tried {effect['attempts']}×)"
            facts = f"  {' · '.join(effect['facts'])}" if effect["facts"] else ""
            yield f"                → {effect['title']}{facts}{late}"


def charted(chart: Json) -> Iterator[str]:
    """A session's chart as lines: one a message."""
    for name, there in chart["parties"].items():
        if not there:
            yield f"{name} does not answer: its side is missing"
    for payment in chart["payments"]:
        yield f"RRN {payment['rrn'] or '–'}, life cycle {payment['life_cycle']}"
    for arrow in chart["arrows"]:
        line = "--x" if arrow["lost"] else "-->"
        amount = ""
        if arrow["amount_minor"] is not None and arrow["currency"]:
            amount = show(arrow["amount_minor"], currency=arrow["currency"])
        marks = [arrow["mark"]] if arrow["mark"] else []
        marks += ["lost"] if arrow["lost"] and not arrow["mark"] else []
        marks += ["reversal"] if arrow["back"] else []
        marked = f"  [{', '.join(marks)}]" if marks else ""
        ends = f"{arrow['from']:>9} {line} {arrow['to']:<9}"
        yield f"{clock(arrow['at_ms'])}  {ends}  {arrow['name']:<32}{amount:>12}{marked}".rstrip()


def rails(base: str, ports: dict[str, int], reference: str) -> list[Json]:
    """What the hosts' books say of a payment, each at its own port."""
    import httpx

    said: list[Json] = []
    for party in RAILS:
        try:
            answer = httpx.get(
                f"http://{base}:{ports[party]}/api/v1/transactions",
                params={"reference": reference},
                timeout=ASK_WITHIN_S,
            )
            rows = answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError):
            said.append({"party": party.capitalize(), "away": True})
            continue
        said.append({"party": party.capitalize(), **_sums(rows)})
    return said


def _sums(rows: Iterable[Json]) -> Json:
    listed = list(rows)
    return {name: sum(row[name] for row in listed) for name in AMOUNTS}


def clock(at_ms: int) -> str:
    """A time of day in UTC, to the millisecond."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]


def _money(page: Json, minor: int) -> str:
    return show(minor, currency=page["currency"])
