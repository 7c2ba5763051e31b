"""The gateway's tables: its estate of terminals and merchants, life cycles, trace numbers."""

from __future__ import annotations

from sqlalchemy import Column, Executable, Integer, MetaData, Table, Text, bindparam, insert, select

from tapwatt.engine import machine_tables
from tapwatt.hosts.gateway.decide import Facts, Merchant, Terminal, check, merchant_id, terminal_id
from tapwatt.hosts.relaying import MACHINE
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

MERCHANT = Table(
    "merchant",
    METADATA,
    Column("mid", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("currency", Text, nullable=False),
)
TERMINAL = Table(
    "terminal",
    METADATA,
    Column("tid", Text, primary_key=True),
    Column("serial", Text, nullable=False, unique=True),
    Column("mid", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("active", Integer, nullable=False),
)

_MERCHANT: Executable = select(MERCHANT).where(MERCHANT.c.mid == bindparam("wanted"))
_TERMINAL: Executable = select(TERMINAL).where(TERMINAL.c.tid == bindparam("wanted"))
_ANY: Executable = select(MERCHANT.c.mid).limit(1)
_ADD_MERCHANT: Executable = insert(MERCHANT)
_ADD_TERMINAL: Executable = insert(TERMINAL)


def consider(tx: Transaction, message: Message, _hop: Hop) -> Verdict:
    """The gateway's verdict on a request, from its own rows."""
    return check(message, facts_of(tx, message))


def facts_of(tx: Transaction, message: Message) -> Facts:
    """What the tables know about the sender of a message."""
    terminal = tx.one(_TERMINAL, wanted=terminal_id(message))
    merchant = tx.one(_MERCHANT, wanted=merchant_id(message))
    return Facts(
        terminal=None
        if terminal is None
        else Terminal(
            tid=terminal.tid, serial=terminal.serial, mid=terminal.mid, active=bool(terminal.active)
        ),
        merchant=None if merchant is None else Merchant(mid=merchant.mid, currency=merchant.currency),
    )


def seed(tx: Transaction) -> None:
    """The sandbox's terminals and merchants, where there are none yet."""
    if tx.one(_ANY) is not None:
        return
    for merchant in network().merchants:
        tx.run(_ADD_MERCHANT, mid=merchant.id, name=merchant.name, currency=merchant.currency_numeric)
    for terminal in network().terminals:
        tx.run(
            _ADD_TERMINAL,
            tid=terminal.terminal_id,
            serial=terminal.serial,
            mid=terminal.merchant_id,
            model=terminal.model,
            active=int(terminal.active),
        )
