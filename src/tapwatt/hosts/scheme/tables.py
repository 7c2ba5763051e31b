"""The scheme's tables: members, routes by first digits, life cycles, trace numbers."""

from __future__ import annotations

from sqlalchemy import Column, Executable, Integer, MetaData, Table, Text, bindparam, insert, select

from tapwatt.engine import machine_tables
from tapwatt.hosts.relaying import MACHINE
from tapwatt.hosts.scheme.decide import Facts, Member, acquirer_id, check, prefixes
from tapwatt.hosts.stans import stan_table
from tapwatt.rails.iso8583 import Message
from tapwatt.rails.relay_messages import Hop, Verdict
from tapwatt.rails.sandbox import network
from tapwatt.store import Transaction
from tapwatt.traces import trace_table

METADATA = MetaData()
PAYMENT = machine_tables(METADATA, MACHINE)
stan_table(METADATA)
TRACES = trace_table(METADATA)

MEMBER = Table(
    "member",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("active", Integer, nullable=False),
)
ROUTE = Table(
    "route",
    METADATA,
    Column("prefix", Text, primary_key=True),
    Column("brand", Text, nullable=False),
    Column("issuer_id", Text, nullable=False),
)

_MEMBER: Executable = select(MEMBER).where(
    MEMBER.c.id == bindparam("wanted"), MEMBER.c.role == bindparam("wanted_role")
)
_ROUTE: Executable = select(ROUTE.c.issuer_id).where(ROUTE.c.prefix == bindparam("wanted"))
_MEMBERS: Executable = select(MEMBER.c.id).where(
    MEMBER.c.role == bindparam("wanted_role"), MEMBER.c.active == 1
)
_ANY: Executable = select(MEMBER.c.id).limit(1)
_ADD_MEMBER: Executable = insert(MEMBER)
_ADD_ROUTE: Executable = insert(ROUTE)


def consider(tx: Transaction, message: Message, hop: Hop) -> Verdict:
    """The scheme's verdict on a request, from its own rows."""
    return check(message, facts_of(tx, message), hop)


def facts_of(tx: Transaction, message: Message) -> Facts:
    """What the tables know about the two banks of a message."""
    return Facts(
        acquirer=_member(tx, acquirer_id(message), "acquirer"),
        issuer=_member(tx, _issuer_id(tx, message), "issuer"),
    )


def member_ids(tx: Transaction, role: str) -> frozenset[str]:
    """The active members of a role."""
    return frozenset(row.id for row in tx.run(_MEMBERS, wanted_role=role))


def _issuer_id(tx: Transaction, message: Message) -> str:
    for prefix in prefixes(message):
        row = tx.one(_ROUTE, wanted=prefix)
        if row is not None:
            return str(row.issuer_id)
    return ""


def _member(tx: Transaction, member_id: str, role: str) -> Member | None:
    row = tx.one(_MEMBER, wanted=member_id, wanted_role=role)
    return None if row is None else Member(id=row.id, active=bool(row.active))


def seed(tx: Transaction) -> None:
    """The sandbox's members and routes, where there are none yet."""
    if tx.one(_ANY) is not None:
        return
    for member in network().members:
        tx.run(_ADD_MEMBER, id=member.id, name=member.name, role=member.role, active=int(member.active))
    for route in network().routes:
        tx.run(_ADD_ROUTE, prefix=route.prefix, brand=route.brand, issuer_id=route.issuer)
