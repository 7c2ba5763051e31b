"""Card messages in the words of the field: builders and readers over `iso8583.Message` (reference/rails.md
section 2.2).

Standard fields have the same number in every dialect of 1987; the private ones (terminal serial, payment
reference, life cycle, scheme transaction, additional data) are looked up by name in the dialect's data.
Builders take time as epoch milliseconds and trace numbers as arguments. Nothing here keeps track data or a
PIN past the first request.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from tapwatt.rails.iso8583 import Message, Spec, load_spec
from tapwatt.rails.mti import (
    AUTHORISATION,
    COMPLETION,
    NETWORK,
    REVERSAL,
    REVERSAL_ADVICE,
    is_request,
    repeat_of,
    response_of,
)
from tapwatt.rails.responses import approves

HOUSE = load_spec("1987-ascii")  # the dialect between our own programs

PAN, PROCESSING_CODE, AMOUNT, TRANSMITTED, STAN = 2, 3, 4, 7, 11
LOCAL_TIME, LOCAL_DATE, EXPIRY, MERCHANT_CATEGORY, COUNTRY = 12, 13, 14, 18, 19
ENTRY_MODE, CARD_SEQUENCE, CONDITION, ACQUIRER, FORWARDER = 22, 23, 25, 32, 33
TRACK_3, TRACK_2, RRN, APPROVAL_CODE, RESPONSE_CODE = 36, 35, 37, 38, 39
TERMINAL, MERCHANT, NAME_LOCATION, TRACK_1, CURRENCY = 41, 42, 43, 45, 49
PIN_BLOCK, PIN_CONTROL, CHIP_DATA = 52, 53, 55
NETWORK_CODE, ORIGINAL_DATA, REPLACEMENT_AMOUNTS = 70, 90, 95

# Never sent again and never stored after the answer (PCI DSS 3.3.1).
SENSITIVE_FIELDS = (TRACK_2, TRACK_3, TRACK_1, PIN_BLOCK, PIN_CONTROL)
# What an answer repeats of its request (column E of the field matrix); the life-cycle field comes from the
# dialect.
ECHOED_FIELDS = (2, 3, 4, 7, 11, 12, 13, 32, 33, 37, 41, 42, 49, 70, 90)

GOODS = "000000"
CONTACTLESS = "072"  # contactless chip, terminal without PIN entry
PRE_AUTHORISATION = "06"  # condition code


class NetworkCode(StrEnum):
    """What a network management message is about (field 70)."""

    SIGN_ON = "001"
    SIGN_OFF = "002"
    KEY_CHANGE = "101"
    CUTOVER = "201"
    ECHO = "301"


class ReversalReason(StrEnum):
    """Why a hold is given back, as field 39 of a reversal says it."""

    CANCELLED = "17"
    UNDELIVERED = "22"  # the answer did not reach the terminal
    TIMEOUT = "68"


class UnableToRead(ValueError):
    """A field is there and makes no sense; the sentence names the field and never its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptor:
    """Where the card was presented: terminal, merchant and place, as fields 18, 19, 32, 41 to 43 and the
    serial say it.
    """

    terminal_id: str  # 8
    merchant_id: str  # 15
    name: str
    city: str
    country: str  # two letters
    country_numeric: str = "276"
    terminal_serial: str = ""
    acquirer_id: str = ""
    merchant_category: str = "5552"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardData:
    """The card of an authorisation request. Prints masked."""

    pan: str
    expiry: str  # YYMM
    sequence: str = "001"  # three digits
    chip_data: bytes | None = None

    def __repr__(self) -> str:
        return f"CardData(ends {self.pan[-4:]})"


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginalData:
    """Field 90: which message a reversal or completion is about, as its receiver saw it."""

    mti: str
    stan: str
    transmitted: str
    acquirer_id: str = ""
    forwarder_id: str = ""


def transmission_time(now_ms: int) -> str:
    """Field 7, MMDDhhmmss in UTC."""
    return _moment(now_ms).strftime("%m%d%H%M%S")


