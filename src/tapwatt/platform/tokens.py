"""Personal tokens: what a program shows instead of a login, with less than all that its person may.

A token is shown once, when it is made; kept is its SHA-256, which is enough for 256 random bits. It may do
what its scopes and its person's role both allow, at the moment it is used: a person who is disabled or given
another role takes the tokens along. One made while the house was open ends with the open house.
"""

import base64
import binascii
import hashlib
import hmac
import json
import zlib
from collections.abc import Iterable
from typing import Any

from sqlalchemy import bindparam, func, insert, or_, select, update

from tapwatt.platform import audit, people
from tapwatt.platform.access import PERMISSIONS, Permission, Role, Who, anybody
from tapwatt.platform.paging import cut, read_cursor, write_cursor
from tapwatt.platform.tables import TOKEN
from tapwatt.store import Row, Transaction

Json = dict[str, Any]
PREFIX = "tapwatt_"
SECRET_BYTES, CHECK_BYTES = 32, 3
LENGTH = len(PREFIX) + 4 * 12 - 1
"""Of a token as it is shown: 35 bytes in base64url."""
ID_BYTES = 9
NAME_MAX = 60
TOKENS_MAX = 100
"""Of one person, those that can be used."""
USED_EVERY_MS = 60_000
LIST = "tokens"

_T = TOKEN.c
_OWN = _T.operator_id == bindparam("operator_id")
_PERSONS = func.coalesce(_T.person_id, "") == bindparam("person")
BY_DIGEST = select(TOKEN).where(_T.digest == bindparam("digest"))
AFTER = (
    select(TOKEN)
    .where(_OWN, _PERSONS, _T.token_id > bindparam("after"))
    .order_by(_T.token_id)
    .limit(bindparam("most"))
)
ONE = select(TOKEN).where(_OWN, _PERSONS, _T.token_id == bindparam("token_id"))
USABLE = select(func.count().label("n")).where(
    _OWN,
    _PERSONS,
    _T.revoked_ms.is_(None),
    or_(_T.expires_ms.is_(None), _T.expires_ms > bindparam("at_ms")),
)
ADD = insert(TOKEN)
REVOKE = (
    update(TOKEN)
    .where(_T.operator_id == bindparam("owner"), _T.token_id == bindparam("id"), _T.revoked_ms.is_(None))
    .values(revoked_ms=bindparam("set_ms"))
)
USED = (
    update(TOKEN)
    .where(
        _T.digest == bindparam("of_digest"),
        or_(_T.used_ms.is_(None), _T.used_ms <= bindparam("before_ms")),
    )
    .values(used_ms=bindparam("set_ms"))
)


class UnableToMakeToken(Exception):
    """It is not made; the sentence says why."""


def written(secret: bytes) -> str:
    """A token as it is shown: its bits and a checksum, so that one that is cut off is known without a
    look."""
    text = base64.urlsafe_b64encode(secret + _check(secret)).decode().rstrip("=")
    return PREFIX + text


