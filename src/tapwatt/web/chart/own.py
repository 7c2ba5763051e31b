"""Which of the platform's own traces belong to a session. Pure.

A frame names a connector, a transaction, a token or an operation, never a session: those that fit the
session's own facts are its. An answer goes with its question.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tapwatt.core.screen import is_receipt_link

Json = dict[str, Any]
BEFORE_MS, AFTER_MS = 300, 30_000
READS, CARD_SAID = "06 C0", "04 0F"
_ASKED_FOR_HOLDS = ("Silent", "FoundOpen", "FoundNone", "CannotAsk")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a session's messages are known by."""

    session_id: str
    evse_id: int
    transaction_id: str
    tokens: frozenset[str]
    cards: frozenset[str]
    texts: frozenset[tuple[str, ...]]
    in_doubt: bool


def facts(found: Json) -> Facts:
    """From a session's page."""
    effects, events = found["effects"], found["events"]
    lines = [tuple(e["body"]["lines"]) for e in effects if e["kind"] == "ShowOnTerminal"]
    return Facts(
        session_id=found["session_id"],
        evse_id=found["evse_id"],
        transaction_id=str(found["transaction_id"] or ""),
        tokens=frozenset(e["body"]["id_token"] for e in effects if e["kind"] == "StartCharging"),
        cards=frozenset(e["body"]["token"] for e in events if e["kind"] == "CardPresented"),
        texts=frozenset(tuple(line for line in each if line) for each in lines),
        in_doubt=any(event["kind"] in _ASKED_FOR_HOLDS for event in events),
    )


def window(found: Json, *, now_ms: int) -> tuple[int, int]:
    """From when to when a session's messages are looked for."""
    return found["opened_ms"] - BEFORE_MS, (found["closed_ms"] or now_ms) + AFTER_MS


def of_session(rows: list[Json], known: Facts) -> list[Json]:
    """The traces that are the session's, in order."""
    asked: set[tuple[str, str]] = set()
    presented: list[int] = []
    kept: list[Json] = []
    for row in rows:
        place = row["peer"], row["link"]
        if row["wire"] == "zvt":
            continue
        if row["name"].endswith(".conf") or row["direction"] == "awaited" or row["mark"] == "late":
            if place in asked:
                kept.append(row)
        elif (_is_ocpp if row["wire"] == "ocpp" else _is_uplink)(row, known):
            asked.add(place)
            kept.append(row)
            if row["name"] == "CardPresented":
                presented.append(row["at_ms"])
    kept += _of_terminal([row for row in rows if row["wire"] == "zvt"], known, presented)
    return sorted(kept, key=lambda row: (row["at_ms"], row["id"]))


def _is_ocpp(row: Json, known: Facts) -> bool:
    fields = row["fields"]
    transaction = fields.get("transactionId")
    if transaction is not None and str(transaction) != "-1":
        return str(transaction) == known.transaction_id
    tag = fields.get("idTag")
    if tag is not None and tag in known.tokens:
        return True
    if row["name"] == "DataTransfer":
        return bool(known.transaction_id) and f'"transactionId":{known.transaction_id}' in str(
            fields.get("data")
        ).replace(" ", "")
    return bool(fields.get("connectorId") == known.evse_id)


def _is_uplink(row: Json, known: Facts) -> bool:
    if row["key"].startswith(f"{known.session_id}."):
        return True
    if row["name"] == "CardPresented":
        return row["fields"].get("token") in known.cards
    return row["name"] == "Show" and _lines(row["fields"].get("lines", ())) in known.texts


def _of_terminal(rows: list[Json], known: Facts, presented: list[int]) -> list[Json]:
    """Operations by their key; texts by what they say; the reading of a card by when it was told."""
    reading = [_reading(rows, at_ms) for at_ms in presented]
    kept, follows = [], False
    for row in rows:
        if row["name"].startswith("80 00") and not row["key"]:
            follows = follows or any(begin <= row["at_ms"] <= end for begin, end in reading)
        else:
            follows = _is_zvt(row, known) or any(begin <= row["at_ms"] <= end for begin, end in reading)
        if follows or row["key"].startswith(f"{known.session_id}."):
            kept.append(row)
    return kept


def _is_zvt(row: Json, known: Facts) -> bool:
    if row["key"]:
        return bool(row["key"].startswith(f"{known.session_id}."))
    if row["name"].startswith("06 E0"):
        fields = row["fields"]
        return _lines(fields.get(f"line_{number}", "") for number in range(1, 9)) in known.texts
    return known.in_doubt and row["name"].endswith("open holds?")


def _reading(rows: list[Json], told_ms: int) -> tuple[int, int]:
    """When the card that was told of at this moment was waited for and read."""
    said = _last(rows, CARD_SAID, until_ms=told_ms)
    begun = _last(rows, READS, until_ms=said)
    return (begun, said) if begun else (0, -1)


def _last(rows: list[Json], name: str, *, until_ms: int) -> int:
    found = [row["at_ms"] for row in rows if row["name"].startswith(name) and row["at_ms"] <= until_ms]
    return max(found, default=0)


def _lines(given: Any) -> tuple[str, ...]:
    return tuple(str(line) for line in given if line and not is_receipt_link(str(line)))
