"""The API's tables: answers kept under their keys, personal tokens, webhooks; receipts are listed by time."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0011", "0010"

KEYS = {
    "idempotency": ("person", "route", "key"),
    "token": ("token_id",),
    "webhook": ("webhook_id",),
    "webhook_event": ("event_id",),
    "webhook_delivery": ("webhook_id", "event_id"),
    "webhook_attempt": ("webhook_id", "event_id", "attempt"),
}
TEXTS = {
    "idempotency": ("person", "route", "key", "fingerprint", "body"),
    "token": ("token_id", "digest", "name", "scopes", "made_by"),
    "webhook": ("webhook_id", "url", "events", "secret", "state", "off_why", "made_by"),
    "webhook_event": ("event_id", "name", "body"),
    "webhook_delivery": ("webhook_id", "event_id", "state"),
    "webhook_attempt": ("webhook_id", "event_id", "error"),
}
MAYBE_TEXTS = {"token": ("person_id",), "webhook": ("old_secret",)}
NUMBERS = {
    "idempotency": ("at_ms",),
    "token": ("made_ms",),
    "webhook": ("made_ms",),
    "webhook_event": ("at_ms",),
    "webhook_delivery": ("attempts", "at_ms"),
    "webhook_attempt": ("attempt", "at_ms", "took_ms"),
}
MAYBE_NUMBERS = {
    "idempotency": ("status",),
    "token": ("expires_ms", "used_ms", "revoked_ms"),
    "webhook": ("old_until_ms", "failing_since_ms"),
    "webhook_delivery": ("due_ms",),
    "webhook_attempt": ("status",),
}


def upgrade() -> None:
    """Six tables, all empty: nobody has sent a key, made a token or asked for events before."""
    for name, key in KEYS.items():
        op.create_table(
            name,
            sa.Column("operator_id", sa.Text, nullable=False),
            *(sa.Column(each, sa.Text, nullable=False) for each in TEXTS[name]),
            *(sa.Column(each, sa.Text) for each in MAYBE_TEXTS.get(name, ())),
            *(sa.Column(each, sa.BigInteger, nullable=False) for each in NUMBERS[name]),
            *(sa.Column(each, sa.BigInteger) for each in MAYBE_NUMBERS.get(name, ())),
            sa.PrimaryKeyConstraint("operator_id", *key),
        )
    op.create_index("ix_idempotency_at", "idempotency", ["operator_id", "at_ms"])
    op.create_index("ix_token_digest", "token", ["digest"], unique=True)
    op.create_index("ix_webhook_event_at", "webhook_event", ["operator_id", "at_ms"])
    op.create_index("ix_webhook_delivery_due", "webhook_delivery", ["due_ms"])
    op.create_index("ix_webhook_delivery_at", "webhook_delivery", ["operator_id", "webhook_id", "at_ms"])
    op.create_index("ix_receipt_at", "receipt", ["operator_id", "at_ms", "number"])
