"""The platform's own wires as traces: frames of stations and edges, and what edges tell of their terminals.

Frames are decoded when they are written down, in the order they passed: an answer is named after its
question. Payloads are searched for card numbers before they are kept, though none belongs there (law 7).
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import bindparam, select

from tapwatt.platform.tables import STATION, TERMINAL, TRACES
from tapwatt.rails.iso8583.masking import scrub
from tapwatt.rpc.codec import UnableToReadFrame, decode
from tapwatt.rpc.messages import Call, CallError, CallResult
from tapwatt.store import Database, Transaction, UnableToQueue, UnableToStore
from tapwatt.traces import Direction, Mark, Recorder, Trace, Wire
from tapwatt.uplink.messages import Accepted, Traced, TracedMessage

UNTRACED: Final = frozenset({"Heartbeat", "Traced"})
"""Signs of life; and what carries traces is not traced itself."""
MOST_OPEN: Final = 2_000
MOST_WORD: Final = 80
KINDS: Final = ("Operate", "Outcome")
MOST_TOLD: Final = 200
MOST_OF_SESSION: Final = 3_000
_REFUSALS: Final = frozenset(
    {"Rejected", "Invalid", "Blocked", "Expired", "ConcurrentTx", "declined", "refused"}
)
_OWNER_OF_STATION = select(STATION.c.operator_id).where(STATION.c.station_id == bindparam("peer"))
_OWNER_OF_EDGE = select(TERMINAL.c.operator_id).where(TERMINAL.c.edge_id == bindparam("peer")).limit(1)
_EDGE_OF_TERMINAL = select(TERMINAL.c.edge_id).where(
    TERMINAL.c.operator_id == bindparam("operator_id"), TERMINAL.c.terminal_id == bindparam("terminal_id")
)
_OWNER_OF_TERMINAL = select(TERMINAL.c.operator_id).where(
    TERMINAL.c.terminal_id == bindparam("terminal_id"), TERMINAL.c.edge_id == bindparam("edge_id")
)


def owner(tx: Transaction, trace: Trace) -> str:
    """Whose a frame is: its station's or edge's operator; "" when nobody knows the peer."""
    row = tx.one(_OWNER_OF_STATION if trace.wire is Wire.OCPP else _OWNER_OF_EDGE, peer=trace.peer)
    return "" if row is None else str(row.operator_id)


def session_traces(
    tx: Transaction, *, operator_id: str, station_id: str, terminal_id: str, from_ms: int, until_ms: int
) -> list[dict[str, Any]]:
    """What passed the wires of a station, a terminal and its edge in a stretch of time, oldest first."""
    row = tx.one(_EDGE_OF_TERMINAL, operator_id=operator_id, terminal_id=terminal_id)
    peers = (station_id, terminal_id, "" if row is None else str(row.edge_id))
    return TRACES.between(
        tx, owner=operator_id, peers=peers, from_ms=from_ms, until_ms=until_ms, most=MOST_OF_SESSION
    )


class FrameTraces:
    """Draws the frames of one listener. `questions` are the CALLs whose answers may still come."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._questions: OrderedDict[tuple[str, str, bool], Call] = OrderedDict()

    def draw(self, direction: Direction, identity: str, frame: bytes, at_ms: int) -> Trace | None:
        """The trace of a frame; of an answer that did not come when `direction` says so."""
        if direction is Direction.AWAITED:
            question = self._questions.pop((identity, frame.decode(), True), None)
            if question is None:
                return None
            return self._trace(direction, identity, question, at_ms, mark=Mark.UNANSWERED)
        try:
            read = decode(frame)
        except UnableToReadFrame as problem:
            return Trace(
                at_ms=at_ms,
                direction=direction,
                wire=self._wire,
                peer=identity,
                name=_word(problem.action or "unreadable"),
                mark=Mark.UNREADABLE,
                fields={"reason": problem.reason},
            )
        if isinstance(read, Call):
            return self._asked(direction, identity, read, at_ms)
        return self._answered(direction, identity, read, at_ms)

    def _asked(self, direction: Direction, identity: str, call: Call, at_ms: int) -> Trace | None:
        place = (identity, str(call.message_id), direction is Direction.SENT)
        repeated = place in self._questions
        self._questions[place] = call
        while len(self._questions) > MOST_OPEN:
            self._questions.popitem(last=False)
        mark = Mark.REPEAT if repeated else Mark.NONE
        return self._trace(direction, identity, call, at_ms, mark=mark)

    def _answered(
        self, direction: Direction, identity: str, answer: CallResult | CallError, at_ms: int
    ) -> Trace | None:
        place = (identity, str(answer.message_id), direction is Direction.RECEIVED)
        question = self._questions.pop(place, None)
        action = "answer" if question is None else question.action
        if isinstance(answer, CallError):
            words = {"code": answer.code, "description": scrub(answer.description)}
            return self._made(
                direction, identity, f"{action} {answer.code}", at_ms, answer, words, Mark.REFUSED
            )
        if action in UNTRACED:
            return None
        body = _payload(answer.payload)
        mark = Mark.REFUSED if _refuses(body) else Mark.NONE
        if question is None:
            mark = Mark.LATE if direction is Direction.RECEIVED else Mark.REPEAT
        return self._made(direction, identity, f"{action}.conf", at_ms, answer, body, mark, question)

    def _trace(
        self, direction: Direction, identity: str, call: Call, at_ms: int, *, mark: Mark
    ) -> Trace | None:
        if call.action in UNTRACED:
            return None
        body = {} if direction is Direction.AWAITED else _payload(call.payload)
        return self._made(direction, identity, call.action, at_ms, call, body, mark, call)

    def _made(
        self,
        direction: Direction,
        identity: str,
        name: str,
        at_ms: int,
        frame: Call | CallResult | CallError,
        body: dict[str, Any],
        mark: Mark,
        question: Call | None = None,
    ) -> Trace:
        asked = _payload(question.payload) if question is not None else {}
        uplink = self._wire is Wire.UPLINK
        amount = body.get("amount_minor")
        told = str(body.get("result", "")) if uplink else ""
        return Trace(
            at_ms=at_ms,
            direction=direction,
            wire=self._wire,
            peer=identity,
            name=_word(f"{name} {body.get('kind', '')}" if uplink and name in KINDS else name),
            amount_minor=amount if uplink and isinstance(amount, int) else None,
            currency=str(body.get("currency", "")) if uplink else "",
            mark=_told(told) or mark,
            reference=str(asked.get("reference", "")) if uplink else "",
            key=str(asked.get("key", "")) if uplink else "",
            link=_word(str(frame.message_id)),
            fields=body,
        )


