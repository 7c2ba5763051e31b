"""The audit log: who did what, by which way, when, and what came of it; each entry chained to the one before.

Entries are added in the transaction of what they tell, never changed. The chain is one per operator: its
numbers have no gaps and each hash is SHA-256 over the previous hash and the entry in one spelling (`spelt`).
Who changes, removes or moves an entry breaks it. Who cuts off its end, or spells the whole chain anew, can
only be found with a checkpoint that was kept elsewhere.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, insert, select

from tapwatt.platform.access import Who
from tapwatt.platform.notes import holds_card_number
from tapwatt.platform.tables import AUDIT_ENTRY, OPERATOR
from tapwatt.store import Row, Transaction, UnableToStoreDuplicate, UnableToStoreYet

Json = dict[str, Any]
BEGINNING = "0" * 64
"""What the first entry follows."""
TEXT_MAX = 500
SLICE = 500
"""Entries that are read at once."""
CHECKPOINT = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")

_A = AUDIT_ENTRY.c
_OWN = _A.operator_id == bindparam("operator_id")
CLAIM_OPERATOR = (
    select(OPERATOR.c.operator_id).where(OPERATOR.c.operator_id == bindparam("operator_id")).with_for_update()
)
"""Whoever adds an entry waits here, so that two do not follow the same one."""
LAST = select(AUDIT_ENTRY).where(_OWN).order_by(_A.seq.desc()).limit(1)
ADD = insert(AUDIT_ENTRY)
FORWARD = select(AUDIT_ENTRY).where(_OWN, _A.seq > bindparam("after")).order_by(_A.seq).limit(SLICE)
BACKWARD = (
    select(AUDIT_ENTRY)
    .where(_OWN, _A.seq < bindparam("before"))
    .order_by(_A.seq.desc())
    .limit(bindparam("most"))
)
MOST_SEQ = 10**18
_CHAINED = ("seq", "at_ms", "who", "person_id", "via", "what", "subject", "outcome", "detail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a walk along the chain found. `reason` is empty when all is as it was written."""

    entries: int
    head_seq: int
    head_hash: str
    broken_at: int | None = None
    reason: str = ""

    @property
    def checkpoint(self) -> str:
        """The head as it is kept elsewhere."""
        return f"{self.head_seq}:{self.head_hash}"


def append(
    tx: Transaction,
    who: Who,
    what: str,
    subject: str = "",
    *,
    at_ms: int,
    outcome: str = "done",
    **detail: str | int | None,
) -> None:
    """Add an entry. Call it last in a transaction: it holds the operator's row until the commit.

    Texts are cut at 500 characters, and what looks like a card number is not written.
    """
    owner = who.operator_id
    tx.run(CLAIM_OPERATOR, operator_id=owner)
    last = tx.one(LAST, operator_id=owner)
    entry: Json = {
        "seq": last.seq + 1 if last else 1,
        "at_ms": at_ms,
        "who": _clean(who.name),
        "person_id": who.person_id,
        "via": who.via,
        "what": what,
        "subject": _clean(subject),
        "outcome": _clean(outcome),
        "detail": json.dumps(
            {name: _clean(value) if isinstance(value, str) else value for name, value in detail.items()},
            ensure_ascii=False,
            sort_keys=True,
        ),
    }
    previous = last.hash if last else BEGINNING
    chained = hash_of(owner, entry, previous)
    try:
        tx.run(ADD, operator_id=owner, **entry, previous=previous, hash=chained)
    except UnableToStoreDuplicate as error:
        raise UnableToStoreYet("somebody else wrote an entry meanwhile") from error


def hash_of(operator_id: str, entry: Json, previous: str) -> str:
    """SHA-256 over the previous hash and the entry, as 64 hex digits."""
    return hashlib.sha256(f"{previous}\n".encode() + spelt(operator_id, entry)).hexdigest()


def spelt(operator_id: str, entry: Json) -> bytes:
    """An entry in the one spelling that is hashed: JSON in ASCII, names in order, no blanks."""
    value = {"operator_id": operator_id, **{name: entry[name] for name in _CHAINED}}
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def page(tx: Transaction, *, operator_id: str, before: int | None = None, most: int = 50) -> list[Json]:
    """Entries, the newest first, below a number."""
    rows = tx.run(BACKWARD, operator_id=operator_id, before=before or MOST_SEQ, most=most)
    return [_fields(row) for row in rows]


def verify(tx: Transaction, *, operator_id: str, checkpoint: tuple[int, str] | None = None) -> Verdict:
    """Walk the chain; say the first place where it is not as it was written. `checkpoint` is a number and
    hash that were the head once."""
    seq, previous, count = 0, BEGINNING, 0
    for row in _rows(tx, operator_id):
        reason = _wrong(row, operator_id, seq, previous)
        if not reason and checkpoint and row.seq == checkpoint[0] and row.hash != checkpoint[1]:
            reason = f"entry {row.seq} is not the one of the checkpoint: the chain was written anew"
        if reason:
            return Verdict(entries=count, head_seq=seq, head_hash=previous, broken_at=seq + 1, reason=reason)
        seq, previous, count = row.seq, row.hash, count + 1
    if checkpoint and checkpoint[0] > seq:
        reason = f"the chain ends at {seq}, entry {checkpoint[0]} of the checkpoint is gone: cut off"
        return Verdict(entries=count, head_seq=seq, head_hash=previous, broken_at=seq + 1, reason=reason)
    return Verdict(entries=count, head_seq=seq, head_hash=previous)


def read_checkpoint(text: str) -> tuple[int, str]:
    """A checkpoint as it was printed, `SEQ:HASH`. Raises ValueError."""
    found = CHECKPOINT.fullmatch(text.strip())
    if found is None:
        raise ValueError("a checkpoint is a number, a colon and 64 hex digits, as verify prints it")
    return int(found[1]), found[2]


def _wrong(row: Row, operator_id: str, seq: int, previous: str) -> str:
    if row.seq != seq + 1:
        return f"entry {seq + 1} is missing: {seq} is followed by {row.seq}"
    if row.previous != previous:
        return f"entry {row.seq} does not follow entry {seq}: removed, moved or replaced"
    if row.hash != hash_of(operator_id, _fields(row, raw=True), previous):
        return f"entry {row.seq} was changed after it was written"
    return ""


def _rows(tx: Transaction, operator_id: str) -> Iterator[Row]:
    after = -1
    while rows := tx.run(FORWARD, operator_id=operator_id, after=after):
        yield from rows
        after = rows[-1].seq


def _fields(row: Row, *, raw: bool = False) -> Json:
    found = {name: getattr(row, name) for name in _CHAINED}
    return found if raw else {**found, "detail": json.loads(row.detail), "hash": row.hash}


def _clean(text: str) -> str:
    cut = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text[:TEXT_MAX]
    )
    return "(left out: it looks like a card number)" if holds_card_number(cut) else cut
