"""Webhooks: addresses that an operator has events sent to, each with a secret of its own.

The secret is kept as it is, because every event is signed with it; it is shown once. A changed secret signs
together with the one before it for a day, so that no event is lost while the receiver is told.
"""

import json
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import bindparam, delete, func, insert, select, update

from tapwatt.platform import audit
from tapwatt.platform.access import Who
from tapwatt.platform.paging import cut, read_cursor, write_cursor
from tapwatt.platform.tables import WEBHOOK, WEBHOOK_DELIVERY
from tapwatt.platform.webhook_events import EVENTS, OFF, ON, TEST, add, id_of
from tapwatt.platform.webhook_signing import SECRET_BYTES, secret_of
from tapwatt.store import Row, Transaction

Json = dict[str, Any]
WEBHOOKS_MAX, URL_MAX = 20, 500
BOTH_MS = 86_400_000
"""So long the old secret signs too."""
ID_BYTES = 9
LIST = "webhooks"

_W, _D = WEBHOOK.c, WEBHOOK_DELIVERY.c
_OWN = _W.operator_id == bindparam("operator_id")
ONE = select(WEBHOOK).where(_OWN, _W.webhook_id == bindparam("webhook_id"))
AFTER = (
    select(WEBHOOK)
    .where(_OWN, _W.webhook_id > bindparam("after"))
    .order_by(_W.webhook_id)
    .limit(bindparam("most"))
)
COUNT = select(func.count().label("n")).where(_OWN)
ADD = insert(WEBHOOK)
_ONE = (_W.operator_id == bindparam("owner"), _W.webhook_id == bindparam("id"))
CHANGE = (
    update(WEBHOOK)
    .where(*_ONE)
    .values({name: bindparam(f"set_{name}") for name in ("url", "events", "state", "off_why")})
    .values(failing_since_ms=None)
)
EXCHANGE = (
    update(WEBHOOK)
    .where(*_ONE)
    .values(old_secret=_W.secret, old_until_ms=bindparam("set_until_ms"), secret=bindparam("set_secret"))
)
DROP = delete(WEBHOOK).where(*_ONE)
DROP_DELIVERIES = delete(WEBHOOK_DELIVERY).where(
    _D.operator_id == bindparam("owner"), _D.webhook_id == bindparam("id")
)


class UnableToKeepWebhook(Exception):
    """It makes no sense; the sentence says why."""


class TooManyWebhooks(Exception):
    """There are as many as are allowed."""


