"""What a terminal's ZVT messages mean for the operation that runs: the ECR's reading of 040F, 060F, 061E and
84cc.

terminals.md sections 4.4 and 4.5.
"""

from __future__ import annotations

from typing import assert_never

from tapwatt.terminals.messages import (
    Abort,
    Aborted,
    AbortedBy,
    Approved,
    BookTotal,
    Capture,
    CardKind,
    CardRead,
    CloseCardSession,
    CloseDay,
    DayClosed,
    Declined,
    Diagnose,
    Display,
    Done,
    NotSent,
    OpenAuthorisations,
    OpenList,
    Operation,
    Outcome,
    Preauthorise,
    ReadCard,
    Register,
    Release,
    ResultKind,
    Status,
    TerminalState,
    Unknown,
)
from tapwatt.terminals.zvt import codes
from tapwatt.terminals.zvt.messages import OPEN_LIST_RECEIPT, Message, scrub

OPEN_LIST_RESULT = 0xB8
EXTERNAL_COMMAND = "FF00001441"  # extended code of an abort by 06B0, Z18
TECHNOLOGIES = {0: "stripe", 1: "chip", 2: "contactless"}
_UID_SIZES = (4, 7, 10)


def status_outcome(operation: Operation, message: Message) -> Outcome:
    """Say what a 040F means for the operation that runs."""
    result = codes.result(message.number("result_code") or 0)
    if result.kind is not ResultKind.OK:
        return _no(operation, result, message, we_aborted=False)
    if isinstance(operation, ReadCard):
        return _card_read(message)
    if isinstance(operation, CloseDay):
        return _day_closed(message)
    if isinstance(operation, Diagnose):
        return Done()
    return _approved(operation, message)


def completion_outcome(operation: Operation, seen: Outcome | None, message: Message) -> Outcome:
    """Say what a 060F means, after the outcome a 040F gave (`seen`)."""
    if isinstance(operation, Register | Status):
        return _terminal_state(message)
    result = codes.result(message.number("result_code") or 0)
    if result.kind is not ResultKind.OK:
        return _no(operation, result, message, we_aborted=False)
    if seen is not None:
        return seen
    match operation:
        case Capture() | BookTotal() | Release():
            return _approved(operation, message)
        case CloseDay():
            return _day_closed(message)
        case Preauthorise():
            return Unknown(reason="the terminal finished without naming a receipt")
        case ReadCard():
            return CardRead(kind=CardKind.NONE)
        case OpenAuthorisations():
            return OpenList(receipts=())
        case Display() | Abort() | Diagnose() | CloseCardSession():
            return Done()
        case _:
            assert_never(operation)


def abort_outcome(operation: Operation, message: Message, *, we_aborted: bool) -> Outcome:
    """Say what a 061E means; for the open list it is the regular answer (B8)."""
    result = codes.result(message.number("result_code") or 0)
    if isinstance(operation, OpenAuthorisations) and result.code == OPEN_LIST_RESULT:
        return OpenList(receipts=_receipts(message))
    if result.kind is ResultKind.OK:
        return Unknown(reason="the terminal aborted without a reason")
    return _no(operation, result, message, we_aborted=we_aborted)


def refusal_outcome(code: int) -> NotSent:
    """Say what `84cc00` means: the command was not begun."""
    result = codes.result(code)
    kind = result.kind if result.kind in (ResultKind.BUSY, ResultKind.NOT_POSSIBLE) else ResultKind.PROTOCOL
    return NotSent(reason=f"refused: {result.text}", code=f"{code:02X}", kind=kind)


def _receipts(message: Message) -> tuple[str, ...]:
    """One open hold stands in BMP 87, several in a list; FFFF says there is none (Z13, Z14)."""
    named = dict.fromkeys(message.texts("receipt"))
    return tuple(receipt for receipt in named if receipt != OPEN_LIST_RECEIPT)


def _no(operation: Operation, result: codes.ResultCode, message: Message, *, we_aborted: bool) -> Outcome:
    """Say what a result other than 00 means; that nobody showed a card is a regular end of reading."""
    outcome = _negative(result, message, we_aborted=we_aborted)
    nobody_came = isinstance(outcome, Aborted) and outcome.by is AbortedBy.CARDHOLDER
    return CardRead(kind=CardKind.NONE) if isinstance(operation, ReadCard) and nobody_came else outcome