def authorisation(
    *,
    card: CardData,
    acceptor: Acceptor,
    amount_minor: int,
    currency: str,
    stan: str,
    rrn: str,
    now_ms: int,
    life_cycle: str,
    local_ms: int | None = None,
    payment_reference: str = "",
    additional: str = "",
    spec: Spec = HOUSE,
) -> Message:
    """0100: ask the issuer to hold an amount. `currency` is the numeric code; `local_ms` is local clock
    time.
    """
    local = _moment(now_ms if local_ms is None else local_ms)
    fields: dict[int, str | bytes | None] = {
        PAN: card.pan,
        PROCESSING_CODE: GOODS,
        AMOUNT: amount_field(amount_minor),
        TRANSMITTED: transmission_time(now_ms),
        STAN: stan,
        LOCAL_TIME: local.strftime("%H%M%S"),
        LOCAL_DATE: local.strftime("%m%d"),
        EXPIRY: card.expiry,
        MERCHANT_CATEGORY: acceptor.merchant_category,
        COUNTRY: acceptor.country_numeric,
        ENTRY_MODE: CONTACTLESS,
        CARD_SEQUENCE: card.sequence.zfill(3),
        CONDITION: PRE_AUTHORISATION,
        ACQUIRER: acceptor.acquirer_id or None,
        RRN: rrn,
        TERMINAL: acceptor.terminal_id.ljust(8),
        MERCHANT: acceptor.merchant_id.ljust(15),
        NAME_LOCATION: f"{acceptor.name[:25]:<25}{acceptor.city[:13]:<13}{acceptor.country[:2]:<2}",
        CURRENCY: currency,
        CHIP_DATA: card.chip_data,
        spec.number("terminal_serial"): acceptor.terminal_serial or None,
        spec.number("payment_reference"): payment_reference or None,
        spec.number("additional_data"): additional or None,
        spec.number("life_cycle"): life_cycle,
    }
    return Message(AUTHORISATION, {}).replace(fields)


def completion(
    original: Message,
    *,
    amount_minor: int,
    stan: str,
    now_ms: int,
    approval_code: str | None = None,
    spec: Spec = HOUSE,
) -> Message:
    """0220: take the final amount of an authorisation. `original` is the 0100 as this sender sent it."""
    return _follow_up(original, COMPLETION, stan=stan, now_ms=now_ms, spec=spec).replace(
        {AMOUNT: amount_field(amount_minor), APPROVAL_CODE: approval_code}
    )


def reversal(
    original: Message,
    *,
    stan: str,
    now_ms: int,
    reason: str = ReversalReason.CANCELLED,
    approval_code: str | None = None,
    replacement_minor: int | None = None,
    advice: bool = True,
    spec: Spec = HOUSE,
) -> Message:
    """0420 (0400 when not `advice`): give back a hold, whole, or down to `replacement_minor` (field 95)."""
    kept = None if replacement_minor is None else replacement_amounts(replacement_minor)
    mti = REVERSAL_ADVICE if advice else REVERSAL
    return _follow_up(original, mti, stan=stan, now_ms=now_ms, spec=spec).replace(
        {APPROVAL_CODE: approval_code, RESPONSE_CODE: str(reason), REPLACEMENT_AMOUNTS: kept}
    )


def network_request(code: str, *, stan: str, now_ms: int, forwarder_id: str = "") -> Message:
    """0800: sign on or off, or an echo; `forwarder_id` says who calls."""
    fields = {TRANSMITTED: transmission_time(now_ms), STAN: stan, NETWORK_CODE: str(code)}
    return Message(NETWORK, fields | ({FORWARDER: forwarder_id} if forwarder_id else {}))


def response(
    request: Message,
    code: str,
    *,
    approval_code: str | None = None,
    amount_minor: int | None = None,
    chip_data: bytes | None = None,
    spec: Spec = HOUSE,
) -> Message:
    """The answer to a request with field 39; `amount_minor` is the lower amount of a partial approval (code
    10).
    """
    echoed = request.only(*ECHOED_FIELDS, spec.number("life_cycle"), spec.number("scheme_transaction"))
    changes: dict[int, str | bytes | None] = {RESPONSE_CODE: str(code)}
    if approval_code is not None:
        changes[APPROVAL_CODE] = approval_code
    if amount_minor is not None:
        changes[AMOUNT] = amount_field(amount_minor)
    if chip_data is not None:
        changes[CHIP_DATA] = chip_data
    return echoed.replace(changes, mti=response_of(request.mti))


def repeat(message: Message) -> Message:
    """The same message marked as a repeat: 0220 → 0221, 0420 → 0421. Trace number and all stay."""
    return message.replace({}, mti=repeat_of(message.mti))


def next_hop(
    message: Message, *, stan: str, now_ms: int, forwarder_id: str = "", original: Message | None = None
) -> Message:
    """A request passed on: trace number, time and forwarder are per hop, everything else stays.

    A reversal or completion names its original as the next party saw it: give the `original` that was
    passed on there.
    """
    changes: dict[int, str | bytes | None] = {TRANSMITTED: transmission_time(now_ms), STAN: stan}
    if forwarder_id:
        changes[FORWARDER] = forwarder_id
    if original is not None:
        changes[ORIGINAL_DATA] = pack_original_data(original_data_of(original))
    return message.replace(changes)


def answer_back(request: Message, downstream: Message, *, spec: Spec = HOUSE) -> Message:
    """The next party's answer turned into ours to the party before: its outcome, the request's trace
    fields.
    """
    outcome = (AMOUNT, APPROVAL_CODE, RESPONSE_CODE, CHIP_DATA, 15, spec.number("scheme_transaction"))
    return response(request, downstream.text(RESPONSE_CODE), spec=spec).replace(
        downstream.only(*outcome).fields
    )


