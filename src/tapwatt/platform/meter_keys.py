"""The operator's register of meter keys: which public key was a meter's in which time, and who said so.

It is added to; a key's end is set once, when the meter is exchanged, and nothing else ever changes: what was
billed by a key can be checked with it for good. Two keys of one meter are never in force at once.
"""

from functools import lru_cache
from typing import Any

from sqlalchemy import and_, bindparam, func, insert, or_, select, update

from tapwatt.ocmf.curves import CURVES, UnableToJudge
from tapwatt.ocmf.keys import (
    KeyRegister,
    MeterKey,
    RegisteredKey,
    UnableToReadKey,
    load_point,
    read_key,
)
from tapwatt.platform.paging import cut, read_cursor, write_cursor
from tapwatt.platform.tables import METER_KEY, OPERATOR
from tapwatt.platform.tariffs import shown
from tapwatt.store import Row, Transaction

Json = dict[str, Any]
KEYS_MAX = 2_000
"""Of one operator, ended ones too: all of them are read for a verdict."""
METER_MAX, SOURCE_MAX, BY_MAX = 64, 200, 64
MOST_MS = 10**14
LIST = "meter_keys"

_K = METER_KEY.c
_FIELDS = ("meter", "key", "source", "valid_from_ms", "valid_to_ms", "added_by", "added_ms")
OF_OPERATOR = (
    select(METER_KEY)
    .where(_K.operator_id == bindparam("operator_id"))
    .order_by(_K.meter, _K.valid_from_ms)
    .limit(KEYS_MAX)
)
AFTER = (
    select(METER_KEY)
    .where(
        _K.operator_id == bindparam("operator_id"),
        or_(
            _K.meter > bindparam("meter"),
            and_(_K.meter == bindparam("meter"), _K.valid_from_ms > bindparam("from_ms")),
        ),
    )
    .order_by(_K.meter, _K.valid_from_ms)
    .limit(bindparam("most"))
)
OF_METER = (
    select(METER_KEY)
    .where(_K.operator_id == bindparam("operator_id"), _K.meter == bindparam("meter"))
    .order_by(_K.valid_from_ms)
)
COUNT = select(func.count().label("n")).where(_K.operator_id == bindparam("operator_id"))
CLAIM_OPERATOR = (
    select(OPERATOR.c.operator_id).where(OPERATOR.c.operator_id == bindparam("operator_id")).with_for_update()
)
"""Whoever changes the register waits here, so that two cannot each miss the other's key."""
ADD = insert(METER_KEY)
END = (
    update(METER_KEY)
    .where(
        _K.operator_id == bindparam("owner"),
        _K.meter == bindparam("serial"),
        _K.valid_from_ms == bindparam("since_ms"),
        _K.valid_to_ms.is_(None),
    )
    .values(valid_to_ms=bindparam("until_ms"))
)


class UnableToChangeKeys(Exception):
    """The register cannot take it as it stands; the sentence says why."""


class NoSuchKey(UnableToChangeKeys):
    """The operator has registered no key of this meter."""


class SenselessKey(UnableToChangeKeys):
    """What is to be registered makes no sense in itself."""


def add(
    tx: Transaction,
    *,
    operator_id: str,
    meter: str,
    key: str,
    source: str,
    by: str,
    at_ms: int,
    valid_from_ms: int = 0,
    valid_to_ms: int | None = None,
) -> Json:
    """Register a meter's key, from a moment (0: since ever) until another, not included (None: still).

    Raises SenselessKey for what is no key of a known curve, no name or no time; UnableToChangeKeys when
    another key of the meter is in force in that time, or there are too many keys.
    """
    row: Json = {
        "meter": _word("meter", meter, METER_MAX),
        "key": key.strip(),
        "source": _word("source", source, SOURCE_MAX),
        "valid_from_ms": valid_from_ms,
        "valid_to_ms": valid_to_ms,
        "added_by": _word("by", by, BY_MAX),
        "added_ms": at_ms,
    }
    _usable(row["key"])
    if not 0 <= valid_from_ms <= MOST_MS:
        raise SenselessKey(f"valid_from_ms: must be 0 to {MOST_MS}")
    _ends_later(valid_from_ms, valid_to_ms)
    tx.run(CLAIM_OPERATOR, operator_id=operator_id)
    _no_overlap(tx.run(OF_METER, operator_id=operator_id, meter=row["meter"]), valid_from_ms, valid_to_ms)
    count = tx.one(COUNT, operator_id=operator_id)
    if count is not None and count.n >= KEYS_MAX:
        raise UnableToChangeKeys(f"there are {KEYS_MAX} keys, the most allowed")
    tx.run(ADD, operator_id=operator_id, **row)
    return row


