"""The JSON view of a host's life cycles, read from the stored rows on every call; card numbers only masked.

Gateway, acquirer and scheme show the same shape, so that anybody can lay the columns side by side.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import Executable, bindparam, func, select

from tapwatt.engine.tables import MachineTables
from tapwatt.hosts.relaying import MACHINE, open_statuses
from tapwatt.rails.relay_states import Relay, RelayStatus
from tapwatt.store import Row, Transaction

MOST_SHOWN: Final = 500
USUALLY_SHOWN: Final = 50

# ISO 4217, what the sandbox deals in; another code is shown as its number.
_CURRENCIES: Final = {
    "036": "AUD",
    "208": "DKK",
    "578": "NOK",
    "752": "SEK",
    "756": "CHF",
    "826": "GBP",
    "840": "USD",
    "978": "EUR",
    "985": "PLN",
}


def currency_name(numeric: str) -> str:
    """The letters of a currency, its number where we do not know them."""
    return _CURRENCIES.get(numeric, numeric)


class TrafficStatements:
    """Statements on the tables of one machine."""

    def __init__(self, tables: MachineTables) -> None:
        machine, event, effect, key = tables.machine, tables.event, tables.effect, tables.key
        self.by_reference: Executable = (
            select(machine)
            .join(key, key.c.machine_id == machine.c.id)
            .where(
                key.c.name == "reference",
                key.c.value >= bindparam("first"),
                key.c.value < bindparam("after"),
            )
            .order_by(machine.c.created_ms.desc(), machine.c.id)
            .limit(bindparam("most"))
        )
        self.newest: Executable = (
            select(machine)
            .join(event, event.c.machine_id == machine.c.id)
            .where(event.c.version == 1)
            .order_by(event.c.id.desc())
            .limit(bindparam("most"))
        )
        self.events: Executable = (
            select(event.c.kind, event.c.status_before, event.c.status_after, event.c.refused, event.c.at_ms)
            .where(event.c.machine_id == bindparam("machine_id"))
            .order_by(event.c.id)
            .limit(MOST_SHOWN)
        )
        self.statuses: Executable = select(machine.c.status, func.count().label("number")).group_by(
            machine.c.status
        )
        self.oldest: Executable = select(func.min(machine.c.created_ms).label("at_ms")).where(
            machine.c.status.in_(
                [name for status in open_statuses() for name in (status, f"{status} PARKED")]
            )
        )
        self.waiting: Executable = select(func.count().label("number")).where(
            effect.c.done_ms.is_(None), effect.c.kind != "SendRequest"
        )

    def rows(self, tx: Transaction, *, reference: str, limit: int) -> list[Row]:
        """The rows of a reference, or of everything, newest first."""
        if reference:
            # The key is reference, slash, life cycle; "0" follows the slash in every collation of bytes.
            return tx.run(self.by_reference, first=f"{reference}/", after=f"{reference}0", most=limit)
        return tx.run(self.newest, most=limit)

    def story(self, tx: Transaction, machine_id: str) -> list[dict[str, Any]]:
        """What happened to a life cycle, in order."""
        return [
            {
                "at_ms": row.at_ms,
                "event": row.kind,
                "from": row.status_before,
                "to": row.status_after,
                "refused": row.refused,
            }
            for row in tx.run(self.events, machine_id=machine_id)
        ]

    def by_status(self, tx: Transaction) -> dict[str, int]:
        """How many life cycles stand where."""
        counted: dict[str, int] = defaultdict(int)
        for row in tx.run(self.statuses):
            counted[str(row.status)] += int(row.number)
        return counted


class RelayTraffic:
    """The views of a host that passes payments on."""

    def __init__(self, tables: MachineTables) -> None:
        assert tables.machine.name == MACHINE
        self._statements = TrafficStatements(tables)

    def transactions(self, tx: Transaction, *, reference: str, limit: int) -> list[dict[str, Any]]:
        """The life cycles of a merchant's reference ("" for all), newest first."""
        rows = self._statements.rows(tx, reference=reference, limit=limit)
        return [
            _shown(msgspec.json.decode(row.state, type=Relay), self._statements.story(tx, row.id))
            for row in rows
        ]

    def summary(self, tx: Transaction, *, unmatched: int) -> dict[str, int]:
        """Open holds, advices waiting to be forwarded, parked ones, and answers that fitted no question."""
        statuses = self._statements.by_status(tx)
        waiting = tx.one(self._statements.waiting)
        return {
            "open_holds": count_open(statuses, open_statuses()),
            "waiting": 0 if waiting is None else int(waiting.number),
            "parked": sum(number for status, number in statuses.items() if status.endswith(" PARKED")),
            "unmatched": unmatched,
        }

    def figures(self, tx: Transaction, *, unmatched: int) -> TrafficFigures:
        """The same for who watches from afar, with the age of the oldest open hold."""
        oldest = tx.one(self._statements.oldest)
        return TrafficFigures(
            by_status=self._statements.by_status(tx),
            oldest_open_ms=None if oldest is None else oldest.at_ms,
            **self.summary(tx, unmatched=unmatched),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficFigures:
    """What a host that passes payments on has in its books now."""

    by_status: dict[str, int]
    open_holds: int
    oldest_open_ms: int | None
    waiting: int
    parked: int
    unmatched: int


def count_open(statuses: dict[str, int], opened: Iterable[str]) -> int:
    """How many life cycles have one of these statuses, parked or not."""
    wanted = frozenset(opened)
    return sum(number for status, number in statuses.items() if status.removesuffix(" PARKED") in wanted)


def released_minor(state: Relay) -> int:
    """What of the hold was given back: the rest after a completion, all of it after a reversal."""
    if state.status is RelayStatus.COMPLETED:
        return state.authorised_minor - state.captured_minor
    if state.status in (RelayStatus.REVERSING, RelayStatus.REVERSED):
        return state.authorised_minor
    return 0


def _shown(state: Relay, events: list[dict[str, Any]]) -> dict[str, Any]:
    said = state.identity
    return {
        "life_cycle": said.life_cycle,
        "reference": said.reference,
        "rrn": said.rrn,
        "stan": said.stan,
        "tid": said.tid,
        "mid": said.mid,
        "card": said.card,
        "state": str(state.status),
        "requested_minor": said.amount_minor,
        "authorised_minor": state.authorised_minor,
        "captured_minor": state.captured_minor,
        "released_minor": released_minor(state),
        "currency": currency_name(said.currency),
        "response_code": state.response_code,
        "reason": state.reason,
        "approval_code": state.approval_code,
        "scheme_transaction": state.scheme_transaction,
        "alarm": state.alarm,
        "events": events,
    }
