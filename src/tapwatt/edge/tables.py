"""The edge's tables: its name, its terminals, and the journal of operations (design.md sections 2 and 4).

The sandbox's rows are sown into empty tables, so that nothing has to be entered before the first run.
"""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, field
from importlib.resources import files

from sqlalchemy import Column, Integer, MetaData, Table, Text, bindparam, insert, select

from tapwatt.engine import machine_tables
from tapwatt.store import Transaction

MACHINE_NAME = "operation"

METADATA = MetaData()
EDGE = Table("edge", METADATA, Column("edge_id", Text, primary_key=True))
TERMINAL = Table(
    "terminal",
    METADATA,
    Column("terminal_id", Text, primary_key=True),
    Column("operator_id", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("serial", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("password", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("port", Integer),
    Column("address", Text, nullable=False, server_default=""),
)
OPERATION = machine_tables(METADATA, MACHINE_NAME)

_THE_EDGE = select(EDGE)
_THE_TERMINALS = select(TERMINAL).order_by(TERMINAL.c.terminal_id)
_ADD_EDGE = insert(EDGE)
_ADD_TERMINAL = insert(TERMINAL)

WAITING = (
    select(OPERATION.machine.c.state)
    .where(
        OPERATION.machine.c.status.in_(
            [bindparam("queued"), bindparam("sent"), bindparam("unknown"), bindparam("lookup")]
        )
    )
    .order_by(OPERATION.machine.c.created_ms, OPERATION.machine.c.id)
)
OPEN_HOLDS = select(OPERATION.key.c.value).where(OPERATION.key.c.name == "open")


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalPlace:
    """A terminal the edge drives: what it is, whose it is, where it is. `port` None: the setting's."""

    terminal_id: str
    operator_id: str
    profile: str
    serial: str
    currency: str
    password: str = field(repr=False)
    """For registering with the terminal; its maker's default until an installer changes it."""
    host: str = ""
    port: int | None = None
    address: str = ""
    """`tcp://host:port` or `serial:/dev/…?baud=9600`; empty: host and port say it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The edge and its terminals."""

    edge_id: str
    terminals: tuple[TerminalPlace, ...]


def read_site(tx: Transaction) -> Site | None:
    """Read who this edge is; None before anything was entered."""
    edge = tx.one(_THE_EDGE)
    if edge is None:
        return None
    names = TerminalPlace.__slots__
    terminals = tuple(
        TerminalPlace(**{name: getattr(row, name) for name in names}) for row in tx.run(_THE_TERMINALS)
    )
    return Site(edge_id=edge.edge_id, terminals=terminals)


def sow(tx: Transaction, site: Site) -> Site:
    """Write a site into empty tables and give what is there now."""
    present = read_site(tx)
    if present is not None:
        return present
    tx.run(_ADD_EDGE, edge_id=site.edge_id)
    for terminal in site.terminals:
        tx.run(_ADD_TERMINAL, **asdict(terminal))
    return site


def sandbox() -> Site:
    """The sandbox's data file."""
    data = tomllib.loads(files("tapwatt.edge").joinpath("sandbox.toml").read_text("utf-8"))
    terminals = tuple(TerminalPlace(**terminal) for terminal in data["terminals"])
    return Site(edge_id=data["edge_id"], terminals=terminals)
