"""Columns and tables as the platform's schema writes them: every row has an owner, and `operator_id` is first
in every key (law 9)."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)


def owned(
    metadata: MetaData,
    name: str,
    *columns: Column[object] | UniqueConstraint | Index,
    key: tuple[str, ...],
) -> Table:
    """A table whose rows belong to operators; `key` is what names a row among its owner's."""
    owner: Column[str] = Column("operator_id", Text, nullable=False)
    return Table(name, metadata, owner, *columns, PrimaryKeyConstraint("operator_id", *key))


def text(name: str, default: str | None = None) -> Column[object]:
    """A text that is always there."""
    return Column(name, Text, nullable=False, server_default=default)


def maybe(name: str) -> Column[object]:
    """A text that may be missing."""
    return Column(name, Text)


def number(name: str) -> Column[object]:
    """A whole number that is always there."""
    return Column(name, BigInteger, nullable=False)


def maybe_number(name: str) -> Column[object]:
    """A whole number that may be missing."""
    return Column(name, BigInteger)
