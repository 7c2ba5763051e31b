"""What a field of a card message says, in words: for people who read a trace.

Labels come from the dialect's data, words for values from the tables that the hosts themselves decide by.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tapwatt.core.money import show
from tapwatt.rails.additional import (
    PARTIAL_CAPABLE,
    PRE_AUTHORISATION,
    UnableToReadAdditional,
    unpack_additional,
)
from tapwatt.rails.emv.names import tag_name
from tapwatt.rails.messages import HOUSE, ReversalReason, UnableToRead, unpack_original_data
from tapwatt.rails.mti import is_request
from tapwatt.rails.responses import meaning_of

_REASONS: Final[Mapping[str, str]] = {
    ReversalReason.CANCELLED: "cancelled by the merchant",
    ReversalReason.UNDELIVERED: "the answer did not reach the terminal",
    ReversalReason.TIMEOUT: "no answer in time",
}
_CONSTANT: Final[Mapping[tuple[str, str], str]] = {
    ("3", "000000"): "goods and services",
    ("18", "5552"): "electric vehicle charging",
    ("22", "072"): "contactless chip, terminal without PIN entry",
    ("25", "06"): "pre-authorisation",
}
_SPELT: Final = {
    "pan": "card number",
    "stan": "system trace number",
    "rrn": "retrieval reference number",
    "mac": "message authentication code",
}
_FLAGS: Final = {PRE_AUTHORISATION: "the final amount comes later", PARTIAL_CAPABLE: "less than this will do"}

Told = tuple[str, str, str]
"""Label, value and what it means ("" when it speaks for itself)."""


def explain(mti: str, fields: Mapping[str, Any], *, currency: str) -> list[Told]:
    """The fields of a trace in order, as label, value and meaning."""
    told: list[Told] = []
    for number, value in fields.items():
        label = f"DE{number} {_name(number)}"
        if isinstance(value, dict):
            told += _chip_data(label, value)
        else:
            told.append((label, str(value), _meaning(mti, number, str(value), currency)))
    return told


def _chip_data(label: str, tags: Mapping[str, str]) -> list[Told]:
    """Tags whose values are shown, each; and the names of the others."""
    withheld = [tag_name(tag) or tag for tag, said in tags.items() if said.startswith("<")]
    shown = [(f"{tag} {tag_name(tag)}", said, "") for tag, said in tags.items() if not said.startswith("<")]
    return [(label, f"{len(tags)} tags", f"not shown: {', '.join(withheld)}"), *shown]


def _name(number: str) -> str:
    if not number.isdigit() or int(number) not in HOUSE.layout.fields:
        return ""
    name = HOUSE.field_name(int(number))
    return _SPELT.get(name, name.replace("_", " "))


def _meaning(mti: str, number: str, value: str, currency: str) -> str:
    match number:
        case _ if value.startswith("<"):
            return "withheld"
        case "4" if value.isdigit() and len(currency) == 3:
            return show(int(value), currency=currency)
        case "7" if len(value) == 10:
            return f"{value[2:4]}.{value[:2]}. {value[4:6]}:{value[6:8]}:{value[8:]} UTC"
        case "12" if len(value) == 6:
            return f"{value[:2]}:{value[2:4]}:{value[4:]}"
        case "39":
            return _REASONS.get(value, "") if is_request(mti) else meaning_of(value).meaning
        case "48":
            return _flags(value)
        case "49":
            return currency
        case "90":
            return _original(value)
    return _CONSTANT.get((number, value), "")


def _flags(value: str) -> str:
    try:
        tags = unpack_additional(value)
    except UnableToReadAdditional:
        return ""
    return ", ".join(words for tag, words in _FLAGS.items() if tags.get(tag) == "1")


def _original(value: str) -> str:
    try:
        said = unpack_original_data(value)
    except UnableToRead:
        return ""
    return f"about the {said.mti} with trace number {said.stan}"
