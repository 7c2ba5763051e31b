"""The fields of ZVT as data: BMPs, TLV tags, and the untagged values that some commands begin with.

Sources: terminals.md section 4.3, and for 2D, 2E, FA to FD, 4E and the three-byte tags the field tables of
PA00P015 rev 13.11 as public decoders list them. Reading a table row: tag, name, kind, length in bytes (None =
as long as stated).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tapwatt.terminals.zvt.messages import Command


class Kind(StrEnum):
    """How the bytes of a field are meant."""

    BYTE = "byte"  # one byte, an integer
    NUMBER = "number"  # BCD, an integer
    DIGITS = "digits"  # BCD, a text that keeps leading zeros
    CURRENCY = "currency"  # BCD of the ISO 4217 number, the three letters
    PAN = "pan"  # BCD, nibble E = masked
    TEXT = "text"  # code page 437
    HEX = "hex"  # binary, as hex digits
    STATE = "state"  # a byte of the terminal-state table
    SECRET = "secret"  # track data and the like: its length only
    GROUP = "group"  # TLVs inside


class Counted(StrEnum):
    """How a field says its length."""

    FIXED = "fixed"
    LL = "ll"  # Fx Fy
    LLL = "lll"  # Fx Fy Fz
    BER = "ber"
    TAIL = "tail"  # to the end, or to a TLV container that fills the end


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSpec:
    """One row of the tables below."""

    tag: int
    name: str
    kind: Kind
    length: int | None = None
    counted: Counted = Counted.FIXED
    pad: str = ""


def _bmp(
    tag: int, name: str, kind: Kind, length: int = 1, counted: Counted = Counted.FIXED, pad: str = ""
) -> FieldSpec:
    fixed = length if counted is Counted.FIXED else None
    return FieldSpec(tag=tag, name=name, kind=kind, length=fixed, counted=counted, pad=pad)


def _tlv(tag: int, name: str, kind: Kind, length: int | None = None) -> FieldSpec:
    return FieldSpec(tag=tag, name=name, kind=kind, length=length, counted=Counted.BER)


_BMP_ROWS = (
    _bmp(0x01, "timeout_s", Kind.BYTE),
    _bmp(0x02, "max_statuses", Kind.BYTE),
    _bmp(0x03, "service_byte", Kind.BYTE),
    _bmp(0x04, "amount_minor", Kind.NUMBER, 6),
    _bmp(0x05, "pump", Kind.BYTE),
    _bmp(0x06, "tlv", Kind.GROUP, counted=Counted.BER),
    _bmp(0x0B, "trace", Kind.DIGITS, 3),
    _bmp(0x0C, "time", Kind.DIGITS, 3),
    _bmp(0x0D, "date", Kind.DIGITS, 2),
    _bmp(0x0E, "expiry", Kind.DIGITS, 2),
    _bmp(0x17, "card_sequence", Kind.DIGITS, 2),
    _bmp(0x19, "payment_type", Kind.BYTE),
    _bmp(0x22, "masked_pan", Kind.PAN, counted=Counted.LL),
    _bmp(0x23, "track_2", Kind.SECRET, counted=Counted.LL),
    _bmp(0x24, "track_3", Kind.SECRET, counted=Counted.LLL),
    _bmp(0x27, "result_code", Kind.BYTE),
    _bmp(0x29, "tid", Kind.DIGITS, 4),
    _bmp(0x2A, "merchant_id", Kind.TEXT, 15, pad=" "),
    _bmp(0x2D, "track_1", Kind.SECRET, counted=Counted.LL),
    _bmp(0x2E, "chip_data", Kind.SECRET, counted=Counted.LLL),
    _bmp(0x37, "original_trace", Kind.DIGITS, 3),
    _bmp(0x3A, "cvv", Kind.SECRET, 2),
    _bmp(0x3B, "approval_code", Kind.TEXT, 8, pad="\0"),
    _bmp(0x3C, "additional_text", Kind.TEXT, counted=Counted.LLL),
    _bmp(0x3D, "password", Kind.DIGITS, 3),
    _bmp(0x49, "currency", Kind.CURRENCY, 2),
    _bmp(0x60, "totals", Kind.HEX, counted=Counted.LLL),
    _bmp(0x87, "receipt", Kind.DIGITS, 2),
    _bmp(0x88, "turnover", Kind.DIGITS, 3),
    _bmp(0x8A, "card_type", Kind.BYTE),
    _bmp(0x8B, "card_name", Kind.TEXT, counted=Counted.LL),
    _bmp(0x8C, "network_card_type", Kind.BYTE),
    _bmp(0xA0, "host_code", Kind.BYTE),
    _bmp(0xA7, "chip_file", Kind.HEX, counted=Counted.LL),
    _bmp(0xAA, "long_date", Kind.DIGITS, 3),
    _bmp(0xBA, "risk", Kind.HEX, 5),
    _bmp(0xD0, "key_algorithm", Kind.BYTE),
    _bmp(0xD1, "pin_data", Kind.SECRET, counted=Counted.LL),
    _bmp(0xF0, "seconds", Kind.BYTE),
    *(_bmp(0xF0 + line, f"line_{line}", Kind.TEXT, counted=Counted.LL) for line in range(1, 9)),
    _bmp(0xF9, "beeps", Kind.BYTE),
    _bmp(0xFA, "reader_control", Kind.BYTE),
    _bmp(0xFB, "confirmation", Kind.BYTE),
    _bmp(0xFC, "dialog_control", Kind.BYTE),
    _bmp(0xFD, "display_device", Kind.BYTE),
)

_TLV_ROWS = (
    _tlv(0x07, "text_line", Kind.TEXT),
    _tlv(0x08, "receipt", Kind.DIGITS, 2),
    _tlv(0x09, "attribute", Kind.BYTE, 1),
    _tlv(0x0A, "command", Kind.HEX, 2),
    _tlv(0x12, "printer_width", Kind.BYTE, 1),
    _tlv(0x14, "character_set", Kind.BYTE, 1),
    _tlv(0x1A, "largest_apdu", Kind.HEX, 2),
    _tlv(0x1B, "diagnosis_kind", Kind.BYTE, 1),
    _tlv(0x40, "emv_configuration", Kind.HEX),
    _tlv(0x41, "card_type_id", Kind.HEX),
    _tlv(0x42, "application_name", Kind.TEXT),
    _tlv(0x43, "aid", Kind.HEX),
    _tlv(0x44, "label", Kind.TEXT),
    _tlv(0x4C, "uid", Kind.HEX),
    _tlv(0x4E, "par", Kind.TEXT),
    _tlv(0x57, "emv_track_2", Kind.SECRET),
    _tlv(0x5A, "emv_pan", Kind.SECRET),
    _tlv(0x1F07, "receipt_kind", Kind.BYTE, 1),
    _tlv(0x1F08, "stripe_1", Kind.SECRET),
    _tlv(0x1F09, "stripe_2", Kind.SECRET),
    _tlv(0x1F0A, "stripe_3", Kind.SECRET),
    _tlv(0x1F0B, "largest_preauthorisation_minor", Kind.NUMBER, 6),
    _tlv(0x1F0E, "date", Kind.DIGITS),
    _tlv(0x1F0F, "time", Kind.DIGITS),
    _tlv(0x1F10, "cardholder_verification", Kind.BYTE, 1),
    _tlv(0x1F11, "online", Kind.BYTE, 1),
    _tlv(0x1F12, "technology", Kind.BYTE, 1),
    _tlv(0x1F14, "token", Kind.HEX),
    _tlv(0x1F15, "reading_control", Kind.BYTE, 1),
    _tlv(0x1F16, "extended_code", Kind.HEX),
    _tlv(0x1F17, "extended_text", Kind.TEXT),
    _tlv(0x1F1A, "matched_pan", Kind.SECRET),
    _tlv(0x1F40, "device_name", Kind.TEXT),
    _tlv(0x1F41, "software_version", Kind.TEXT),
    _tlv(0x1F42, "serial", Kind.DIGITS),
    _tlv(0x1F43, "device_state", Kind.STATE, 1),
    _tlv(0x1F44, "tid", Kind.DIGITS, 4),
    _tlv(0x1F45, "ats", Kind.HEX),
    _tlv(0x1F4C, "rfid_kind", Kind.BYTE, 1),
    _tlv(0x1F4D, "rfid_subkind", Kind.HEX),
    _tlv(0x1F4F, "atqa", Kind.HEX),
    _tlv(0x1F50, "sak", Kind.BYTE, 1),
    _tlv(0x1F60, "allowed_cards", Kind.BYTE, 1),
    _tlv(0x1F62, "reference_prefix", Kind.TEXT),
    _tlv(0x1F63, "reference", Kind.TEXT),
    _tlv(0x23, "open_list", Kind.GROUP),
    _tlv(0x24, "display_texts", Kind.GROUP),
    _tlv(0x25, "print_texts", Kind.GROUP),
    _tlv(0x26, "commands", Kind.GROUP),
    _tlv(0x34, "clock", Kind.GROUP),
    _tlv(0x60, "application", Kind.GROUP),
    _tlv(0x61, "stripe_applications", Kind.GROUP),
    _tlv(0x62, "chip_applications", Kind.GROUP),
    _tlv(0xE4, "device", Kind.GROUP),
    _tlv(0xE9, "merchant_reference", Kind.GROUP),
)

BMPS: Mapping[int, FieldSpec] = {row.tag: row for row in _BMP_ROWS}
BMPS_BY_NAME: Mapping[str, FieldSpec] = {row.name: row for row in _BMP_ROWS}
TLVS: Mapping[int, FieldSpec] = {row.tag: row for row in _TLV_ROWS}
TLVS_BY_NAME: Mapping[str, FieldSpec] = {row.name: row for row in _TLV_ROWS}

_PASSWORD = _bmp(0, "password", Kind.DIGITS, 3)
_RESULT = _bmp(0, "result_code", Kind.BYTE)
_STATE = _bmp(0, "state", Kind.STATE)
_SOFTWARE = _bmp(0, "software", Kind.TEXT, counted=Counted.LLL)
_STATUS = _bmp(0, "status", Kind.BYTE)
_REGISTRATION = (_PASSWORD, _bmp(0, "configuration", Kind.BYTE))

Head = tuple[FieldSpec, ...]

# Untagged values in front of the BMPs. Several rows of one command are tried in this order; the first that
# reads cleanly holds.
HEADS: Mapping[int, tuple[Head, ...]] = {
    Command.REGISTRATION: (
        (*_REGISTRATION, _bmp(0, "currency", Kind.CURRENCY, 2)),
        _REGISTRATION,
    ),
    Command.STATUS_ENQUIRY: ((_PASSWORD,), ()),
    Command.COMPLETION: ((_SOFTWARE, _STATE), (_STATE,), ()),
    # The currency is untagged here, and only sent with result 6F (wrong currency).
    Command.ABORTED: ((_RESULT,), (_RESULT, _bmp(0, "wanted_currency", Kind.CURRENCY, 2))),
    Command.INTERMEDIATE_STATUS: ((_STATUS, _bmp(0, "timeout_min", Kind.BYTE)), (_STATUS,)),
    Command.READ_CARD: ((_bmp(0, "timeout_s", Kind.BYTE),), ()),
    Command.PRINT_LINE: (
        (_bmp(0, "attribute", Kind.BYTE), _bmp(0, "text", Kind.TEXT, counted=Counted.TAIL)),
    ),
    Command.SELECT_LANGUAGE: ((_bmp(0, "language", Kind.BYTE),),),
    **dict.fromkeys(
        (
            Command.SET_TERMINAL_ID,
            Command.REPEAT_RECEIPT,
            Command.REVERSAL,
            Command.REFUND,
            Command.END_OF_DAY,
            Command.INITIALISATION,
        ),
        ((_PASSWORD,), ()),
    ),
}

# Free texts, which may hold whatever a terminal maker prints: scrubbed before anybody sees them.
TEXT_NAMES = frozenset(
    row.name
    for row in (
        *_BMP_ROWS,
        *_TLV_ROWS,
        *(spec for heads in HEADS.values() for head in heads for spec in head),
    )
    if row.kind is Kind.TEXT
)

# What an error in the two-byte acknowledgement says is its second control byte, not a field.
ERROR_CODE = "error_code"
