"""Tables of login and record: people, their logins, tries, approvals, and the audit log.

They stand beside `tables.py` and are made on its metadata, so that the platform's tables stay one set.
"""

from typing import NamedTuple

from sqlalchemy import (
    Index,
    MetaData,
    Table,
    UniqueConstraint,
)

from tapwatt.platform.columns import maybe, maybe_number, number, owned, text


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
    return owned(
        metadata,
        "person",
        text("person_id"),
        # what is typed to log in, in small letters, and what others see
        text("login_name"),
        text("display_name"),
        text("role"),
        # argon2id with its parameters in it (PHC string format)
        text("password"),
        # somebody else chose the password: it is to be changed before anything else
        number("must_change"),
        # base32; the last time step whose code was taken, so that none is taken twice
        text("totp_secret"),
        number("totp_step"),
        number("disabled"),
        number("made_ms"),
        text("made_by"),
        maybe_number("last_login_ms"),
        UniqueConstraint("operator_id", "login_name"),
        key=("person_id",),
    )


def _login(metadata: MetaData) -> Table:
    return owned(
        metadata,
        "login",
        # SHA-256 of what the cookie holds; the cookie's own value is nowhere
        text("login_hash"),
        text("person_id"),
        # code: the password was right and the code is asked for; open: logged in
        text("state"),
        number("began_ms"),
        number("seen_ms"),
        text("address"),
        text("agent"),
        number("codes_tried"),
        Index("ix_login_person", "operator_id", "person_id"),
        key=("login_hash",),
    )


def _login_try(metadata: MetaData) -> Table:
    return owned(
        metadata,
        "login_try",
        # name: SHA-256 of the name that was typed (some type their password there); address: as it is
        text("kind"),
        text("subject"),
        number("failed"),
        number("last_ms"),
        number("until_ms"),
        key=("kind", "subject"),
    )


def _approval(metadata: MetaData) -> Table:
    return owned(
        metadata,
        "approval",
        text("approval_id"),
        text("kind"),
        text("subject"),
        # the order as JSON, and what the subject was when it was given
        text("body"),
        text("fingerprint"),
        # waiting, approved, rejected, expired
        text("state"),
        text("asked_by"),
        text("asked_person"),
        number("asked_ms"),
        number("expires_ms"),
        maybe("decided_by"),
        maybe("decided_person"),
        maybe_number("decided_ms"),
        maybe("why"),
        Index("ix_approval_state", "operator_id", "state", "asked_ms"),
        key=("approval_id",),
    )


def _audit_entry(metadata: MetaData) -> Table:
    return owned(
        metadata,
        "audit_entry",
        number("seq"),
        number("at_ms"),
        text("who"),
        maybe("person_id"),
        text("via"),
        text("what"),
        text("subject"),
        text("outcome"),
        # further facts as a JSON object
        text("detail"),
        text("previous"),
        text("hash"),
        key=("seq",),
    )