def life_cycle(message: Message, *, spec: Spec = HOUSE) -> str:
    """The reference that a payment keeps for life; terminal and RRN where a partner sends none."""
    reference = message.get(spec.number("life_cycle"))
    if isinstance(reference, str) and reference:
        return reference
    return f"{message.text(TERMINAL).strip()}-{message.text(RRN).strip()}"


def terminal_serial(message: Message, *, spec: Spec = HOUSE) -> str | None:
    """The serial number of the terminal, None when the message does not say."""
    value = message.get(spec.number("terminal_serial"))
    return value if isinstance(value, str) else None


def payment_reference(message: Message, *, spec: Spec = HOUSE) -> str | None:
    """The merchant's own reference of the payment, None when the message does not say."""
    value = message.get(spec.number("payment_reference"))
    return value if isinstance(value, str) else None


def scheme_transaction(message: Message, *, spec: Spec = HOUSE) -> str | None:
    """The scheme's identifier of the payment, None before the scheme has given one."""
    value = message.get(spec.number("scheme_transaction"))
    return value if isinstance(value, str) else None


def is_approved(message: Message) -> bool:
    """Whether an answer says yes, in full or in part; MissingField when it says nothing."""
    return approves(message.text(RESPONSE_CODE))


def amount_field(amount_minor: int) -> str:
    """Field 4: twelve digits in minor units."""
    if not 0 <= amount_minor < 10**12:
        raise ValueError("an amount on the wire has one to twelve digits and no sign")
    return f"{amount_minor:012d}"


def amount_minor(message: Message) -> int:
    """Field 4 as a number of minor units."""
    return _number(message, AMOUNT)


def original_data_of(message: Message) -> OriginalData:
    """What field 90 of a follow-up says about this message."""
    return OriginalData(
        mti=message.mti,
        stan=message.text(STAN),
        transmitted=message.text(TRANSMITTED),
        acquirer_id=text_or_empty(message, ACQUIRER),
        forwarder_id=text_or_empty(message, FORWARDER),
    )


def pack_original_data(original: OriginalData) -> str:
    """Field 90: type 4, trace number 6, transmission time 10, acquirer 11, forwarder 11, zero-filled on the
    left.
    """
    parts = (original.mti, original.stan, original.transmitted)
    return "".join(parts) + original.acquirer_id.zfill(11) + original.forwarder_id.zfill(11)


def unpack_original_data(field: str) -> OriginalData:
    """Field 90 taken apart; institution ids lose their fill."""
    if len(field) != 42 or not (field.isascii() and field.isdigit()):
        raise UnableToRead("field 90 is not 42 digits")
    return OriginalData(
        mti=field[:4],
        stan=field[4:10],
        transmitted=field[10:20],
        acquirer_id=field[20:31].lstrip("0"),
        forwarder_id=field[31:].lstrip("0"),
    )


def replacement_amounts(remaining_minor: int) -> str:
    """Field 95: the amount that stays held; settlement amount zero and no fees."""
    return amount_field(remaining_minor) + "0" * 12 + "C00000000" * 2


def remaining_minor(message: Message) -> int | None:
    """The amount that a partial reversal leaves held; None when the whole hold goes."""
    field = message.get(REPLACEMENT_AMOUNTS)
    if field is None:
        return None
    if not isinstance(field, str) or len(field) != 42 or not (field.isascii() and field[:12].isdigit()):
        raise UnableToRead("field 95 does not begin with an amount")
    return int(field[:12])


def text_or_empty(message: Message, number: int) -> str:
    """A text field, empty when the message does not carry it."""
    value = message.get(number)
    return value if isinstance(value, str) else ""


def _follow_up(original: Message, mti: str, *, stan: str, now_ms: int, spec: Spec) -> Message:
    if not is_request(original.mti):
        raise UnableToRead("a follow-up is made from the request, not from its answer")
    moment = _moment(now_ms)
    return original.without(*SENSITIVE_FIELDS, CHIP_DATA, spec.number("additional_data")).replace(
        {
            TRANSMITTED: transmission_time(now_ms),
            STAN: stan,
            LOCAL_TIME: moment.strftime("%H%M%S") if mti == COMPLETION else original.get(LOCAL_TIME),
            LOCAL_DATE: moment.strftime("%m%d") if mti == COMPLETION else original.get(LOCAL_DATE),
            ORIGINAL_DATA: pack_original_data(original_data_of(original)),
        },
        mti=mti,
    )


def _moment(now_ms: int) -> datetime:
    return datetime.fromtimestamp(now_ms // 1000, tz=UTC)


def _number(message: Message, number: int) -> int:
    text = message.text(number)
    if not (text.isascii() and text.isdigit()):
        raise UnableToRead(f"field {number} is not a number")
    return int(text)
