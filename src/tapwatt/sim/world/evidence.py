"""What every party has in its own books when a world is over: read from each disk alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import select

from tapwatt.core.receipt import Receipt
from tapwatt.core.session import Session, SessionState
from tapwatt.edge.operation import Operation
from tapwatt.edge.tables import OPERATION
from tapwatt.engine import MachineTables
from tapwatt.hosts.acquirer import tables as acquirer
from tapwatt.hosts.gateway import tables as gateway
from tapwatt.hosts.issuer import tables as issuer
from tapwatt.hosts.issuer.decide import Authorisation
from tapwatt.hosts.scheme import tables as scheme
from tapwatt.platform import tables as platform
from tapwatt.platform.sessions import SESSIONS
from tapwatt.rails.relay_states import Relay
from tapwatt.sim import tables as site
from tapwatt.sim.world.disk import Disks
from tapwatt.store import Row

RELAYS: Mapping[str, MachineTables] = {
    "gateway": gateway.PAYMENT,
    "acquirer": acquirer.PAYMENT,
    "scheme": scheme.PAYMENT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerHold:
    """A life cycle at the issuer with its hold and what was taken."""

    authorisation: Authorisation
    held_minor: int
    open: bool
    posted: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One side of a posting at the platform."""

    operator_id: str
    session_id: str
    key: str
    kind: str
    account: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All books. `refused` are events a machine had no row for, by program."""

    sessions: tuple[Session, ...]
    entries: tuple[Entry, ...]
    receipts: Mapping[str, tuple[Receipt, ...]]
    alarmed: frozenset[str]
    transactions: Mapping[str, Row]
    stops_told: Mapping[str, frozenset[str]]
    """What was said of the stop of a transaction, by its number: what begins with orphan waits in review."""
    account_holds: tuple[Row, ...]
    account_balances: Mapping[tuple[str, str], int]
    """By operator and account."""
    owners: tuple[tuple[str, str, str], ...]
    """What a row is, the session it belongs to, and whose it says it is."""
    operations: tuple[Operation, ...]
    relays: Mapping[str, tuple[Relay, ...]]
    issuer: tuple[IssuerHold, ...]
    issuer_balances: Mapping[str, int]
    issuer_paid: Mapping[str, int]
    slips: tuple[Row, ...]
    advices: tuple[Row, ...]
    charges: tuple[Row, ...]
    registers: Mapping[int, int]
    visits: tuple[Row, ...]
    refused: Mapping[str, tuple[str, ...]]
    advised: Mapping[tuple[str, str, str], frozenset[str]]
    """The trace numbers under which a host received one kind of advice of a life cycle."""
    acknowledged: frozenset[str]
    """The receipt numbers of holds whose keys the edge has acknowledged to the terminal."""

    def person_has_it(self, session: Session) -> bool:
        """Whether somebody was told to look at this session: then what is open has an owner."""
        return session.state is SessionState.REVIEW and session.session_id in self.alarmed

    def ledger(self, kind: str, account: str) -> Counter[str]:
        """What the postings of a kind put on an account, by session."""
        sums: Counter[str] = Counter()
        for entry in self.entries:
            if entry.kind == kind and entry.account == account:
                sums[entry.session_id] += entry.amount_minor
        return sums

    def issuer_holds(self, reference: str) -> list[IssuerHold]:
        """The issuer's life cycles of a payment."""
        return [hold for hold in self.issuer if hold.authorisation.identity.reference == reference]

    def is_told(self, transaction_id: int, energy_wh: int) -> bool:
        """Whether the review queue says of a transaction without a session just how much it delivered."""
        return f"orphan: {energy_wh} Wh delivered to a refused token" in self.stops_told.get(
            str(transaction_id), ()
        )

    def references(self) -> set[str]:
        """Every payment that anybody knows of."""
        known = {session.reference for session in self.sessions} | {slip.reference for slip in self.slips}
        known |= {relay.identity.reference for relays in self.relays.values() for relay in relays}
        return known | {hold.authorisation.identity.reference for hold in self.issuer}


