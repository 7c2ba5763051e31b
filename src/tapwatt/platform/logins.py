"""Logins as the server keeps them, and how often somebody has tried.

The cookie holds 256 random bits; here is only their SHA-256, so that a copy of the database opens no door.
A login ends after half an hour without a request and after twelve hours in any case (NIST SP 800-63B, 4.2.3).
Every try is counted before it is judged, so that many at once are many tries; who has failed too often waits,
longer each time, whether or not the name is anybody's.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from tapwatt.platform.tables import LOGIN, LOGIN_TRY, PERSON
from tapwatt.store import Row, Transaction, UnableToStoreDuplicate, UnableToStoreYet

Json = dict[str, Any]
MINUTE_MS = 60_000
IDLE_MS, ABSOLUTE_MS = 30 * MINUTE_MS, 12 * 60 * MINUTE_MS
CODE_WITHIN_MS, CODES_MAX = 5 * MINUTE_MS, 5
"""After the right password: so long, and so many tries, for the code."""
SEEN_EVERY_MS = MINUTE_MS
"""A login's last sight is written this often, not at each request."""
LOGINS_MAX = 20
"""Of one person; the oldest gives way."""
FREE = {"name": 5, "address": 20}
"""Failures before somebody has to wait; an address may be a whole office."""
FIRST_WAIT_MS, LONGEST_WAIT_MS = 1_000, 15 * MINUTE_MS
FORGOTTEN_MS = 24 * 60 * MINUTE_MS
"""Tries that are so old count no more."""
ADDRESS_MAX, AGENT_MAX = 64, 120
CODE, OPEN = "code", "open"

_L = LOGIN.c
_OWN = _L.operator_id == bindparam("operator_id")
_THIS = (_OWN, _L.login_hash == bindparam("login_hash"))
ADD = insert(LOGIN)
FIND = select(
    _L.login_hash, _L.state, _L.began_ms, _L.seen_ms, _L.codes_tried, *(
        column for column in PERSON.c if column.name not in ("made_ms", "made_by")
    ),
).join(
    PERSON, (PERSON.c.operator_id == _L.operator_id) & (PERSON.c.person_id == _L.person_id)
).where(*_THIS)  # fmt: skip
SEE = (
    update(LOGIN)
    .where(_L.operator_id == bindparam("owner"), _L.login_hash == bindparam("this"))
    .values(seen_ms=bindparam("set_ms"))
)
TRY_CODE = (
    update(LOGIN)
    .where(_L.operator_id == bindparam("owner"), _L.login_hash == bindparam("this"))
    .values(codes_tried=_L.codes_tried + 1)
    .returning(_L.codes_tried)
)
END = delete(LOGIN).where(*_THIS)
END_OF_PERSON = delete(LOGIN).where(*_THIS, _L.person_id == bindparam("person_id"))
END_OTHERS = delete(LOGIN).where(
    _OWN, _L.person_id == bindparam("person_id"), _L.login_hash != bindparam("keep")
)
END_OLD = delete(LOGIN).where(
    _OWN, (_L.began_ms < bindparam("began_ms")) | (_L.seen_ms < bindparam("idle_ms"))
)
OF_PERSON = (
    select(LOGIN)
    .where(_OWN, _L.person_id == bindparam("person_id"), _L.state == OPEN)
    .order_by(_L.seen_ms.desc())
)

_T = LOGIN_TRY.c
_TRY = (_T.operator_id == bindparam("owner"), _T.kind == bindparam("of"), _T.subject == bindparam("about"))
FIND_TRY = select(LOGIN_TRY).where(*_TRY).with_for_update()
ADD_TRY = insert(LOGIN_TRY)
COUNT_TRY = (
    update(LOGIN_TRY)
    .where(*_TRY)
    .values(failed=bindparam("set_failed"), last_ms=bindparam("set_ms"), until_ms=bindparam("set_until_ms"))
)
FORGET_TRY = delete(LOGIN_TRY).where(*_TRY)
FORGET_OLD = delete(LOGIN_TRY).where(
    _T.operator_id == bindparam("operator_id"), _T.last_ms < bindparam("before_ms")
)
TRIES_OF_NAMES = select(LOGIN_TRY).where(_T.operator_id == bindparam("operator_id"), _T.kind == "name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Where a login comes from, as it is kept: the address of the other end, what the browser says of
    itself."""

    address: str
    agent: str = ""


def hash_of(secret: str) -> str:
    """What is kept of a cookie's value."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def begin(
    tx: Transaction, *, operator_id: str, person_id: str, state: str, secret: str, caller: Caller, at_ms: int
) -> None:
    """Keep a new login; logins that are over are cleared away."""
    tx.run(END_OLD, operator_id=operator_id, began_ms=at_ms - ABSOLUTE_MS, idle_ms=at_ms - IDLE_MS)
    for row in tx.run(OF_PERSON, operator_id=operator_id, person_id=person_id)[LOGINS_MAX - 1 :]:
        end(tx, operator_id=operator_id, login_hash=row.login_hash)
    tx.run(
        ADD,
        operator_id=operator_id,
        login_hash=hash_of(secret),
        person_id=person_id,
        state=state,
        began_ms=at_ms,
        seen_ms=at_ms,
        address=caller.address[:ADDRESS_MAX],
        agent=caller.agent[:AGENT_MAX],
        codes_tried=0,
    )


