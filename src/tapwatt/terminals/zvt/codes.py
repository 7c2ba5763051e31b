"""What ZVT's numbers mean, as data: result codes (27, 061E, 84cc), intermediate states (04FF), terminal
states (0501).

Source: terminals.md section 4.4, which read them in public specifications and production code (certainty
"public"); rows marked "inferred" are our reading of a host's two-digit answer, which ZVT carries as a binary
number (decimal 51 is 33).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tapwatt.terminals.messages import ResultKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultCode:
    """One result code: its name, what to do about it, a text for people, how sure we are."""

    code: int
    name: str
    kind: ResultKind
    text: str
    certainty: str = "public"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateCode:
    """One state of the terminal; `need` names the operation that would help."""

    code: int
    name: str
    ready: bool
    text: str
    need: str = ""
    certainty: str = "public"


_K = ResultKind
_RESULT_ROWS: tuple[tuple[int, str, ResultKind, str], ...] = (
    (0x00, "ok", _K.OK, "done"),
    (0x05, "declined", _K.DECLINED, "declined by the bank"),
    (0x33, "pin_required_51", _K.PIN_REQUIRED, "PIN asked for, or funds short (51): try another card"),
    (0x3D, "pin_required_61", _K.PIN_REQUIRED, "PIN asked for (61): try another card"),
    (0x41, "pin_required_65", _K.PIN_REQUIRED, "PIN asked for (65): try another card"),
    (0x64, "unreadable", _K.CARD_FAULT, "the card could not be read"),
    (0x65, "no_card_data", _K.CARD_FAULT, "the card has no usable data"),
    (0x66, "processing_error", _K.FAULT, "processing error"),
    (0x67, "not_for_debit", _K.CARD_FAULT, "not allowed for debit cards"),
    (0x68, "not_for_credit", _K.CARD_FAULT, "not allowed for credit and fuel cards"),
    (0x6A, "turnover_full", _K.DAY_END_REQUIRED, "the turnover file is full"),
    (0x6B, "not_registered", _K.NOT_POSSIBLE, "function off, or the terminal is not registered"),
    (0x6C, "aborted", _K.ABORTED, "timeout or abort key"),
    (0x6E, "card_blocked", _K.CARD_FAULT, "the card is blocked"),
    (0x6F, "wrong_currency", _K.CURRENCY, "wrong currency"),
    (0x71, "credit_short", _K.DECLINED, "credit on the chip is not enough"),
    (0x72, "chip_error", _K.CARD_FAULT, "chip error"),
    (0x73, "card_data_wrong", _K.CARD_FAULT, "the card's data is wrong"),
    (0x74, "keys_exhausted", _K.SERVICE_REQUIRED, "the terminal's PIN keys are used up"),
    (0x75, "text_not_authentic", _K.FAULT, "text not authentic"),
    (0x76, "card_not_listed", _K.CARD_FAULT, "the card is not on the list of permitted cards"),
    (0x77, "day_end_impossible", _K.NOT_POSSIBLE, "end of day is not possible"),
    (0x78, "card_expired", _K.CARD_FAULT, "the card has expired"),
    (0x79, "card_not_yet_valid", _K.CARD_FAULT, "the card is not yet valid"),
    (0x7A, "card_unknown", _K.CARD_FAULT, "the card is unknown"),
    (0x7B, "fallback_impossible_stripe", _K.CARD_FAULT, "fallback to the magnetic stripe is not possible"),
    (0x7C, "fallback_impossible_chip", _K.CARD_FAULT, "fallback is not possible for this card"),
    (0x7D, "card_communication", _K.CARD_FAULT, "lost the card while talking to it"),
    (0x7E, "fallback_forbidden", _K.CARD_FAULT, "fallback is not allowed"),
    (0x83, "not_possible", _K.NOT_POSSIBLE, "function not possible"),
    (0x85, "key_missing", _K.SERVICE_REQUIRED, "a key is missing"),
    (0x89, "pin_pad", _K.SERVICE_REQUIRED, "the PIN pad is defective"),
    (0x9A, "protocol_error", _K.PROTOCOL, "ZVT protocol error"),
    (0x9B, "dial_up", _K.UNREACHABLE, "the terminal cannot dial its host"),
    (0x9C, "busy", _K.BUSY, "please wait"),
    (0xA0, "receiver_not_ready", _K.UNREACHABLE, "the host is not ready"),
    (0xA1, "no_answer", _K.UNREACHABLE, "the host does not answer"),
    (0xA3, "no_connection", _K.UNREACHABLE, "no connection to the host"),
    (0xA5, "forbidden_by_pci", _K.NOT_POSSIBLE, "forbidden by the card industry's security rules"),
    (0xB1, "memory_full", _K.DAY_END_REQUIRED, "memory full"),
    (0xB2, "journal_full", _K.DAY_END_REQUIRED, "the merchant journal is full"),
    (0xB4, "already_reversed", _K.ALREADY_DONE, "already reversed"),
    (0xB5, "reversal_impossible", _K.NOT_FOUND, "reversal is not possible"),
    (0xB7, "preauthorisation_incorrect", _K.NOT_FOUND, "the amount does not fit the pre-authorisation"),
    (0xB8, "preauthorisation_error", _K.NOT_FOUND, "no such open pre-authorisation"),
    (0xC2, "diagnosis_required", _K.SERVICE_REQUIRED, "diagnosis required"),
    (0xC3, "above_maximum", _K.LIMIT, "above the maximum amount"),
    (0xC5, "method_unsupported", _K.NOT_POSSIBLE, "payment method not supported"),
    (0xC6, "currency_unsupported", _K.CURRENCY, "currency not supported"),
    (0xC8, "amount_too_small", _K.LIMIT, "the amount is too small"),
    (0xCC, "printer", _K.SERVICE_REQUIRED, "the printer is not ready"),
    (0xE0, "remote_maintenance", _K.SERVICE_REQUIRED, "remote maintenance is active"),
    (0xE2, "reader_silent", _K.SERVICE_REQUIRED, "the card reader does not answer"),
    (0xE3, "shutter_closed", _K.SERVICE_REQUIRED, "the shutter is closed"),
    (0xE4, "activation_required", _K.SERVICE_REQUIRED, "the terminal must be activated"),
    (0xF0, "day_end_required", _K.DAY_END_REQUIRED, "the day must be closed first"),
    (0xFF, "system_error", _K.FAULT, "system error"),
)  # fmt: skip

_INFERRED_ROWS: tuple[tuple[int, str, ResultKind, str], ...] = (
    (0x0E, "invalid_card", _K.CARD_FAULT, "no such card (14)"),
    (0x36, "card_expired_54", _K.CARD_FAULT, "the card has expired (54)"),
    (0x37, "wrong_pin", _K.PIN_REQUIRED, "wrong PIN (55)"),
    (0x3E, "restricted", _K.DECLINED, "the card may not be used here (62)"),
    (0x5B, "issuer_silent", _K.UNREACHABLE, "the card's bank does not answer (91)"),
    (0x60, "host_fault", _K.FAULT, "fault at the host (96)"),
)

RESULTS: Mapping[int, ResultCode] = {
    row[0]: ResultCode(code=row[0], name=row[1], kind=row[2], text=row[3], certainty=certainty)
    for rows, certainty in ((_RESULT_ROWS, "public"), (_INFERRED_ROWS, "inferred"))
    for row in rows
}

_LAST_HOST_CODE = 0x63


def result(code: int) -> ResultCode:
    """Look a result code up; a host code without a row of its own is a decline, anything else a fault."""
    known = RESULTS.get(code)
    if known is not None:
        return known
    if 0 < code <= _LAST_HOST_CODE:
        text = f"declined by the host ({code:02d})"
        return ResultCode(code=code, name=f"host_{code:02d}", kind=_K.DECLINED, text=text)
    text = f"the terminal gives result {code:02X}"
    return ResultCode(code=code, name=f"unknown_{code:02x}", kind=_K.FAULT, text=text, certainty="none")


def host_result(response_code: str) -> int:
    """Give the ZVT result for a host's two-character answer (ISO 8583 DE39): "51" is 33; letters become a
    fault."""
    if len(response_code) == 2 and response_code.isascii() and response_code.isdigit():
        return int(response_code)
    return 0xFF


INTERMEDIATES: Mapping[int, str] = {
    0x00: "waiting for the amount",
    0x01: "follow the instructions on the PIN pad",
    0x04: "waiting for the host",
    0x05: "automatic reversal",
    0x07: "card not admitted",
    0x08: "card unknown",
    0x09: "card expired",
    0x0A: "insert or hold your card",
    0x0B: "remove your card",
    0x0C: "card unreadable",
    0x0D: "processing error",
    0x0E: "please wait",
    0x0F: "automatic end of day",
    0x10: "invalid card",
    0x12: "malfunction",
    0x13: "not possible",
    0x14: "credit insufficient",
    0x15: "wrong PIN",
    0x16: "limit reached",
    0x17: "please wait",
    0x18: "too many wrong PINs",
    0x1B: "approved, fill up",
    0x1C: "approved, take your goods",
    0x1D: "declined",
    0x5E: "contactless card read",
    0xC9: "automatic diagnosis",
    0xCA: "automatic initialisation",
    0xD2: "dialling",
    0xD3: "connected",
    0xF1: "offline",
    0xF2: "online",
    # Ingenico only: A0 to A5; odd codes ask for the card to be removed as well.
    0xA0: "payment processed",
    0xA1: "payment processed, remove your card",
    0xA2: "cancelled",
    0xA3: "cancelled, remove your card",
    0xA4: "cancellation not possible",
    0xA5: "cancellation not possible, remove your card",
}

_REMOVE_CARD = range(0x41, 0x5E)


def intermediate_text(code: int) -> str:
    """Say what the terminal is doing; codes 41 to 5D are 01 to 1D with "remove your card"."""
    if code in INTERMEDIATES:
        return INTERMEDIATES[code]
    if code in _REMOVE_CARD and code - 0x40 in INTERMEDIATES:
        return f"{INTERMEDIATES[code - 0x40]}, remove your card"
    return f"terminal state {code:02X}"


_STATE_ROWS: tuple[tuple[int, str, str, str], ...] = (
    (0x00, "ready", "ready", ""),
    (0x51, "initialise", "must be initialised", "initialise"),
    (0x62, "clock", "its clock must be set", "set_clock"),
    (0x9C, "busy", "busy", ""),
    (0xC2, "diagnosis", "needs a diagnosis", "diagnosis"),
    (0xCC, "printer", "its printer is not ready", "service"),
    (0xDF, "out_of_order", "out of order", "service"),
    (0xE0, "maintenance", "under remote maintenance", ""),
    (0xE2, "reader", "its card reader does not answer", "service"),
    (0xE4, "activation", "must be activated", "activate"),
    (0xF0, "day_end", "the day must be closed", "close_day"),
    (0xF6, "activation_data", "its activation data is missing", "activate"),
)
STATES: Mapping[int, StateCode] = {
    code: StateCode(code=code, name=name, ready=code == 0, text=text, need=need)
    for code, name, text, need in _STATE_ROWS
}


def state(code: int) -> StateCode:
    """Look a terminal state up; an unknown one is not ready."""
    unknown = StateCode(
        code=code, name=f"unknown_{code:02x}", ready=False, text=f"state {code:02X}", certainty="none"
    )
    return STATES.get(code, unknown)


# The status byte (BMP 19) of a registration's completion is a set of bits; bits 08 and 10 (filling station,
# vending machine) are no fault.
REGISTRATION_NEEDS: tuple[tuple[int, int], ...] = ((0x01, 0x51), (0x02, 0xC2), (0x04, 0xF6))


def registration_state(status_byte: int) -> StateCode:
    """Say from a registration's status byte what the terminal still needs."""
    needed = next((code for bit, code in REGISTRATION_NEEDS if status_byte & bit), 0x00)
    return state(needed)
