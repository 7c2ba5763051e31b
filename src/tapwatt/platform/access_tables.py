"""Tables of login and record: people, their logins, tries, approvals, and the audit log.

They stand beside `tables.py` and are made on its metadata, so that the platform's tables stay one set.
"""

from typing import NamedTuple

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


class AccessTables(NamedTuple):
    """The five tables."""

    person: Table
    login: Table
    login_try: Table
    approval: Table
    audit_entry: Table


def access_tables(metadata: MetaData) -> AccessTables:
    """Make the tables on the platform's metadata."""
    return AccessTables(
        person=_person(metadata),
        login=_login(metadata),
        login_try=_login_try(metadata),
        approval=_approval(metadata),
        audit_entry=_audit_entry(metadata),
    )


def _person(metadata: MetaData) -> Table:
    return Table(
        "person",
        metadata,
        _text("operator_id"),
        _text("person_id"),
        # what is typed to log in, in small letters, and what others see
        _text("login_name"),
        _text("display_name"),
        _text("role"),
        # argon2id with its parameters in it (PHC string format)
        _text("password"),
        # somebody else chose the password: it is to be changed before anything else
        _number("must_change"),
        # base32; the last time step whose code was taken, so that none is taken twice
        _text("totp_secret"),
        _number("totp_step"),
        _number("disabled"),
        _number("made_ms"),
        _text("made_by"),
        Column("last_login_ms", BigInteger),
        PrimaryKeyConstraint("operator_id", "person_id"),
        UniqueConstraint("operator_id", "login_name"),
    )


def _login(metadata: MetaData) -> Table:
    return Table(
        "login",
        metadata,
        _text("operator_id"),
        # SHA-256 of what the cookie holds; the cookie's own value is nowhere
        _text("login_hash"),
        _text("person_id"),
        # code: the password was right and the code is asked for; open: logged in
        _text("state"),
        _number("began_ms"),
        _number("seen_ms"),
        _text("address"),
        _text("agent"),
        _number("codes_tried"),
        PrimaryKeyConstraint("operator_id", "login_hash"),
        Index("ix_login_person", "operator_id", "person_id"),
    )


def _login_try(metadata: MetaData) -> Table:
    return Table(
        "login_try",
        metadata,
        _text("operator_id"),
        # name: SHA-256 of the name that was typed (some type their password there); address: as it is
        _text("kind"),
        _text("subject"),
        _number("failed"),
        _number("last_ms"),
        _number("until_ms"),
        PrimaryKeyConstraint("operator_id", "kind", "subject"),
    )


def _approval(metadata: MetaData) -> Table:
    return Table(
        "approval",
        metadata,
        _text("operator_id"),
        _text("approval_id"),
        _text("kind"),
        _text("subject"),
        # the order as JSON, and what the subject was when it was given
        _text("body"),
        _text("fingerprint"),
        # waiting, approved, rejected, expired
        _text("state"),
        _text("asked_by"),
        _text("asked_person"),
        _number("asked_ms"),
        _number("expires_ms"),
        Column("decided_by", Text),
        Column("decided_person", Text),
        Column("decided_ms", BigInteger),
        Column("why", Text),
        PrimaryKeyConstraint("operator_id", "approval_id"),
        Index("ix_approval_state", "operator_id", "state", "asked_ms"),
    )


def _audit_entry(metadata: MetaData) -> Table:
    return Table(
        "audit_entry",
        metadata,
        _text("operator_id"),
        _number("seq"),
        _number("at_ms"),
        _text("who"),
        Column("person_id", Text),
        _text("via"),
        _text("what"),
        _text("subject"),
        _text("outcome"),
        # further facts as a JSON object
        _text("detail"),
        _text("previous"),
        _text("hash"),
        PrimaryKeyConstraint("operator_id", "seq"),
    )


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)
