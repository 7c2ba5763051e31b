"""The outbox of webhooks: what is due, what came of an attempt, when it is tried again, when it is given up.

A delivery is claimed for a while before it is sent, so that two nodes do not send it at once and one that
dies with it in hand only delays it. It is tried again after growing waits, for three days.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, insert, or_, select, update

from tapwatt.platform.paging import LAST_MS, cut, read_cursor, write_cursor
from tapwatt.platform.tables import ALARM, WEBHOOK, WEBHOOK_ATTEMPT, WEBHOOK_DELIVERY, WEBHOOK_EVENT
from tapwatt.platform.webhook_events import DELIVERED, GIVEN_UP, OFF, ON, WAITING
from tapwatt.store import Row, Transaction

Json = dict[str, Any]
FIRST_WAIT_MS, LONGEST_WAIT_MS, GROWTH = 5_000, 8 * 3_600_000, 3
GIVE_UP_MS = 3 * 86_400_000
"""So long an event is tried, and so long a webhook may fail before it is switched off."""
CLAIM_MS = 60_000
KEPT_MS = 30 * 86_400_000
"""How long the log of deliveries is kept."""
FORGOTTEN_AT_ONCE = 500
LOG_SHOWN = 10
GONE = 410
LIST = "deliveries"

_W, _E, _D, _A = WEBHOOK.c, WEBHOOK_EVENT.c, WEBHOOK_DELIVERY.c, WEBHOOK_ATTEMPT.c
_KEY = (
    _D.operator_id == bindparam("owner"),
    _D.webhook_id == bindparam("hook"),
    _D.event_id == bindparam("event"),
)
_HOOK = (_W.operator_id == bindparam("owner"), _W.webhook_id == bindparam("hook"))
DUE_HOOKS = (
    select(_D.operator_id, _D.webhook_id)
    .where(_D.due_ms <= bindparam("now_ms"))
    .group_by(_D.operator_id, _D.webhook_id)
    .order_by(func.min(_D.due_ms))
    .limit(200)
)
DUE = (
    select(
        _D.operator_id, _D.webhook_id, _D.event_id, _D.attempts, _D.due_ms, _E.name, _E.body, _E.at_ms,
        _W.url, _W.secret, _W.old_secret, _W.old_until_ms,
    )
    .join(WEBHOOK_EVENT, and_(_E.operator_id == _D.operator_id, _E.event_id == _D.event_id))
    .join(WEBHOOK, and_(_W.operator_id == _D.operator_id, _W.webhook_id == _D.webhook_id))
    .where(
        _D.operator_id == bindparam("operator_id"),
        _D.webhook_id == bindparam("webhook_id"),
        _D.due_ms <= bindparam("now_ms"),
    )
    .order_by(_D.due_ms)
    .limit(bindparam("most"))
)  # fmt: skip
CLAIM = (
    update(WEBHOOK_DELIVERY)
    .where(*_KEY, _D.due_ms == bindparam("was_ms"))
    .values(due_ms=bindparam("until_ms"))
    .returning(_D.event_id)
)
SETTLE = (
    update(WEBHOOK_DELIVERY)
    .where(*_KEY)
    .values(state=bindparam("set_state"), attempts=bindparam("set_attempts"), due_ms=bindparam("set_due_ms"))
    .returning(_D.event_id)
)
ADD_ATTEMPT = insert(WEBHOOK_ATTEMPT)
WELL = update(WEBHOOK).where(*_HOOK).values(failing_since_ms=None)
FAILING = (
    update(WEBHOOK)
    .where(*_HOOK)
    .values(failing_since_ms=func.coalesce(_W.failing_since_ms, bindparam("set_ms")))
    .returning(_W.failing_since_ms, _W.url)
)
SWITCH_OFF = update(WEBHOOK).where(*_HOOK, _W.state == ON).values(state=OFF, off_why=bindparam("set_why"))
GIVE_UP_ALL = (
    update(WEBHOOK_DELIVERY)
    .where(_D.operator_id == bindparam("owner"), _D.webhook_id == bindparam("hook"), _D.state == WAITING)
    .values(state=GIVEN_UP, due_ms=None)
)
ADD_ALARM = insert(ALARM)
BEFORE = (
    select(_D.event_id, _D.state, _D.attempts, _D.due_ms, _D.at_ms, _E.name)
    .join(WEBHOOK_EVENT, and_(_E.operator_id == _D.operator_id, _E.event_id == _D.event_id))
    .where(
        _D.operator_id == bindparam("operator_id"),
        _D.webhook_id == bindparam("webhook_id"),
        or_(
            _D.at_ms < bindparam("before_ms"),
            and_(_D.at_ms == bindparam("before_ms"), _D.event_id < bindparam("before")),
        ),
    )
    .order_by(_D.at_ms.desc(), _D.event_id.desc())
    .limit(bindparam("most"))
)
LOG = (
    select(_A.attempt, _A.at_ms, _A.status, _A.took_ms, _A.error)
    .where(
        _A.operator_id == bindparam("operator_id"),
        _A.webhook_id == bindparam("webhook_id"),
        _A.event_id == bindparam("event_id"),
    )
    .order_by(_A.attempt.desc())
    .limit(LOG_SHOWN)
)
ONE = select(_D.attempts, _D.state).where(
    _D.operator_id == bindparam("operator_id"),
    _D.webhook_id == bindparam("webhook_id"),
    _D.event_id == bindparam("event_id"),
)
AGAIN = update(WEBHOOK_DELIVERY).where(*_KEY).values(state=WAITING, due_ms=bindparam("set_ms"))
OLD = select(_E.operator_id, _E.event_id).where(_E.at_ms <= bindparam("until_ms")).limit(FORGOTTEN_AT_ONCE)
FORGET = tuple(
    delete(table).where(table.c.operator_id == bindparam("owner"), table.c.event_id == bindparam("event"))
    for table in (WEBHOOK_ATTEMPT, WEBHOOK_DELIVERY, WEBHOOK_EVENT)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One event on its way to one address, claimed to be sent."""

    operator_id: str
    webhook_id: str
    event_id: str
    name: str
    body: str
    url: str
    secrets: tuple[str, ...]
    attempt: int
    """Which it is, from 1."""
    event_ms: int
    """When it happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What came of sending it: the answer's status, or None and what went wrong."""

    at_ms: int
    took_ms: int
    status: int | None
    error: str = ""

    @property
    def done(self) -> bool:
        """Whether the receiver has it."""
        return self.status is not None and 200 <= self.status < 300