def end(tx: Transaction, *, operator_id: str, meter: str, at_ms: int) -> Json:
    """Set the end of the key of a meter that has none yet: from that moment on it is another's or nobody's.

    Raises NoSuchKey for a meter without keys, UnableToChangeKeys when every key has its end, SenselessKey
    when the key would end before it begins.
    """
    tx.run(CLAIM_OPERATOR, operator_id=operator_id)
    known = tx.run(OF_METER, operator_id=operator_id, meter=meter)
    if not known:
        raise NoSuchKey(f"no key of meter {meter} is registered")
    last = known[-1]  # keys do not overlap, so none but the last can be without an end
    if last.valid_to_ms is not None:
        raise UnableToChangeKeys(f"the key of meter {meter} has its end: {shown(last.valid_to_ms)}")
    _ends_later(last.valid_from_ms, at_ms)
    tx.run(END, owner=operator_id, serial=meter, since_ms=last.valid_from_ms, until_ms=at_ms)
    return {**_fields(last), "valid_to_ms": at_ms}


def listing(tx: Transaction, *, operator_id: str, cursor: str | None = None, most: int = KEYS_MAX) -> Json:
    """A page of an operator's keys, by meter, the oldest first. Raises UnableToRead for a cursor of another
    list."""
    meter, from_ms = read_cursor(LIST, cursor, str, int) if cursor else ("", -1)
    found = tx.run(AFTER, operator_id=operator_id, meter=meter, from_ms=from_ms, most=most + 1)
    rows, following = cut(found, most, lambda row: write_cursor(LIST, row.meter, row.valid_from_ms))
    return {"meter_keys": [_fields(row) for row in rows], "cursor": following}


def register_of(tx: Transaction, *, operator_id: str) -> KeyRegister:
    """An operator's keys as verdicts are found with them."""
    return tuple(
        RegisteredKey(
            meter=row.meter,
            key=_read(row.key),
            source=row.source,
            valid_from_ms=row.valid_from_ms or None,
            valid_to_ms=row.valid_to_ms,
        )
        for row in tx.run(OF_OPERATOR, operator_id=operator_id)
    )


_read = lru_cache(maxsize=KEYS_MAX)(read_key)


def _fields(row: Row) -> Json:
    return {name: getattr(row, name) for name in _FIELDS}


def _word(name: str, text: str, most: int) -> str:
    word = text.strip()
    if not 1 <= len(word) <= most or not word.isprintable():
        raise SenselessKey(f"{name}: must be 1 to {most} printable characters")
    return word


def _usable(text: str) -> None:
    try:
        key = read_key(text)
    except (UnableToReadKey, UnableToJudge) as error:
        raise SenselessKey(str(error)) from None
    if not _on_a_curve(key):
        raise SenselessKey("key: is no point of a known curve; is a digit wrong?")


def _on_a_curve(key: MeterKey) -> bool:
    curves = CURVES if key.curve is None else (key.curve,)
    return any(load_point(key, curve) is not None for curve in curves)


def _ends_later(valid_from_ms: int, valid_to_ms: int | None) -> None:
    if valid_to_ms is not None and not valid_from_ms < valid_to_ms <= MOST_MS:
        raise SenselessKey(f"valid_to_ms: must be later than {valid_from_ms}, when the key begins")


def _no_overlap(known: list[Row], from_ms: int, to_ms: int | None) -> None:
    for other in known:
        before = other.valid_to_ms is not None and other.valid_to_ms <= from_ms
        after = to_ms is not None and to_ms <= other.valid_from_ms
        if not before and not after:
            begin = f"from {shown(other.valid_from_ms)}" if other.valid_from_ms else "since ever"
            until = "without an end" if other.valid_to_ms is None else f"until {shown(other.valid_to_ms)}"
            raise UnableToChangeKeys(
                f"a key of meter {other.meter} is registered {begin} {until}: end it first, or let this one "
                "be in force at another time"
            )
