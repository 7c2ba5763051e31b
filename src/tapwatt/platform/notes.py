"""Notes on a session: who wrote what and when. They are added to, never changed and never taken away."""

import re
from typing import Any

from sqlalchemy import bindparam, insert, select

from tapwatt.platform.tables import SESSION, SESSION_NOTE
from tapwatt.store import Transaction, UnableToStoreDuplicate, UnableToStoreYet

Json = dict[str, Any]
TEXT_MAX, NOTES_MAX = 2000, 200
DIGITS = re.compile(r"[0-9](?:[ -]?[0-9]){12,18}")

_N = SESSION_NOTE.c
OF_SESSION = (
    select(_N.written_by, _N.text, _N.at_ms, _N.key)
    .where(_N.operator_id == bindparam("operator_id"), _N.session_id == bindparam("session_id"))
    .order_by(_N.place)
    .limit(NOTES_MAX)
)
SESSION_OWNED = select(SESSION.machine.c.id).where(
    SESSION.machine.c.owner == bindparam("operator_id"), SESSION.machine.c.id == bindparam("session_id")
)
ADD = insert(SESSION_NOTE)


class UnableToNote(Exception):
    """The note is not kept; the sentence says why."""


def of_session(tx: Transaction, *, operator_id: str, session_id: str) -> list[Json]:
    """A session's notes, the oldest first."""
    rows = tx.run(OF_SESSION, operator_id=operator_id, session_id=session_id)
    return [{"by": row.written_by, "text": row.text, "at_ms": row.at_ms} for row in rows]


def add(
    tx: Transaction, *, operator_id: str, session_id: str, text: str, by: str, key: str, at_ms: int
) -> bool:
    """Add a note; the same key a second time adds none. False when the operator has no such session.

    Raises UnableToNote when the note is empty or too long, there are too many, or a card number is in it.
    """
    said = text.strip()
    if not 1 <= len(said) <= TEXT_MAX:
        raise UnableToNote(f"a note has 1 to {TEXT_MAX} characters")
    if holds_card_number(said):
        raise UnableToNote("a card number must not be written down; its last four digits are enough")
    if tx.one(SESSION_OWNED, operator_id=operator_id, session_id=session_id) is None:
        return False
    known = tx.run(OF_SESSION, operator_id=operator_id, session_id=session_id)
    if any(row.key == key for row in known):
        return True
    if len(known) >= NOTES_MAX:
        raise UnableToNote(f"a session has at most {NOTES_MAX} notes")
    row = {"written_by": by, "text": said, "at_ms": at_ms, "key": key, "place": len(known) + 1}
    try:
        tx.run(ADD, operator_id=operator_id, session_id=session_id, **row)
    except UnableToStoreDuplicate as error:
        raise UnableToStoreYet("somebody else wrote a note meanwhile") from error
    return True


def holds_card_number(text: str) -> bool:
    """Whether a run of 13 to 19 digits has the check digit of a card number (ISO/IEC 7812-1, annex B)."""
    return any(_checks(re.sub(r"\D", "", run)) for run in DIGITS.findall(text))


def _checks(digits: str) -> bool:
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
