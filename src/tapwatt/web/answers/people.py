"""Who may log in, and what was done: people and the audit log."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from tapwatt.platform.access import Role

Cursor = str | None


class Person(BaseModel):
    """Somebody who may log in, without secrets."""

    person_id: str
    login_name: str
    name: str
    role: Role
    disabled: bool
    must_change: bool = Field(description="Whether the password is still the first one")
    made_ms: int
    made_by: str
    last_login_ms: int | None
    failed: int = Field(description="Tries that failed since the last login")


class People(BaseModel):
    """Everybody by login name; there are never more than some hundreds."""

    people: list[Person]


class HandedOver(BaseModel):
    """What is shown once, to be handed over."""

    login_name: str
    password: str = Field(description="Has to be changed at the first login")
    otpauth: str = Field(description="For an authenticator app")
    secret: str = Field(description="The same secret in base32")


class Entry(BaseModel):
    """One entry of the audit log. `hash` is SHA-256 over the hash of the entry before and this one."""

    seq: int
    at_ms: int
    who: str
    person_id: str | None
    via: Literal["open", "login", "token"]
    what: str
    subject: str
    outcome: str
    detail: dict[str, Any]
    hash: str


class Entries(BaseModel):
    """A page of the audit log, the newest first."""

    entries: list[Entry]
    cursor: Cursor