def find(tx: Transaction, *, operator_id: str, login_hash: str, at_ms: int) -> Row | None:
    """A login that stands, with its person: not over, the person not disabled."""
    row = tx.one(FIND, operator_id=operator_id, login_hash=login_hash)
    if row is None or row.disabled:
        return None
    ends_ms = row.began_ms + (CODE_WITHIN_MS if row.state == CODE else ABSOLUTE_MS)
    return row if at_ms < min(ends_ms, row.seen_ms + IDLE_MS) else None


def see(tx: Transaction, row: Row, *, at_ms: int) -> None:
    """Somebody was just here."""
    tx.run(SEE, owner=row.operator_id, this=row.login_hash, set_ms=at_ms)


def try_code(tx: Transaction, row: Row) -> bool:
    """Count a try at the code; False when there were too many: the login is over then."""
    counted = tx.one(TRY_CODE, owner=row.operator_id, this=row.login_hash)
    if counted is not None and counted.codes_tried <= CODES_MAX:
        return True
    end(tx, operator_id=row.operator_id, login_hash=row.login_hash)
    return False


def end(tx: Transaction, *, operator_id: str, login_hash: str) -> None:
    """End one login."""
    tx.run(END, operator_id=operator_id, login_hash=login_hash)


def end_own(tx: Transaction, *, operator_id: str, person_id: str, login_hash: str) -> None:
    """End one login of a person, nobody else's."""
    tx.run(END_OF_PERSON, operator_id=operator_id, person_id=person_id, login_hash=login_hash)


def end_others(tx: Transaction, *, operator_id: str, person_id: str, keep: str) -> None:
    """End every login of a person but one."""
    tx.run(END_OTHERS, operator_id=operator_id, person_id=person_id, keep=keep)


def of_person(tx: Transaction, *, operator_id: str, person_id: str, at_ms: int) -> list[Json]:
    """The logins of a person that stand, the last seen first."""
    return [
        {
            "login_hash": row.login_hash,
            "began_ms": row.began_ms,
            "seen_ms": row.seen_ms,
            "address": row.address,
            "agent": row.agent,
        }
        for row in tx.run(OF_PERSON, operator_id=operator_id, person_id=person_id)
        if at_ms < min(row.began_ms + ABSOLUTE_MS, row.seen_ms + IDLE_MS)
    ]


def claim_try(tx: Transaction, *, operator_id: str, login_name: str, caller: Caller, at_ms: int) -> int:
    """Count a try against the name and the address before it is judged. Returns for how many milliseconds
    nothing is judged; 0: go on."""
    tx.run(FORGET_OLD, operator_id=operator_id, before_ms=at_ms - FORGOTTEN_MS)
    keys = _keys(login_name, caller)
    known = {kind: tx.one(FIND_TRY, owner=operator_id, of=kind, about=about) for kind, about in keys}
    wait_ms = max((row.until_ms - at_ms for row in known.values() if row is not None), default=0)
    if wait_ms > 0:
        return wait_ms
    for kind, about in keys:
        row = known[kind]
        failed = row.failed + 1 if row else 1
        values = {"failed": failed, "last_ms": at_ms, "until_ms": at_ms + _wait_ms(kind, failed)}
        if row is None:
            _add_try(tx, operator_id, kind, about, values)
        else:
            _set_try(tx, operator_id, kind, about, values)
    return 0


def forgive_try(
    tx: Transaction, *, operator_id: str, login_name: str, caller: Caller, name_too: bool, at_ms: int
) -> None:
    """A try was right: it is not held against the address; after the code, nothing against the name either.
    The address keeps its other failures: who has an account of his own guesses no longer for it."""
    for kind, about in _keys(login_name, caller):
        if kind == "name":
            if name_too:
                tx.run(FORGET_TRY, owner=operator_id, of=kind, about=about)
            continue
        row = tx.one(FIND_TRY, owner=operator_id, of=kind, about=about)
        if row is not None:
            failed = max(0, row.failed - 1)
            _set_try(tx, operator_id, kind, about, {"failed": failed, "last_ms": at_ms, "until_ms": 0})


def failures(tx: Transaction, *, operator_id: str, login_names: list[str]) -> dict[str, int]:
    """Failed tries of each name since the last login."""
    failed = {row.subject: row.failed for row in tx.run(TRIES_OF_NAMES, operator_id=operator_id)}
    return {name: failed.get(_subject(name), 0) for name in login_names}


def _wait_ms(kind: str, failed: int) -> int:
    over = failed - FREE[kind]
    return 0 if over < 0 else min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** min(over, 20))


def _keys(login_name: str, caller: Caller) -> tuple[tuple[str, str], ...]:
    return ("address", caller.address[:ADDRESS_MAX]), ("name", _subject(login_name))


def _subject(login_name: str) -> str:
    return hash_of(login_name.strip().lower())


def _add_try(tx: Transaction, operator_id: str, kind: str, about: str, values: dict[str, int]) -> None:
    try:
        tx.run(ADD_TRY, operator_id=operator_id, kind=kind, subject=about, **values)
    except UnableToStoreDuplicate as error:
        raise UnableToStoreYet("somebody else tried meanwhile") from error


def _set_try(tx: Transaction, operator_id: str, kind: str, about: str, values: dict[str, int]) -> None:
    chosen = {f"set_{name}": value for name, value in values.items()}
    chosen["set_ms"] = chosen.pop("set_last_ms")
    tx.run(COUNT_TRY, owner=operator_id, of=kind, about=about, **chosen)
