"""Login: people, logins, tries; four eyes: approvals; and the audit log."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0010", "0009"


def upgrade() -> None:
    """Five new tables; there was no login before."""
    _people()
    _record()


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _people() -> None:
    op.create_table(
        "person",
        *map(_text, ("operator_id", "person_id", "login_name", "display_name", "role", "password")),
        _number("must_change"),
        _text("totp_secret"),
        *map(_number, ("totp_step", "disabled", "made_ms")),
        _text("made_by"),
        sa.Column("last_login_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("operator_id", "person_id"),
        sa.UniqueConstraint("operator_id", "login_name"),
    )
    op.create_table(
        "login",
        *map(_text, ("operator_id", "login_hash", "person_id", "state")),
        *map(_number, ("began_ms", "seen_ms")),
        *map(_text, ("address", "agent")),
        _number("codes_tried"),
        sa.PrimaryKeyConstraint("operator_id", "login_hash"),
    )
    op.create_index("ix_login_person", "login", ["operator_id", "person_id"])
    op.create_table(
        "login_try",
        *map(_text, ("operator_id", "kind", "subject")),
        *map(_number, ("failed", "last_ms", "until_ms")),
        sa.PrimaryKeyConstraint("operator_id", "kind", "subject"),
    )


def _record() -> None:
    op.create_table(
        "approval",
        *map(_text, ("operator_id", "approval_id", "kind", "subject", "body", "fingerprint", "state")),
        *map(_text, ("asked_by", "asked_person")),
        *map(_number, ("asked_ms", "expires_ms")),
        sa.Column("decided_by", sa.Text),
        sa.Column("decided_person", sa.Text),
        sa.Column("decided_ms", sa.BigInteger),
        sa.Column("why", sa.Text),
        sa.PrimaryKeyConstraint("operator_id", "approval_id"),
    )
    op.create_index("ix_approval_state", "approval", ["operator_id", "state", "asked_ms"])
    op.create_table(
        "audit_entry",
        _text("operator_id"),
        *map(_number, ("seq", "at_ms")),
        _text("who"),
        sa.Column("person_id", sa.Text),
        *map(_text, ("via", "what", "subject", "outcome", "detail", "previous", "hash")),
        sa.PrimaryKeyConstraint("operator_id", "seq"),
    )
