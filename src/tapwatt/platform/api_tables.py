"""Tables of the API: answers kept under their keys, personal tokens, and webhooks with what is to be sent.

They stand beside `tables.py` and are made on its metadata, so that the platform's tables stay one set.
"""

from typing import NamedTuple

from sqlalchemy import (
    Index,
    MetaData,
    Table,
)

from tapwatt.platform.columns import maybe, maybe_number, number, owned, text


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


def _idempotency(metadata: MetaData) -> Table:
    return owned(
        metadata,
        "idempotency",
        # who sent it: a person's id, or empty while the house is open
        text("person"),
        text("route"),
        text("key"),
        text("fingerprint"),
        # null: begun, and its outcome is not known
        maybe_number("status"),
        text("body"),
        number("at_ms"),
        Index("ix_idempotency_at", "operator_id", "at_ms"),
        key=("person", "route", "key"),
    )


def _token(metadata: MetaData) -> Table:
    return owned(
        metadata,
        "token",
        text("token_id"),
        # SHA-256 of the secret, which nobody keeps
        text("digest"),
        text("name"),
        # permissions as a JSON list; what the person's role does not allow is left out when it is used
        text("scopes"),
        maybe("person_id"),
        text("made_by"),
        number("made_ms"),
        maybe_number("expires_ms"),
        maybe_number("used_ms"),
        maybe_number("revoked_ms"),
        Index("ix_token_digest", "digest", unique=True),
        key=("token_id",),
    )


def _webhook(metadata: MetaData) -> Table:
    return owned(
        metadata,
        "webhook",
        text("webhook_id"),
        text("url"),
        # names of events as a JSON list
        text("events"),
        text("secret"),
        # the one before it signs too, until then
        maybe("old_secret"),
        maybe_number("old_until_ms"),
        # on, off
        text("state"),
        text("off_why"),
        maybe_number("failing_since_ms"),
        text("made_by"),
        number("made_ms"),
        key=("webhook_id",),
    )


def _webhook_event(metadata: MetaData) -> Table:
    return owned(
        metadata,
        "webhook_event",
        text("event_id"),
        text("name"),
        text("body"),
        number("at_ms"),
        Index("ix_webhook_event_at", "operator_id", "at_ms"),
        key=("event_id",),
    )


def _webhook_delivery(metadata: MetaData) -> Table:
    return owned(
        metadata,
        "webhook_delivery",
        text("webhook_id"),
        text("event_id"),
        # waiting, delivered, given up
        text("state"),
        number("attempts"),
        maybe_number("due_ms"),
        number("at_ms"),
        Index("ix_webhook_delivery_due", "due_ms"),
        Index("ix_webhook_delivery_at", "operator_id", "webhook_id", "at_ms"),
        key=("webhook_id", "event_id"),
    )


def _webhook_attempt(metadata: MetaData) -> Table:
    return owned(
        metadata,
        "webhook_attempt",
        text("webhook_id"),
        text("event_id"),
        number("attempt"),
        number("at_ms"),
        # null: no answer came
        maybe_number("status"),
        number("took_ms"),
        text("error"),
        key=("webhook_id", "event_id", "attempt"),
    )
