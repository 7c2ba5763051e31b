"""What a terminal says, as messages: the PT's side of the dialogue, for the simulator and for tests.

Field order of the captures Z2, Z6, Z7, Z13, Z14, Z16 and Z18. terminals.md section 4.6.
"""

from __future__ import annotations

from typing import assert_never

from tapwatt.terminals.messages import Approved, CardRead, DayClosed, Declined
from tapwatt.terminals.zvt.messages import OPEN_LIST_RECEIPT, Command, Given, Message, compose
from tapwatt.terminals.zvt.outcomes import OPEN_LIST_RESULT, TECHNOLOGIES

_ABORTED = 0x6C


def status_message(outcome: Approved | CardRead | DayClosed | Declined) -> Message:
    """Give the 040F that states an outcome, in the field order of Z7 and Z16."""
    match outcome:
        case Approved():
            return _approval_message(outcome)
        case Declined():
            return compose(Command.STATUS_INFORMATION, result_code=int(outcome.code, 16))
        case DayClosed():
            return _day_message(outcome)
        case CardRead():
            values: dict[str, Given] = {
                "masked_pan": outcome.masked_pan,
                "card_name": _terminated(outcome.brand),
            }
            tlv: dict[str, Given] = _kept({"uid": outcome.uid.rjust(20, "0") if outcome.uid else ""})
            tlv |= _kept({"token": outcome.token, "par": outcome.par})
            if outcome.aid:
                tlv["application"] = {"aid": outcome.aid}
            return compose(Command.STATUS_INFORMATION, result_code=0, **_kept(values), tlv=tlv)
        case _:
            assert_never(outcome)


def _approval_message(outcome: Approved) -> Message:
    values: dict[str, Given] = {
        "currency": outcome.currency,
        "time": outcome.terminal_time,
        "date": outcome.terminal_date,
        "masked_pan": outcome.masked_pan,
        "receipt": outcome.receipt,
        "approval_code": outcome.approval_code,
        "trace": outcome.trace,
        "tid": outcome.tid,
        "card_name": _terminated(outcome.brand),
        "merchant_id": outcome.merchant_id,
    }
    amount: dict[str, Given] = {} if outcome.amount_minor is None else {"amount_minor": outcome.amount_minor}
    tlv: dict[str, Given] = _kept({"token": outcome.token, "par": outcome.par})
    numbers = {name: number for number, name in TECHNOLOGIES.items()}
    if outcome.technology:
        tlv["technology"] = numbers[outcome.technology]
    return compose(
        Command.STATUS_INFORMATION, result_code=0, **amount, **_kept(values), **({"tlv": tlv} if tlv else {})
    )


def _day_message(outcome: DayClosed) -> Message:
    total: dict[str, Given] = {} if outcome.amount_minor is None else {"amount_minor": outcome.amount_minor}
    values: dict[str, Given] = {
        "currency": outcome.currency,
        "time": outcome.terminal_time,
        "date": outcome.terminal_date,
        "trace": outcome.trace,
        "tid": outcome.tid,
    }
    return compose(Command.STATUS_INFORMATION, result_code=0, **total, **_kept(values))


def clock_message(*, date: str, time: str) -> Message:
    """Give the 0401 that passes on the host's date (YYMMDD) and time (HHMMSS) after a diagnosis."""
    return compose(Command.SET_DATE_AND_TIME, long_date=date, time=time)


def open_list_message(receipts: tuple[str, ...]) -> Message:
    """Give the 061E that answers the query for open holds: none, one, or a list (Z13, Z14)."""
    if len(receipts) < 2:
        receipt = receipts[0] if receipts else OPEN_LIST_RECEIPT
        return compose(Command.ABORTED, result_code=OPEN_LIST_RESULT, receipt=receipt)
    listed: Given = {"open_list": {"receipt": list(receipts)}}
    return compose(Command.ABORTED, result_code=OPEN_LIST_RESULT, tlv=listed)


def state_message(*, code: int = 0, tid: str = "") -> Message:
    """Give the 060F that answers a status enquiry."""
    return compose(Command.COMPLETION, state=code, **({"tlv": {"tid": tid}} if tid else {}))


def registration_message(*, tid: str, currency: str, status_byte: int = 0x10) -> Message:
    """Give the 060F that answers a registration (Z2); 10 = works unattended."""
    return compose(Command.COMPLETION, payment_type=status_byte, tid=tid, currency=currency)


def abort_message(code: int = _ABORTED, text: str = "", extended_code: str = "") -> Message:
    """Give the 061E that ends a dialogue without success; with extended code and text as in Z18."""
    tlv: dict[str, Given] = _kept({"extended_code": extended_code, "extended_text": text})
    return compose(Command.ABORTED, result_code=code, **({"tlv": tlv} if tlv else {}))


def intermediate_message(code: int, text: str = "") -> Message:
    """Give the 04FF that says what happens; with a text as in Z6."""
    if not text:
        return compose(Command.INTERMEDIATE_STATUS, status=code)
    tlv: Given = {"display_texts": {"text_line": text}}
    return compose(Command.INTERMEDIATE_STATUS, status=code, timeout_min=1, tlv=tlv)


def _kept(values: dict[str, Given]) -> dict[str, Given]:
    return {name: value for name, value in values.items() if value != ""}


def _terminated(text: str) -> str:
    return f"{text}\0" if text else ""