def gather(disks: Disks, *, acknowledged: frozenset[str] = frozenset()) -> Evidence:
    """Read every disk; `acknowledged` is what was seen on the terminal's wire."""

    def rows(name: str, table: Any) -> list[Row]:
        order = list(table.primary_key.columns)
        return disks.read(name, lambda tx: tx.run(select(table).order_by(*order)))

    states = {name: rows(name, tables.machine) for name, tables in RELAYS.items()}
    kinds = {row.key: (row.session_id, row.kind) for row in rows("platform", platform.POSTING)}
    receipts: dict[str, list[Receipt]] = {}
    for row in rows("platform", platform.RECEIPT):
        receipts.setdefault(row.session_id, []).append(msgspec.json.decode(row.body, type=Receipt))
    paid: dict[str, int] = {}
    for row in rows("issuer", issuer.POSTING):
        paid[row.account_id] = paid.get(row.account_id, 0) + row.amount_minor
    return Evidence(
        sessions=tuple(SESSIONS.state(row.state) for row in rows("platform", platform.SESSION.machine)),
        entries=tuple(
            Entry(
                operator_id=row.operator_id,
                session_id=kinds[row.posting_key][0],
                key=row.posting_key,
                kind=kinds[row.posting_key][1],
                account=row.account,
                amount_minor=row.amount_minor,
            )
            for row in rows("platform", platform.ENTRY)
        ),
        receipts={name: tuple(each) for name, each in receipts.items()},
        alarmed=frozenset(row.session_id for row in rows("platform", platform.ALARM)),
        transactions={str(row.transaction_id): row for row in rows("platform", platform.TRANSACTION)},
        stops_told=_stops_told(rows("platform", platform.STATION_MESSAGE)),
        account_holds=tuple(rows("platform", platform.ACCOUNT_HOLD)),
        account_balances={
            (row.operator_id, row.account_id): row.balance_minor for row in rows("platform", platform.ACCOUNT)
        },
        owners=_owners(rows),
        operations=tuple(
            msgspec.json.decode(row.state, type=Operation) for row in rows("edge", OPERATION.machine)
        ),
        relays={
            name: tuple(msgspec.json.decode(row.state, type=Relay) for row in each)
            for name, each in states.items()
        },
        issuer=_issuer(
            rows("issuer", issuer.AUTHORISATION.machine),
            rows("issuer", issuer.HOLD),
            rows("issuer", issuer.POSTING),
        ),
        issuer_balances={row.id: row.balance_minor for row in rows("issuer", issuer.ACCOUNT)},
        issuer_paid=paid,
        slips=tuple(rows("site", site.PAYMENT)),
        advices=tuple(rows("site", site.ADVICE)),
        charges=tuple(rows("site", site.CHARGE)),
        registers={row.evse_id: row.register_wh for row in rows("site", site.CONNECTOR)},
        visits=tuple(rows("site", site.VISIT)),
        refused=_refused(rows),
        advised=_advised(rows),
        acknowledged=acknowledged,
    )


def _issuer(machines: list[Row], holds: list[Row], postings: list[Row]) -> tuple[IssuerHold, ...]:
    held = {row.authorisation_id: row for row in holds}
    posted: dict[str, list[int]] = {}
    for row in postings:
        posted.setdefault(row.authorisation_id, []).append(row.amount_minor)
    return tuple(
        IssuerHold(
            authorisation=msgspec.json.decode(row.state, type=Authorisation),
            held_minor=held[row.id].amount_minor if row.id in held else 0,
            open=row.id in held and bool(held[row.id].open),
            posted=tuple(posted.get(row.id, ())),
        )
        for row in machines
    )


def _stops_told(messages: list[Row]) -> dict[str, frozenset[str]]:
    told: dict[str, set[str]] = {}
    for row in messages:
        if row.action == "StopTransaction" and row.verdict:
            number = msgspec.json.decode(row.body).get("transactionId")
            told.setdefault(str(number), set()).add(row.verdict)
    return {number: frozenset(said) for number, said in told.items()}


def _owners(rows: Any) -> tuple[tuple[str, str, str], ...]:
    tables = (platform.POSTING, platform.RECEIPT, platform.ALARM, platform.TRANSACTION)
    of_session = [
        (table.name, row.session_id or "", row.operator_id)
        for table in (*tables, platform.STATION_MESSAGE)
        for row in rows("platform", table)
    ]
    machines = platform.SESSION.machine
    of_session += [("session", row.id, row.owner) for row in rows("platform", machines)]
    holds = rows("platform", platform.ACCOUNT_HOLD)
    return (*of_session, *(("account hold", row.payment_id, row.operator_id) for row in holds))


def _advised(rows: Any) -> dict[tuple[str, str, str], frozenset[str]]:
    received: dict[tuple[str, str, str], set[str]] = {}
    for name, tables in {**RELAYS, "issuer": issuer.AUTHORISATION}.items():
        for row in rows(name, tables.event):
            if row.kind in ("CompletionReceived", "ReversalReceived"):
                stan = msgspec.json.decode(row.body)["identity"]["stan"]
                received.setdefault((name, row.machine_id, row.kind), set()).add(stan)
    return {key: frozenset(stans) for key, stans in received.items()}


def _refused(rows: Any) -> dict[str, tuple[str, ...]]:
    machines: dict[str, MachineTables] = {
        "platform": platform.SESSION,
        "edge": OPERATION,
        "issuer": issuer.AUTHORISATION,
        **RELAYS,
    }
    return {
        name: tuple(f"{row.kind}: {row.refused}" for row in rows(name, tables.event) if row.refused)
        for name, tables in machines.items()
    }