def _negative(result: codes.ResultCode, message: Message, *, we_aborted: bool) -> Aborted | Declined:
    extended = message.text("extended_text")
    reason = f"{result.text}: {scrub(extended)}" if extended else result.text
    code = f"{result.code:02X}"
    if result.kind is ResultKind.ABORTED:
        by_us = we_aborted or message.text("extended_code") == EXTERNAL_COMMAND
        return Aborted(by=AbortedBy.ECR if by_us else AbortedBy.CARDHOLDER, code=code, reason=reason)
    return Declined(code=code, reason=reason, kind=result.kind)


def _approved(operation: Operation, message: Message) -> Approved:
    pan = message.text("masked_pan")
    named = operation.receipt if isinstance(operation, Capture | BookTotal | Release) else ""
    technology = message.number("technology")
    return Approved(
        receipt=message.text("receipt") or named,
        amount_minor=_amount(operation, message.number("amount_minor")),
        currency=message.text("currency") or getattr(operation, "currency", ""),
        trace=message.text("trace"),
        tid=message.text("tid"),
        approval_code=message.text("approval_code"),
        token=message.text("token"),
        par=message.text("par"),
        brand=_brand(message),
        masked_pan=pan,
        bin=_bin(pan),
        last_four=_last_four(pan),
        technology="" if technology is None else TECHNOLOGIES.get(technology, ""),
        merchant_id=message.text("merchant_id"),
        terminal_date=message.text("date"),
        terminal_time=message.text("time"),
    )


def _amount(operation: Operation, stated: int | None) -> int | None:
    """A partial reversal states the part given back; some terminals state what was taken instead. Both mean
    the same here."""
    if isinstance(operation, BookTotal) and stated is None:
        return operation.amount_minor
    if not isinstance(operation, Capture):
        return stated
    if stated is None or stated in (operation.hold_minor - operation.amount_minor, operation.amount_minor):
        return operation.amount_minor
    return operation.hold_minor - stated


def _day_closed(message: Message) -> DayClosed:
    return DayClosed(
        amount_minor=message.number("amount_minor"),
        currency=message.text("currency"),
        trace=message.text("trace"),
        tid=message.text("tid"),
        terminal_date=message.text("date"),
        terminal_time=message.text("time"),
    )


def _card_read(message: Message) -> CardRead:
    pan, aid, uid = message.text("masked_pan"), message.text("aid"), _uid(message.text("uid"))
    bank = bool(aid or pan or message.text("card_name"))
    return CardRead(
        kind=CardKind.BANK if bank else CardKind.RFID if uid else CardKind.NONE,
        token=message.text("token"),
        par=message.text("par"),
        uid=uid,
        aid=aid,
        brand=_brand(message),
        masked_pan=pan,
        bin=_bin(pan),
        last_four=_last_four(pan),
    )


def _brand(message: Message) -> str:
    return (message.text("card_name") or message.text("label")).strip("\0 ")


def _bin(pan: str) -> str:
    return pan[:6] if pan[:6].isdigit() and len(pan) > 10 else ""


def _last_four(pan: str) -> str:
    return pan[-4:] if pan[-4:].isdigit() else ""


def _uid(padded: str) -> str:
    """A UID has 4, 7 or 10 bytes; production terminals fill it with leading zeros to 10 (Z16, Z17)."""
    for size in _UID_SIZES:
        if len(padded) > 2 * size and not padded[: -2 * size].strip("0"):
            return padded[-2 * size :]
    return padded


def _terminal_state(message: Message) -> TerminalState:
    code = message.number("state")
    if code is None:
        code = message.number("device_state")
    if code is None and (message.faults or message.rest):
        return TerminalState(code="", ready=False, text="answers in a way that cannot be read")
    status_byte = message.number("payment_type") or 0  # BMP 19 is a status byte here
    state = codes.registration_state(status_byte) if code is None else codes.state(code)
    return TerminalState(
        code=f"{state.code:02X}", ready=state.ready, text=state.text, tid=message.text("tid")
    )


def silent(reason: str, seen: Outcome | None) -> Unknown:
    """Give the outcome of a dialogue nobody finished, with the approval that was stated before, if one
    was."""
    return Unknown(reason=reason, seen=seen if isinstance(seen, Approved) else None)