def _word(text: str) -> str:
    """A stranger's word as it may be kept."""
    return scrub(text)[:MOST_WORD]


def _told(result: str) -> Mark:
    if result == "unknown":
        return Mark.UNANSWERED
    return (
        Mark.REFUSED if result in ("declined", "aborted", "not_sent", "refused", "not_found") else Mark.NONE
    )


def _refuses(body: dict[str, Any]) -> bool:
    told = body.get("idTagInfo")
    status = told.get("status") if isinstance(told, dict) else body.get("status")
    return status in _REFUSALS or body.get("accepted") is False


def _payload(text: bytes) -> dict[str, Any]:
    """A payload without anything that looks like a card number; evidence may be no object at all."""
    try:
        body = _scrubbed(json.loads(text))
    except (ValueError, RecursionError):
        return {"unreadable": f"{len(text)} bytes"}
    return body if isinstance(body, dict) else {"payload": body}


def _scrubbed(value: Any) -> Any:
    if isinstance(value, dict):
        return {scrub(name): _scrubbed(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_scrubbed(each) for each in value]
    if isinstance(value, str):
        return scrub(value)
    # Thirteen digits are left alone: that is what a time in milliseconds has.
    return scrub(str(value)) if isinstance(value, (int, float)) and abs(value) >= 10**13 else value


class EdgeTraces:
    """Keeps what edges tell of their terminals' wires. Told twice, kept once."""

    def __init__(self, database: Database, *, rows: int) -> None:
        self._database, self._rows = database, rows

    async def told(self, edge_id: str, message: Traced) -> Accepted:
        """Answer a Traced. What cannot be stored is lost: it is no reason to have it told again."""
        if len(message.messages) > MOST_TOLD:
            return Accepted(accepted=False, reason=f"at most {MOST_TOLD} messages at a time")
        if not self._rows:
            return Accepted()
        try:
            await self._database.write(lambda tx: self._keep(tx, edge_id, message))
        except (UnableToStore, UnableToQueue) as error:
            return Accepted(accepted=False, reason=str(error))
        return Accepted()

    def _keep(self, tx: Transaction, edge_id: str, message: Traced) -> None:
        owners: dict[str, str] = {}
        for place, each in enumerate(message.messages):
            origin = f"{edge_id}/{message.run}/{message.number + place}"
            if TRACES.knows(tx, origin):
                continue
            if each.terminal_id not in owners:
                row = tx.one(_OWNER_OF_TERMINAL, terminal_id=each.terminal_id, edge_id=edge_id)
                owners[each.terminal_id] = "" if row is None else str(row.operator_id)
            TRACES.add(tx, _of_terminal(each), owner=owners[each.terminal_id], origin=origin)


def _of_terminal(told: TracedMessage) -> Trace:
    return Trace(
        at_ms=told.at_ms,
        direction=Direction(told.direction) if told.direction in set(Direction) else Direction.RECEIVED,
        wire=Wire.ZVT,
        peer=told.terminal_id,
        name=scrub(told.name),
        amount_minor=told.amount_minor,
        currency=told.currency,
        mark=Mark(told.mark) if told.mark in set(Mark) else Mark.NONE,
        reference=told.reference,
        key=told.key,
        fields=_payload(told.fields.encode()),
    )


class PlatformWires:
    """The witness of both listeners."""

    def __init__(self, recorder: Recorder, *, now_ms: Callable[[], int]) -> None:
        self._recorder, self._now_ms = recorder, now_ms
        self._frames = {wire: FrameTraces(wire) for wire in (Wire.OCPP, Wire.UPLINK)}

    def saw(self, wire: Wire, direction: Direction, identity: str, frame: bytes) -> None:
        """A frame passed."""
        at_ms, frames = self._now_ms(), self._frames[wire]
        self._recorder.note(lambda: frames.draw(direction, identity, frame, at_ms))
