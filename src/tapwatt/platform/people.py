"""The people who may log in: their names, roles, password hashes and one-time secrets.

From the first administrator on the house is closed, and it never opens again: the last one who can log in is
neither disabled nor given another role. The one-time secret is kept as it is (ADR 0022).
"""

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from tapwatt.core.ids import receipt_token
from tapwatt.platform import audit
from tapwatt.platform.access import PERMISSIONS, Role, Who
from tapwatt.platform.tables import LOGIN, PERSON
from tapwatt.store import Row, Transaction, UnableToStoreDuplicate

Json = dict[str, Any]
PEOPLE_MAX = 500
LOGIN_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{1,62}")
NAME_MAX = 40
SHELL = "the shell"
"""Who is written for what a command does directly on the database."""

_P = PERSON.c
_OWN = _P.operator_id == bindparam("operator_id")
_ONE = (_P.operator_id == bindparam("owner"), _P.person_id == bindparam("person"))
ALL = select(PERSON).where(_OWN).order_by(_P.login_name).limit(PEOPLE_MAX + 1)
BY_ID = select(PERSON).where(_OWN, _P.person_id == bindparam("person_id"))
BY_LOGIN_NAME = select(PERSON).where(_OWN, _P.login_name == bindparam("login_name"))
ADMINISTRATOR = select(_P.person_id).where(_OWN, _P.role == Role.ADMINISTRATOR.value).limit(1)
ADD = insert(PERSON)
SET_ROLE = update(PERSON).where(*_ONE).values(role=bindparam("set_role"))
SET_NAME = update(PERSON).where(*_ONE).values(display_name=bindparam("set_name"))
SET_DISABLED = update(PERSON).where(*_ONE).values(disabled=bindparam("set_disabled"))
SET_PASSWORD = (
    update(PERSON)
    .where(*_ONE)
    .values(password=bindparam("set_password"), must_change=bindparam("set_must_change"))
)
SET_SECRET = update(PERSON).where(*_ONE).values(totp_secret=bindparam("set_secret"), totp_step=0)
TAKE_STEP = (
    update(PERSON)
    .where(*_ONE, _P.totp_step < bindparam("set_step"))
    .values(totp_step=bindparam("set_step"))
    .returning(_P.person_id)
)
"""Of two who come with the same code one is let in."""
LOGGED_IN = update(PERSON).where(*_ONE).values(last_login_ms=bindparam("set_ms"))
END_LOGINS = delete(LOGIN).where(
    LOGIN.c.operator_id == bindparam("operator_id"), LOGIN.c.person_id == bindparam("person_id")
)


class UnableToChangePeople(Exception):
    """It cannot be done; the sentence says why."""


class NoSuchPerson(UnableToChangePeople):
    """The operator has nobody of that name."""


class SenselessPerson(UnableToChangePeople):
    """A name or role makes no sense in itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPerson:
    """Who is to be let in. The password is a hash already; `must_change` when somebody else chose it."""

    login_name: str
    display_name: str
    role: Role
    password: str
    totp_secret: str
    must_change: bool


def shell(operator_id: str) -> Who:
    """Whoever works with a command on the database itself."""
    role = Role.ADMINISTRATOR
    return Who(
        operator_id=operator_id,
        name=SHELL,
        person_id=None,
        role=role,
        permissions=PERMISSIONS[role],
        via="open",
    )


def is_closed(tx: Transaction, *, operator_id: str) -> bool:
    """Whether there is an administrator, so that everybody has to log in."""
    return tx.one(ADMINISTRATOR, operator_id=operator_id) is not None


def add(tx: Transaction, who: Who, person: NewPerson, *, chance: bytes, at_ms: int) -> str:
    """Let somebody in; returns the person's id. `chance` is at least 17 random bytes. The first one is an
    administrator. Raises UnableToChangePeople and its kinds."""
    owner = who.operator_id
    tx.run(audit.CLAIM_OPERATOR, operator_id=owner)
    login_name = person.login_name.strip().lower()
    if not LOGIN_NAME.fullmatch(login_name):
        raise SenselessPerson("login_name: has 2 to 63 of a-z, 0-9, '.', '_', '@', '-'")
    known = tx.run(ALL, operator_id=owner)
    if len(known) >= PEOPLE_MAX:
        raise UnableToChangePeople(f"there are {PEOPLE_MAX} people, the most allowed")
    if person.role is not Role.ADMINISTRATOR and not any(_may_administer(row) for row in known):
        raise UnableToChangePeople("the first one is an administrator: without one everybody may everything")
    display_name = _name(person.display_name, known)
    person_id = f"p-{receipt_token(chance)[:20]}"
    try:
        tx.run(
            ADD,
            operator_id=owner,
            person_id=person_id,
            login_name=login_name,
            display_name=display_name,
            role=person.role.value,
            password=person.password,
            must_change=int(person.must_change),
            totp_secret=person.totp_secret,
            totp_step=0,
            disabled=0,
            made_ms=at_ms,
            made_by=who.name,
            last_login_ms=None,
        )
    except UnableToStoreDuplicate:
        raise UnableToChangePeople(f"login_name: somebody is called {login_name} already") from None
    audit.append(tx, who, "person added", login_name, at_ms=at_ms, role=person.role.value, name=display_name)
    return person_id


def listing(tx: Transaction, *, operator_id: str) -> list[Json]:
    """Everybody, by login name, without secrets."""
    return [shown(row) for row in tx.run(ALL, operator_id=operator_id)[:PEOPLE_MAX]]


def shown(row: Row) -> Json:
    """A person without secrets."""
    return {
        "person_id": row.person_id,
        "login_name": row.login_name,
        "name": row.display_name,
        "role": row.role,
        "disabled": bool(row.disabled),
        "must_change": bool(row.must_change),
        "made_ms": row.made_ms,
        "made_by": row.made_by,
        "last_login_ms": row.last_login_ms,
    }


def find(tx: Transaction, *, operator_id: str, person_id: str) -> Row:
    """One person's row. Raises NoSuchPerson."""
    row = tx.one(BY_ID, operator_id=operator_id, person_id=person_id)
    if row is None:
        raise NoSuchPerson("there is no such person")
    return row


