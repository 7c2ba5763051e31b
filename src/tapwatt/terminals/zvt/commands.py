"""Operations of any terminal to ZVT commands, in the field order of production captures (Z1, Z3, Z9, Z10,
Z15).

terminals.md sections 4.2 and 4.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from tapwatt.terminals.messages import (
    Abort,
    BookTotal,
    Capture,
    CloseCardSession,
    CloseDay,
    Diagnose,
    DiagnosisKind,
    Display,
    OpenAuthorisations,
    Operation,
    Preauthorise,
    ReadCard,
    Register,
    Release,
    Status,
)
from tapwatt.terminals.zvt.messages import OPEN_LIST_RECEIPT, Command, Given, Message, compose
from tapwatt.terminals.zvt.values import UnableToEncode

_LINES = 8
_TERMINAL_DECIDES = 0x40  # payment type: the terminal picks chip, contactless or stripe
_CHIP_OR_CONTACTLESS = 0x10  # read card: the kinds production asks for in Z15
_NO_DIALOG = 0x02
_BANK_AND_RFID = 0xD0
_ALL_CARDS = 0x07
_DIAGNOSES = {
    DiagnosisKind.LINE: 1,
    DiagnosisKind.EXTENDED: 2,
    DiagnosisKind.CONFIGURATION: 3,
    DiagnosisKind.EMV_CONFIGURATION: 4,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EcrSettings:
    """What the two sides agree on: the terminal's password, how it shall behave, and the prefix of our
    references.

    `configuration` DE = ECR prints, gets intermediate states and controls the terminal: unattended production
    (section 4.2)."""

    password: str = "000000"
    configuration: int = 0xDE
    currency: str = "EUR"
    reference_prefix: str = "TW"


def command_of(operation: Operation, settings: EcrSettings) -> Message:
    """Give the command an operation is in ZVT. Raises UnableToEncode for an operation that makes no sense."""
    match operation:
        case Register():
            return compose(
                Command.REGISTRATION,
                password=settings.password,
                configuration=settings.configuration,
                currency=settings.currency,
            )
        case Status():
            return compose(Command.STATUS_ENQUIRY, password=settings.password)
        case ReadCard(timeout_s=seconds):
            return _read_card(seconds)
        case Preauthorise():
            return _preauthorisation(operation, settings)
        case Capture():
            return _capture(operation, settings)
        case BookTotal():
            return _book_total(operation, settings)
        case Release():
            return _release(operation, settings)
        case OpenAuthorisations():
            return compose(Command.PARTIAL_REVERSAL, receipt=OPEN_LIST_RECEIPT)
        case CloseDay():
            return compose(Command.END_OF_DAY, password=settings.password)
        case Diagnose(kind=kind):
            return compose(Command.DIAGNOSIS, tlv={"diagnosis_kind": _DIAGNOSES[kind]})
        case CloseCardSession():
            return compose(Command.CLOSE_CARD_SESSION)
        case Display():
            return _display(operation)
        case Abort():
            return compose(Command.ABORT)
        case _:
            assert_never(operation)


def _read_card(seconds: int) -> Message:
    tlv: Given = {"reading_control": _BANK_AND_RFID, "allowed_cards": _ALL_CARDS}
    return compose(
        Command.READ_CARD,
        timeout_s=seconds,
        payment_type=_CHIP_OR_CONTACTLESS,
        dialog_control=_NO_DIALOG,
        tlv=tlv,
    )


def _preauthorisation(operation: Preauthorise, settings: EcrSettings) -> Message:
    if operation.amount_minor <= 0:
        raise UnableToEncode("a hold must be above zero")
    values: dict[str, Given] = {
        "payment_type": _TERMINAL_DECIDES,
        "currency": operation.currency,
        "amount_minor": operation.amount_minor,
    }
    if operation.timeout_s:
        values["timeout_s"] = operation.timeout_s
    return compose(Command.PREAUTHORISATION, **values, **_reference(operation.reference, settings))


def _capture(operation: Capture, settings: EcrSettings) -> Message:
    """ZVT takes the part to give back: hold − amount. A capture of nothing is a release and has its own
    command."""
    if not 0 < operation.amount_minor <= operation.hold_minor:
        raise UnableToEncode("a capture must be above zero and within the hold")
    values: dict[str, Given] = {
        "payment_type": _TERMINAL_DECIDES,
        "receipt": operation.receipt,
        "currency": operation.currency,
        "amount_minor": operation.hold_minor - operation.amount_minor,
    }
    return compose(Command.PARTIAL_REVERSAL, **values, **_reference(operation.reference, settings))


def _book_total(operation: BookTotal, settings: EcrSettings) -> Message:
    """The one command that states what was used; whether it is within the hold, the terminal knows."""
    if operation.amount_minor <= 0:
        raise UnableToEncode("a capture must be above zero")
    values: dict[str, Given] = {
        "payment_type": _TERMINAL_DECIDES,
        "receipt": operation.receipt,
        "currency": operation.currency,
        "amount_minor": operation.amount_minor,
    }
    if operation.authorisation_id:
        values["approval_code"] = operation.authorisation_id
    return compose(Command.BOOK_TOTAL, **values, **_reference(operation.reference, settings))


def _release(operation: Release, settings: EcrSettings) -> Message:
    values: dict[str, Given] = {
        "payment_type": _TERMINAL_DECIDES,
        "receipt": operation.receipt,
        "currency": operation.currency,
    }
    return compose(Command.PREAUTHORISATION_REVERSAL, **values, **_reference(operation.reference, settings))


def _reference(reference: str, settings: EcrSettings) -> dict[str, Given]:
    if not reference:
        return {}
    inner: dict[str, Given] = {"reference_prefix": settings.reference_prefix, "reference": reference}
    return {"tlv": {"merchant_reference": inner}}


def _display(operation: Display) -> Message:
    if not 0 < len(operation.lines) <= _LINES:
        raise UnableToEncode(f"a display text has 1 to {_LINES} lines")
    lines: dict[str, Given] = {f"line_{number}": text for number, text in enumerate(operation.lines, start=1)}
    return compose(Command.DISPLAY_TEXT, seconds=operation.seconds, **lines)
