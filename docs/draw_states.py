"""Writes docs/states/session.md and payment.md from the tables in tapwatt.core; part of `make docs`.

A row is a function, so where it leads is found by walking: from an offer on, every event is tried in every
situation that it leads to, until nothing new comes. What cannot be reached is said in the page.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from tapwatt.core import events as e
from tapwatt.core import payment, session
from tapwatt.core.effects import Leader
from tapwatt.core.hold import HoldPolicy
from tapwatt.core.payment import Payment, UnableToDecide
from tapwatt.core.session import Session
from tapwatt.core.tariff import kwh_tariff

STATES = Path(__file__).parent / "states"
MINUTE_MS = 60_000
MORE, HELD, LESS, TOO_LITTLE = 2600, 2500, 1000, 100
TARIFF = kwh_tariff("T1", currency="EUR", kwh_price=Decimal("0.5"), tax_rate_percent=Decimal(20))

Machine = TypeVar("Machine", Payment, Session)


@dataclass
class Walk:
    """What a walk through a table has found: per row, where it leads and what it asks for."""

    next_states: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    effects: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def note(self, state: str, event: object, after: str, effects: Iterable[object]) -> None:
        """Keep one step."""
        row = (state, type(event).__name__)
        self.next_states.setdefault(row, set()).add(after)
        self.effects.setdefault(row, set()).update(type(effect).__name__ for effect in effects)


def variants(
    kind: type, *, at_ms: int, key: str, amounts: Iterable[int], registers: Iterable[int]
) -> Iterator[Any]:
    """Every way in which an event can matter to a table."""
    choices: dict[str, tuple[Any, ...]] = {
        "at_ms": (at_ms,),
        "key": (key,),
        "amount_minor": tuple(amounts),
        "register_wh": tuple(registers),
        "read_ms": (at_ms,),
        "transaction_id": ("1",),
        "proved": (True, False),
        "account_id": ("A1",),
        "id_token": ("04A2B3C4",),
        "by": ("driver",),
        "why": ("",),
    }
    if kind is e.FoundOpen:
        choices["amount_minor"] = (None, *amounts)
    made: list[dict[str, Any]] = [{}]
    for name in (each.name for each in fields(kind) if each.name in choices):
        made = [{**values, name: value} for values in made for value in choices[name]]
    return (kind(**values) for values in made)


def walk_payment() -> Walk:
    """Every step of a payment, led by a terminal and by a host."""
    found = Walk()
    seen: set[tuple[Any, ...]] = set()
    waiting = [
        payment.begin(payment_id="P", leader=leader, reference="R", currency="EUR", amount_minor=HELD)[0]
        for leader in (Leader.TERMINAL, Leader.HOST)
    ]
    while waiting:
        now = waiting.pop()
        situation = (now.state, now.leader, now.awaited, now.captured_minor > 0, now.refunded_minor)
        if situation in seen or now.refunded_minor > LESS:
            continue
        seen.add(situation)
        amounts = sorted({MORE, HELD, LESS, now.capture_minor or LESS})
        for kind in (*e.OUTCOMES, *e.WISHES):
            for event in variants(kind, at_ms=0, key=now.operation_key, amounts=amounts, registers=()):
                waiting += step(found, payment.decide, now, event)
    return found


def offers() -> Iterator[Session]:
    """How a session may begin."""
    for plugged in (True, False):
        event = e.Offered(
            at_ms=0,
            session_id="S",
            operator_id="op",
            station_id="CS1",
            evse_id=1,
            terminal_id="T1",
            id_token="TW-1",
            reference="R",
            tariff=TARIFF,
            hold=HoldPolicy(amount_minor=HELD, least_minor=500),
            limits=e.Limits(),
            max_power_w=350_000,
            plugged=plugged,
        )
        yield session.decide(None, event)[0]


def situation_of(now: Session) -> tuple[Any, ...]:
    """What of a session matters for where its next event leads."""
    paid = now.payment
    money = paid and (paid.state, paid.awaited, paid.captured_minor > 0, paid.refunded_minor > 0)
    car = (now.plugged, now.transaction_id is None, now.stopped_ms is None, now.late)
    energy = now.meter is not None and now.meter.delivered_wh > 0
    tries = min(now.stop_tries, 5) if now.state == "stopping" else 0
    return (now.state, now.reason, now.remote, money, car, tries, energy, now.expiring)


def walk_session() -> Walk:
    """Every step of a session from its offer on."""
    found = Walk()
    seen: set[tuple[Any, ...]] = set()
    waiting = [(begun, 1) for begun in offers()]
    while waiting:
        now, minute = waiting.pop()
        if (situation := situation_of(now)) in seen:
            continue
        seen.add(situation)
        at_ms = max(minute * MINUTE_MS, now.deadline_ms or 0)
        taken = now.payment.capture_minor if now.payment else 0
        register = now.meter.last_wh if now.meter else 1000
        for kind in (*e.OUTCOMES, *e.SURROUNDINGS[1:]):
            tried = variants(
                kind,
                at_ms=at_ms,
                key=now.payment.operation_key if now.payment else "",
                amounts=sorted({MORE, HELD, LESS, TOO_LITTLE, taken or LESS}),
                registers=(register + 2000, register, register - 500, register + 60_000),
            )
            for event in tried:
                waiting += ((after, minute + 1) for after in step(found, session.decide, now, event))
    return found


def step(
    found: Walk, decide: Callable[..., tuple[Machine, tuple[Any, ...]]], now: Machine, event: Any
) -> list[Machine]:
    """Try one event; a pair without a row leads nowhere."""
    try:
        after, effects = decide(now, event)
    except UnableToDecide:
        return []
    found.note(now.state, event, after.state, effects)
    return [after]


def page(title: str, table: Iterable[tuple[Any, type]], found: Walk, first: str, begun_by: str) -> str:
    """One page: the drawing, then every row in words."""
    rows = sorted((str(state), event.__name__) for state, event in table)
    edges: dict[tuple[str, str], list[str]] = {}
    for state, event in rows:
        for after in sorted(found.next_states.get((state, event), ())):
            if after != state:
                edges.setdefault((state, after), []).append(event)
    lines = [
        f"# {title}",
        "",
        "Made from the table by `make docs`; not written by hand. The drawing shows what changes the state;",
        "the list below shows every row. A pair that is not in it is refused with an error that names both.",
        "",
        "```mermaid",
        "stateDiagram-v2",
        f"    [*] --> {first} : {begun_by}",
        *(
            f"    {state} --> {after} : {', '.join(events)}"
            for (state, after), events in sorted(edges.items())
        ),
        "```",
        "",
        "| state | event | becomes | may ask for |",
        "|---|---|---|---|",
    ]
    for row in rows:
        becomes = ", ".join(sorted(found.next_states.get(row, ()))) or "not reached from an offer"
        effects = ", ".join(sorted(found.effects.get(row, ())))
        lines.append(f"| {row[0]} | {row[1]} | {becomes} | {effects} |")
    return "\n".join(lines) + "\n"


def pages() -> dict[Path, str]:
    """Both pages and where they belong."""
    return {
        STATES / "session.md": page(
            "The states of a session", session.TABLE, walk_session(), "offered", "Offered"
        ),
        STATES / "payment.md": page(
            "The states of a payment", payment.TABLE, walk_payment(), "authorising", "begins"
        ),
    }


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