def by_login_name(tx: Transaction, *, operator_id: str, login_name: str) -> Row | None:
    """One person's row by what is typed to log in; None when there is none."""
    return tx.one(BY_LOGIN_NAME, operator_id=operator_id, login_name=login_name.strip().lower())


def who_of(row: Row) -> Who:
    """Somebody who has logged in."""
    role = Role(row.role)
    return Who(
        operator_id=row.operator_id,
        name=row.display_name,
        person_id=row.person_id,
        role=role,
        permissions=PERMISSIONS[role],
        via="login",
    )


def change(
    tx: Transaction,
    who: Who,
    person_id: str,
    *,
    at_ms: int,
    role: Role | None = None,
    display_name: str | None = None,
    disabled: bool | None = None,
) -> None:
    """Give somebody another role or name, or shut them out or let them in again. A change of role and a
    disabling end the person's logins. Raises UnableToChangePeople and its kinds."""
    owner = who.operator_id
    tx.run(audit.CLAIM_OPERATOR, operator_id=owner)
    row, known = find(tx, operator_id=owner, person_id=person_id), tx.run(ALL, operator_id=owner)
    others = [each for each in known if each.person_id != person_id]
    demoted = role not in (None, Role.ADMINISTRATOR)
    if (demoted or disabled) and _may_administer(row) and not any(map(_may_administer, others)):
        raise UnableToChangePeople(f"{row.login_name} is the only administrator who can log in")
    one = {"owner": owner, "person": person_id}
    if role is not None and role != row.role:
        tx.run(SET_ROLE, **one, set_role=role.value)
        end_logins(tx, operator_id=owner, person_id=person_id)
        audit.append(tx, who, "role changed", row.login_name, at_ms=at_ms, before=row.role, after=role.value)
    if display_name is not None and display_name.strip() != row.display_name:
        name = _name(display_name, others)
        tx.run(SET_NAME, **one, set_name=name)
        audit.append(
            tx, who, "person renamed", row.login_name, at_ms=at_ms, before=row.display_name, after=name
        )
    if disabled is not None and disabled != bool(row.disabled):
        tx.run(SET_DISABLED, **one, set_disabled=int(disabled))
        end_logins(tx, operator_id=owner, person_id=person_id)
        audit.append(
            tx, who, "person disabled" if disabled else "person enabled", row.login_name, at_ms=at_ms
        )


def reset(tx: Transaction, who: Who, person_id: str, *, password: str, totp_secret: str, at_ms: int) -> None:
    """Give somebody a new password (a hash), to be changed at once, and a new one-time secret; their logins
    end. Raises NoSuchPerson."""
    owner = who.operator_id
    row = find(tx, operator_id=owner, person_id=person_id)
    tx.run(SET_PASSWORD, owner=owner, person=person_id, set_password=password, set_must_change=1)
    tx.run(SET_SECRET, owner=owner, person=person_id, set_secret=totp_secret)
    end_logins(tx, operator_id=owner, person_id=person_id)
    audit.append(tx, who, "person reset", row.login_name, at_ms=at_ms)


def set_password(tx: Transaction, who: Who, *, password: str, at_ms: int) -> None:
    """Keep a person's own new password (a hash)."""
    row = find(tx, operator_id=who.operator_id, person_id=who.person_id or "")
    tx.run(
        SET_PASSWORD, owner=who.operator_id, person=row.person_id, set_password=password, set_must_change=0
    )
    audit.append(tx, who, "password changed", row.login_name, at_ms=at_ms)


def rehash(tx: Transaction, row: Row, *, password: str) -> None:
    """Keep the same password under today's parameters."""
    one = {"owner": row.operator_id, "person": row.person_id}
    tx.run(SET_PASSWORD, **one, set_password=password, set_must_change=row.must_change)


def take_step(tx: Transaction, row: Row, step: int) -> bool:
    """Use up a time step's code; False when it, or a later one, was used already."""
    return tx.one(TAKE_STEP, owner=row.operator_id, person=row.person_id, set_step=step) is not None


def logged_in(tx: Transaction, row: Row, *, at_ms: int) -> None:
    """Remember when somebody was here last."""
    tx.run(LOGGED_IN, owner=row.operator_id, person=row.person_id, set_ms=at_ms)


def end_logins(tx: Transaction, *, operator_id: str, person_id: str) -> None:
    """End every login of a person."""
    tx.run(END_LOGINS, operator_id=operator_id, person_id=person_id)


def _may_administer(row: Row) -> bool:
    return bool(row.role == Role.ADMINISTRATOR and not row.disabled)


def _name(text: str, others: list[Row]) -> str:
    """A name is what stands as `by`: two people do not share one."""
    name = " ".join(text.split())
    if not 1 <= len(name) <= NAME_MAX or not name.isprintable():
        raise SenselessPerson(f"name: has 1 to {NAME_MAX} printable characters")
    if any(each.display_name.casefold() == name.casefold() for each in others):
        raise UnableToChangePeople(f"name: somebody is called {name} already")
    if name.casefold() in ("operator", SHELL, "nobody"):
        raise SenselessPerson(f"name: {name} stands for nobody in particular")
    return name