def check_url(url: str) -> None:
    """An address that events may go to: https, or http on this very machine. Raises UnableToKeepWebhook."""
    try:
        parts = urlsplit(url)
        name, _ = parts.hostname or "", parts.port
    except ValueError:
        raise UnableToKeepWebhook("url: is no address") from None
    if not name or len(url) > URL_MAX or not url.isascii() or not url.isprintable() or " " in url:
        raise UnableToKeepWebhook("url: is no address")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise UnableToKeepWebhook("url: has neither a name and password nor a fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_here(name)):
        raise UnableToKeepWebhook("url: begins with https://, or with http:// on this machine")


def _is_here(name: str) -> bool:
    """Whether a host's name is this very machine."""
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def make(tx: Transaction, who: Who, *, url: str, events: list[str], chance: bytes, at_ms: int) -> Json:
    """Have events sent to an address; `chance` is SECRET_BYTES + ID_BYTES random bytes. The row with its
    secret. Raises UnableToKeepWebhook, TooManyWebhooks."""
    check_url(url)
    count = tx.one(COUNT, operator_id=who.operator_id)
    if count is not None and count.n >= WEBHOOKS_MAX:
        raise TooManyWebhooks(f"there are {WEBHOOKS_MAX} webhooks, the most allowed")
    row: Json = {
        "webhook_id": "wh-" + chance[SECRET_BYTES : SECRET_BYTES + ID_BYTES].hex(),
        "url": url,
        "events": json.dumps(_in_order(events)),
        "secret": secret_of(chance[:SECRET_BYTES]),
        "old_secret": None,
        "old_until_ms": None,
        "state": ON,
        "off_why": "",
        "failing_since_ms": None,
        "made_by": who.name,
        "made_ms": at_ms,
    }
    tx.run(ADD, operator_id=who.operator_id, **row)
    audit.append(tx, who, "webhook made", row["webhook_id"], at_ms=at_ms, url=url, events=row["events"])
    return {**_shown(row), "secret": row["secret"]}


def change(
    tx: Transaction, who: Who, webhook_id: str, *, url: str, events: list[str], on: bool, at_ms: int
) -> Json | None:
    """Say anew where and what; switching on lets one that had failed begin again. None when the operator has
    none of that id. Raises UnableToKeepWebhook."""
    check_url(url)
    owner = who.operator_id
    if find(tx, operator_id=owner, webhook_id=webhook_id) is None:
        return None
    tx.run(
        CHANGE,
        owner=owner,
        id=webhook_id,
        set_url=url,
        set_events=json.dumps(_in_order(events)),
        set_state=ON if on else OFF,
        set_off_why="" if on else f"switched off by {who.name}",
    )
    audit.append(tx, who, "webhook changed", webhook_id, at_ms=at_ms, url=url, on=int(on))
    return one(tx, operator_id=owner, webhook_id=webhook_id)


def exchange_secret(tx: Transaction, who: Who, webhook_id: str, *, chance: bytes, at_ms: int) -> Json | None:
    """Give a webhook another secret; the old one signs too for a day. None when there is no such webhook."""
    secret = secret_of(chance[:SECRET_BYTES])
    if find(tx, operator_id=who.operator_id, webhook_id=webhook_id) is None:
        return None
    until = at_ms + BOTH_MS
    tx.run(EXCHANGE, owner=who.operator_id, id=webhook_id, set_until_ms=until, set_secret=secret)
    audit.append(tx, who, "webhook secret exchanged", webhook_id, at_ms=at_ms)
    shown = one(tx, operator_id=who.operator_id, webhook_id=webhook_id)
    return None if shown is None else {**shown, "secret": secret}


def drop(tx: Transaction, who: Who, webhook_id: str, *, at_ms: int) -> bool:
    """Send nothing there any more; what was on its way is forgotten. False when there is no such webhook."""
    if find(tx, operator_id=who.operator_id, webhook_id=webhook_id) is None:
        return False
    tx.run(DROP_DELIVERIES, owner=who.operator_id, id=webhook_id)
    tx.run(DROP, owner=who.operator_id, id=webhook_id)
    audit.append(tx, who, "webhook dropped", webhook_id, at_ms=at_ms)
    return True


def test(tx: Transaction, who: Who, webhook_id: str, *, subject: str, at_ms: int) -> Json | None:
    """Have a test event sent; its id. None when there is no such webhook."""
    if find(tx, operator_id=who.operator_id, webhook_id=webhook_id) is None:
        return None
    event_id = id_of(who.operator_id, TEST, subject)
    owned = {"operator_id": who.operator_id, "webhook_ids": [webhook_id]}
    add(tx, event_id, TEST, **owned, data={"asked_by": who.name}, at_ms=at_ms)  # type: ignore[arg-type]
    return {"event_id": event_id}


def find(tx: Transaction, *, operator_id: str, webhook_id: str) -> Row | None:
    """A webhook's row."""
    return tx.one(ONE, operator_id=operator_id, webhook_id=webhook_id)


def one(tx: Transaction, *, operator_id: str, webhook_id: str) -> Json | None:
    """A webhook without its secret; None when there is none."""
    row = find(tx, operator_id=operator_id, webhook_id=webhook_id)
    return None if row is None else _shown(row._asdict())


def listing(tx: Transaction, *, operator_id: str, cursor: str | None, most: int) -> Json:
    """A page of webhooks, without secrets. Raises UnableToRead."""
    (after,) = read_cursor(LIST, cursor, str) if cursor else ("",)
    found = tx.run(AFTER, operator_id=operator_id, after=after, most=most + 1)
    rows, following = cut(found, most, lambda row: write_cursor(LIST, row.webhook_id))
    return {"webhooks": [_shown(row._asdict()) for row in rows], "cursor": following}


def _in_order(events: list[str]) -> list[str]:
    return [name for name in EVENTS if name in events]


def _shown(row: Json) -> Json:
    names = (
        "webhook_id", "url", "state", "off_why", "old_until_ms", "failing_since_ms", "made_by", "made_ms"
    )  # fmt: skip
    return {**{name: row[name] for name in names}, "events": json.loads(row["events"])}