def due_hooks(tx: Transaction, *, now_ms: int) -> list[tuple[str, str]]:
    """The webhooks for which something is due, the longest waiting first."""
    return [(row.operator_id, row.webhook_id) for row in tx.run(DUE_HOOKS, now_ms=now_ms)]


def claim(tx: Transaction, hook: tuple[str, str], *, most: int, now_ms: int) -> list[Outgoing]:
    """Take what is due for a webhook, to send it: nobody else will, for a while."""
    owner, webhook_id = hook
    taken = []
    for row in tx.run(DUE, operator_id=owner, webhook_id=webhook_id, now_ms=now_ms, most=most):
        named = {"owner": owner, "hook": webhook_id, "event": row.event_id}
        if tx.one(CLAIM, **named, was_ms=row.due_ms, until_ms=now_ms + CLAIM_MS) is not None:
            taken.append(_outgoing(row, now_ms))
    return taken


def _outgoing(row: Row, now_ms: int) -> Outgoing:
    both = row.old_secret is not None and row.old_until_ms > now_ms
    return Outgoing(
        operator_id=row.operator_id,
        webhook_id=row.webhook_id,
        event_id=row.event_id,
        name=row.name,
        body=row.body,
        url=row.url,
        secrets=(row.secret, row.old_secret) if both else (row.secret,),
        attempt=row.attempts + 1,
        event_ms=row.at_ms,
    )


