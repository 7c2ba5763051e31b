"""What the fields of a ZVT message say, in words: labels from the tables of `fields`, values from `codes`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tapwatt.core.money import show
from tapwatt.terminals.zvt.codes import intermediate_text, result, state
from tapwatt.terminals.zvt.fields import BMPS_BY_NAME, ERROR_CODE, TLVS_BY_NAME

_RESULTS = ("result_code", ERROR_CODE)
_STATES = ("state", "device_state")


def explain(fields: Mapping[str, Any], *, currency: str) -> list[tuple[str, str, str]]:
    """A trace's fields in order, as label, value and what it means ("" when it speaks for itself)."""
    return list(_explained(fields, currency, inside=False))


def _explained(fields: Mapping[str, Any], currency: str, *, inside: bool) -> Iterator[tuple[str, str, str]]:
    for name, value in fields.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                yield _label(name, inside), f"{len(each)} fields", ""
                yield from _explained(each, currency, inside=True)
            else:
                yield _label(name, inside), str(each), _meaning(name, each, currency)


def _label(name: str, inside: bool) -> str:
    spec = (TLVS_BY_NAME if inside else BMPS_BY_NAME).get(name)
    words = name.replace("_minor", "").replace("_", " ")
    if spec is None:
        return words
    return f"{'TLV' if inside else 'BMP'} {spec.tag:02X} {words}"


def _meaning(name: str, value: Any, currency: str) -> str:
    if not isinstance(value, int):
        return ""
    if name.endswith("amount_minor") or name == "amount_minor":
        return show(value, currency=currency) if len(currency) == 3 else ""
    if name in _RESULTS:
        return result(value).text
    if name in _STATES:
        return state(value).text
    return intermediate_text(value) if name == "status" else ""
