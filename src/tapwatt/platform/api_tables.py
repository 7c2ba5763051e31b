"""Tables of the API: answers kept under their keys, personal tokens, and webhooks with what is to be sent.

They stand beside `tables.py` and are made on its metadata, so that the platform's tables stay one set.
"""

from typing import NamedTuple

from sqlalchemy import BigInteger, Column, Index, MetaData, PrimaryKeyConstraint, Table, Text


class ApiTables(NamedTuple):
    """The six tables."""

    idempotency: Table
    token: Table
    webhook: Table
    webhook_event: Table
    webhook_delivery: Table
    webhook_attempt: Table


def api_tables(metadata: MetaData) -> ApiTables:
    """Make the tables on the platform's metadata."""
    return ApiTables(
        idempotency=_idempotency(metadata),
        token=_token(metadata),
        webhook=_webhook(metadata),
        webhook_event=_webhook_event(metadata),
        webhook_delivery=_webhook_delivery(metadata),
        webhook_attempt=_webhook_attempt(metadata),
    )


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _idempotency(metadata: MetaData) -> Table:
    return Table(
        "idempotency",
        metadata,
        _text("operator_id"),
        # who sent it: a person's id, or empty while the house is open
        _text("person"),
        _text("route"),
        _text("key"),
        _text("fingerprint"),
        # null: begun, and its outcome is not known
        Column("status", BigInteger),
        _text("body"),
        _number("at_ms"),
        Index("ix_idempotency_at", "operator_id", "at_ms"),
        PrimaryKeyConstraint("operator_id", "person", "route", "key"),
    )


def _token(metadata: MetaData) -> Table:
    return Table(
        "token",
        metadata,
        _text("operator_id"),
        _text("token_id"),
        # SHA-256 of the secret, which nobody keeps
        _text("digest"),
        _text("name"),
        # permissions as a JSON list; what the person's role does not allow is left out when it is used
        _text("scopes"),
        Column("person_id", Text),
        _text("made_by"),
        _number("made_ms"),
        Column("expires_ms", BigInteger),
        Column("used_ms", BigInteger),
        Column("revoked_ms", BigInteger),
        Index("ix_token_digest", "digest", unique=True),
        PrimaryKeyConstraint("operator_id", "token_id"),
    )


def _webhook(metadata: MetaData) -> Table:
    return Table(
        "webhook",
        metadata,
        _text("operator_id"),
        _text("webhook_id"),
        _text("url"),
        # names of events as a JSON list
        _text("events"),
        _text("secret"),
        # the one before it signs too, until then
        Column("old_secret", Text),
        Column("old_until_ms", BigInteger),
        # on, off
        _text("state"),
        _text("off_why"),
        Column("failing_since_ms", BigInteger),
        _text("made_by"),
        _number("made_ms"),
        PrimaryKeyConstraint("operator_id", "webhook_id"),
    )


def _webhook_event(metadata: MetaData) -> Table:
    return Table(
        "webhook_event",
        metadata,
        _text("operator_id"),
        _text("event_id"),
        _text("name"),
        _text("body"),
        _number("at_ms"),
        Index("ix_webhook_event_at", "operator_id", "at_ms"),
        PrimaryKeyConstraint("operator_id", "event_id"),
    )


def _webhook_delivery(metadata: MetaData) -> Table:
    return Table(
        "webhook_delivery",
        metadata,
        _text("operator_id"),
        _text("webhook_id"),
        _text("event_id"),
        # waiting, delivered, given up
        _text("state"),
        _number("attempts"),
        Column("due_ms", BigInteger),
        _number("at_ms"),
        Index("ix_webhook_delivery_due", "due_ms"),
        Index("ix_webhook_delivery_at", "operator_id", "webhook_id", "at_ms"),
        PrimaryKeyConstraint("operator_id", "webhook_id", "event_id"),
    )


def _webhook_attempt(metadata: MetaData) -> Table:
    return Table(
        "webhook_attempt",
        metadata,
        _text("operator_id"),
        _text("webhook_id"),
        _text("event_id"),
        _number("attempt"),
        _number("at_ms"),
        # null: no answer came
        Column("status", BigInteger),
        _number("took_ms"),
        _text("error"),
        PrimaryKeyConstraint("operator_id", "webhook_id", "event_id", "attempt"),
    )