def settle(tx: Transaction, sent: Outgoing, attempt: Attempt, *, chance: int) -> None:
    """Write an attempt down and what follows from it; `chance` is a number from 0 to 999."""
    named = {"owner": sent.operator_id, "hook": sent.webhook_id}
    over_ms = sent.event_ms + GIVE_UP_MS
    next_ms: int | None = attempt.at_ms + wait_ms(sent.attempt, chance)
    state = WAITING
    if attempt.done:
        state, next_ms = DELIVERED, None
    elif next_ms is not None and next_ms > max(over_ms, attempt.at_ms):
        state, next_ms = GIVEN_UP, None
    known = tx.one(
        SETTLE, **named, event=sent.event_id, set_state=state, set_attempts=sent.attempt, set_due_ms=next_ms
    )
    if known is None:
        return  # the webhook was dropped meanwhile
    _note(tx, sent, attempt)
    if attempt.done:
        tx.run(WELL, **named)
        return
    failing = tx.one(FAILING, **named, set_ms=attempt.at_ms)
    gone = attempt.status == GONE
    if failing is None:
        return
    if gone or attempt.at_ms - failing.failing_since_ms >= GIVE_UP_MS:
        why = "the receiver says it is gone (410)" if gone else "it has failed for three days"
        tx.run(SWITCH_OFF, **named, set_why=why)
        tx.run(GIVE_UP_ALL, **named)
        _alarm(tx, sent, f"off@{attempt.at_ms}", f"{failing.url} is switched off: {why}", attempt.at_ms)
    elif state == GIVEN_UP:
        text = f"{sent.name} {sent.event_id} was not delivered to {failing.url} in three days"
        _alarm(tx, sent, sent.event_id, text, attempt.at_ms)


def wait_ms(attempt: int, chance: int) -> int:
    """How long to wait after an attempt: three times as long each time, a fifth more or less by chance."""
    growth: int = GROWTH ** min(attempt - 1, 12)
    wait = min(LONGEST_WAIT_MS, FIRST_WAIT_MS * growth)
    return wait * (800 + chance * 400 // 1000) // 1000


def _note(tx: Transaction, sent: Outgoing, attempt: Attempt) -> None:
    tx.run(
        ADD_ATTEMPT,
        operator_id=sent.operator_id,
        webhook_id=sent.webhook_id,
        event_id=sent.event_id,
        attempt=sent.attempt,
        at_ms=attempt.at_ms,
        status=attempt.status,
        took_ms=attempt.took_ms,
        error=attempt.error[:300],
    )


def _alarm(tx: Transaction, sent: Outgoing, name: str, text: str, at_ms: int) -> None:
    key = f"webhook-{sent.webhook_id}-{name}"
    tx.run(ADD_ALARM, operator_id=sent.operator_id, key=key, session_id="", text=text, at_ms=at_ms)


def again(tx: Transaction, *, operator_id: str, webhook_id: str, event_id: str, at_ms: int) -> Json | None:
    """Have an event sent once more now; None when there is none such."""
    named = {"operator_id": operator_id, "webhook_id": webhook_id}
    if tx.one(ONE, **named, event_id=event_id) is None:
        return None
    tx.run(AGAIN, owner=operator_id, hook=webhook_id, event=event_id, set_ms=at_ms)
    return {"event_id": event_id}


def deliveries(tx: Transaction, *, operator_id: str, webhook_id: str, cursor: str | None, most: int) -> Json:
    """A page of a webhook's deliveries, newest first, each with its last attempts. Raises UnableToRead."""
    named = {"operator_id": operator_id, "webhook_id": webhook_id}
    before_ms, before = read_cursor(LIST, cursor, int, str) if cursor else (LAST_MS, "")
    found = tx.run(BEFORE, **named, before_ms=before_ms, before=before, most=most + 1)
    rows, following = cut(found, most, lambda row: write_cursor(LIST, row.at_ms, row.event_id))
    shown = [
        {**row._asdict(), "log": [one._asdict() for one in tx.run(LOG, **named, event_id=row.event_id)]}
        for row in rows
    ]
    return {"deliveries": shown, "cursor": following}


def forget(tx: Transaction, *, now_ms: int) -> int:
    """Drop events that are older than the log is kept; how many were dropped."""
    old = tx.run(OLD, until_ms=now_ms - KEPT_MS)
    for row in old:
        for statement in FORGET:
            tx.run(statement, owner=row.operator_id, event=row.event_id)
    return len(old)
