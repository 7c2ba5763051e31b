"""Orders that may be sent again: the answer of the first time, kept under the sender's key.

An answer is written in the commit of what the order did, so that both are there or neither: a repeat after a
crash either finds the answer or does what was never done. An order that is carried out on a wire (a station's
command) cannot be one commit with it: its key is claimed first, and until its answer is known a repeat is
refused, never carried out again. Refusals are not kept: what is asked again is judged again.
"""

import hashlib
from dataclasses import dataclass, replace

from sqlalchemy import bindparam, delete, insert, select, update

from tapwatt.platform.tables import IDEMPOTENCY
from tapwatt.store import Transaction, UnableToStoreDuplicate, UnableToStoreYet

KEY_MAX = 64
KEPT_MS = 7 * 86_400_000
"""How long an answer is kept; after that the key is as good as new."""
FORGOTTEN_AT_ONCE = 50

_I = IDEMPOTENCY.c
_ONE = (
    _I.operator_id == bindparam("operator_id"),
    _I.person == bindparam("person"),
    _I.route == bindparam("route"),
    _I.key == bindparam("key"),
)
FIND = select(IDEMPOTENCY).where(*_ONE, _I.at_ms > bindparam("since_ms"))
ADD = insert(IDEMPOTENCY)
FORGET_ONE = delete(IDEMPOTENCY).where(*_ONE)
FORGET_OLD = delete(IDEMPOTENCY).where(*_ONE, _I.at_ms <= bindparam("until_ms"))
OLD = select(_I.person, _I.route, _I.key).where(
    _I.operator_id == bindparam("operator_id"), _I.at_ms <= bindparam("until_ms")
).limit(FORGOTTEN_AT_ONCE)  # fmt: skip
ANSWER = (
    update(IDEMPOTENCY)
    .where(
        _I.operator_id == bindparam("owner"),
        _I.person == bindparam("of_person"),
        _I.route == bindparam("of_route"),
        _I.key == bindparam("of_key"),
    )
    .values(status=bindparam("status"), body=bindparam("body"))
)


class UnableToRepeat(Exception):
    """The key stands for an order whose outcome is not known yet."""


class UnableToReuse(Exception):
    """The key stands for another order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order as it was sent. Without a key it is one of its own, and nothing is kept of it."""

    operator_id: str
    person: str
    """Who sends it: two people's keys never meet."""
    route: str
    """Method and path as the routes are written."""
    key: str | None
    fingerprint: str
    at_ms: int

    @property
    def own_key(self) -> str | None:
        """The key as a room keeps it with its own rows, where nobody else's is the same."""
        return self.key if self.key is None or not self.person else f"{self.person}/{self.key}"

    @property
    def names(self) -> dict[str, str]:
        """What a kept answer is found by."""
        assert self.key is not None
        return {
            "operator_id": self.operator_id,
            "person": self.person,
            "route": self.route,
            "key": self.key,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An answer: its status, its body as JSON text, and whether it was given before."""

    status: int
    body: str
    replayed: bool = False


def fingerprint(path: str, query: str, body: bytes) -> str:
    """What two requests that are the same order have in common: address, parameters and body, to the
    byte."""
    whole = b"\0".join((path.encode(), query.encode(), body))
    return hashlib.sha256(whole).hexdigest()


def known(tx: Transaction, order: Order) -> Told | None:
    """What was answered under the order's key. Raises UnableToReuse when that was another order,
    UnableToRepeat when its outcome is not known."""
    if order.key is None:
        return None
    row = tx.one(FIND, **order.names, since_ms=order.at_ms - KEPT_MS)
    if row is None:
        return None
    if row.fingerprint != order.fingerprint:
        raise UnableToReuse(f"the key {order.key} stands for another order: send this one under a new key")
    if row.status is None:
        raise UnableToRepeat(
            f"the order under the key {order.key} was begun and its outcome is not known: it may have been "
            "carried out, and is not carried out again"
        )
    return Told(status=row.status, body=row.body, replayed=True)


def keep(tx: Transaction, order: Order, told: Told) -> Told:
    """Keep an answer in the commit of what it tells."""
    if order.key is not None:
        _add(tx, order, told.status, told.body)
    return replace(told, replayed=False)


def claim(tx: Transaction, order: Order) -> Told | None:
    """Take the key before an order goes out on a wire; what was answered under it, if it is known. Raises as
    `known`."""
    found = known(tx, order)
    if found is None and order.key is not None:
        _add(tx, order, None, "")
    return found


def settle(tx: Transaction, order: Order, told: Told) -> None:
    """Say what came of a claimed order."""
    if order.key is not None:
        named = {"owner": order.operator_id, "of_person": order.person, "of_route": order.route}
        tx.run(ANSWER, **named, of_key=order.key, status=told.status, body=told.body)


def release(tx: Transaction, order: Order) -> None:
    """Give a claimed key back: the order did not go out."""
    if order.key is not None:
        tx.run(FORGET_ONE, **order.names)


def _add(tx: Transaction, order: Order, status: int | None, body: str) -> None:
    until_ms = order.at_ms - KEPT_MS
    for row in tx.run(OLD, operator_id=order.operator_id, until_ms=until_ms):
        gone = {"person": row.person, "route": row.route, "key": row.key}
        tx.run(FORGET_OLD, operator_id=order.operator_id, **gone, until_ms=until_ms)
    tx.run(FORGET_OLD, **order.names, until_ms=until_ms)
    kept = {"fingerprint": order.fingerprint, "status": status, "body": body, "at_ms": order.at_ms}
    try:
        tx.run(ADD, **order.names, **kept)
    except UnableToStoreDuplicate as error:
        # Done again, the look for the key finds what the other node kept.
        raise UnableToStoreYet(f"the key {order.key} was used by somebody else meanwhile") from error
