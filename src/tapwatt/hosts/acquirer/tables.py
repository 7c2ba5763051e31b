"""The acquirer's tables: merchants under contract, life cycles, trace numbers."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Executable,
    Integer,
    MetaData,
    Table,
    Text,
    bindparam,
    insert,
    select,
)

from tapwatt.engine import machine_tables
from tapwatt.hosts.acquirer.decide import Facts, Merchant, check, merchant_id
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

SANDBOX_MOST_MINOR = 50_000
"""Largest hold of a sandbox merchant: 500.00."""

MERCHANT = Table(
    "merchant",
    METADATA,
    Column("mid", Text, primary_key=True),
    Column("acquirer_id", Text, nullable=False),
    Column("legal_name", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("city", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("active", Integer, nullable=False),
    Column("most_minor", BigInteger, nullable=False),
)

_MERCHANT: Executable = select(MERCHANT).where(MERCHANT.c.mid == bindparam("wanted"))
_ANY: Executable = select(MERCHANT.c.mid).limit(1)
_ADD: Executable = insert(MERCHANT)


def consider(tx: Transaction, message: Message, _hop: Hop) -> Verdict:
    """The acquirer's verdict on a request, from its own rows."""
    return check(message, facts_of(tx, message))


def facts_of(tx: Transaction, message: Message) -> Facts:
    """What the tables know about the merchant of a message."""
    row = tx.one(_MERCHANT, wanted=merchant_id(message))
    if row is None:
        return Facts(merchant=None, acquirer_id="")
    merchant = Merchant(
        mid=row.mid,
        name=row.name,
        city=row.city,
        country=row.country,
        category=row.category,
        active=bool(row.active),
        most_minor=row.most_minor,
    )
    return Facts(merchant=merchant, acquirer_id=row.acquirer_id)


def seed(tx: Transaction) -> None:
    """The sandbox's merchants, where there are none yet."""
    if tx.one(_ANY) is not None:
        return
    for merchant in network().merchants:
        tx.run(
            _ADD,
            mid=merchant.id,
            acquirer_id=merchant.acquirer,
            legal_name=merchant.legal_name,
            name=merchant.name,
            city=merchant.city,
            country=merchant.country,
            category=merchant.category,
            currency=merchant.currency_numeric,
            active=1,
            most_minor=SANDBOX_MOST_MINOR,
        )