def is_whole(token: str) -> bool:
    """Whether a text can be a token of ours at all."""
    if not token.startswith(PREFIX) or len(token) != LENGTH:
        return False
    try:
        raw = base64.b64decode(token[len(PREFIX) :] + "=", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(raw[SECRET_BYTES:], _check(raw[:SECRET_BYTES]))


def _check(secret: bytes) -> bytes:
    return zlib.crc32(secret).to_bytes(4, "big")[:CHECK_BYTES]


def make(
    tx: Transaction,
    who: Who,
    *,
    name: str,
    scopes: Iterable[Permission],
    expires_ms: int | None,
    chance: bytes,
    at_ms: int,
) -> Json:
    """Make a token of `SECRET_BYTES + ID_BYTES` random bytes; its row, with the token itself. Raises
    UnableToMakeToken for scopes that its person does not have, a time that is over, or one too many."""
    wanted = frozenset(scopes)
    missing = sorted(each.value for each in wanted - who.permissions)
    if missing:
        raise UnableToMakeToken(f"scopes: {who.name} may not {', '.join(missing)}")
    if not wanted:
        raise UnableToMakeToken("scopes: at least one is needed")
    if expires_ms is not None and expires_ms <= at_ms:
        raise UnableToMakeToken("expires_ms: is over already")
    named = {"operator_id": who.operator_id, "person": who.person_id or ""}
    usable = tx.one(USABLE, **named, at_ms=at_ms)
    if usable is not None and usable.n >= TOKENS_MAX:
        raise UnableToMakeToken(f"there are {TOKENS_MAX} tokens, the most allowed: revoke one first")
    token = written(chance[:SECRET_BYTES])
    row: Json = {
        "token_id": "tok-" + chance[SECRET_BYTES : SECRET_BYTES + ID_BYTES].hex(),
        "digest": digest_of(token),
        "name": name,
        "scopes": json.dumps(sorted(wanted)),
        "person_id": who.person_id,
        "made_by": who.name,
        "made_ms": at_ms,
        "expires_ms": expires_ms,
        "used_ms": None,
        "revoked_ms": None,
    }
    tx.run(ADD, operator_id=who.operator_id, **row)
    audit.append(tx, who, "token made", row["token_id"], at_ms=at_ms, name=name, scopes=row["scopes"])
    return {**_shown(row), "token": token}


def listing(tx: Transaction, who: Who, *, cursor: str | None, most: int) -> Json:
    """A page of somebody's own tokens, without secrets. Raises UnableToRead."""
    (after,) = read_cursor(LIST, cursor, str) if cursor else ("",)
    named = {"operator_id": who.operator_id, "person": who.person_id or ""}
    rows, following = cut(
        tx.run(AFTER, **named, after=after, most=most + 1), most, lambda row: write_cursor(LIST, row.token_id)
    )
    return {"tokens": [_shown(row._asdict()) for row in rows], "cursor": following}


def revoke(tx: Transaction, who: Who, token_id: str, *, at_ms: int) -> bool:
    """End a token, for good; once more changes nothing. False when it is none of theirs."""
    named = {"operator_id": who.operator_id, "person": who.person_id or ""}
    known = tx.one(ONE, **named, token_id=token_id)
    if known is None:
        return False
    if known.revoked_ms is None:
        tx.run(REVOKE, owner=who.operator_id, id=token_id, set_ms=at_ms)
        audit.append(tx, who, "token revoked", token_id, at_ms=at_ms, name=known.name)
    return True


def who_of(tx: Transaction, token: str, now_ms: int) -> Who | None:
    """Whoever shows this token, with what it may do now; None when it is none, revoked or over."""
    if not is_whole(token):
        return None
    row = tx.one(BY_DIGEST, digest=digest_of(token))
    if row is None or row.revoked_ms is not None:
        return None
    if row.expires_ms is not None and row.expires_ms <= now_ms:
        return None
    scopes = frozenset(Permission(each) for each in json.loads(row.scopes))
    if row.person_id is None:
        return _of_open_house(tx, row, scopes)
    person = tx.one(people.BY_ID, operator_id=row.operator_id, person_id=row.person_id)
    if person is None or person.disabled:
        return None
    role = Role(person.role)
    return Who(
        operator_id=row.operator_id,
        name=person.display_name,
        person_id=row.person_id,
        role=role,
        permissions=PERMISSIONS[role] & scopes,
        via="token",
    )


def _of_open_house(tx: Transaction, row: Row, scopes: frozenset[Permission]) -> Who | None:
    if people.is_closed(tx, operator_id=row.operator_id):
        return None
    everybody = anybody(row.operator_id)
    return Who(
        operator_id=row.operator_id,
        name=everybody.name,
        person_id=None,
        role=everybody.role,
        permissions=scopes,
        via="token",
    )


def use(tx: Transaction, token: str, *, now_ms: int) -> None:
    """Note that a token was used, at most once a minute."""
    tx.run(USED, of_digest=digest_of(token), before_ms=now_ms - USED_EVERY_MS, set_ms=now_ms)


def digest_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _shown(row: Json) -> Json:
    names = ("token_id", "name", "made_by", "made_ms", "expires_ms", "used_ms", "revoked_ms")
    return {**{name: row[name] for name in names}, "scopes": json.loads(row["scopes"])}
