"""OCMF bytes → values. `OCMF|payload|signature`: the signed bytes are the payload exactly as it stands.

Strict where a signature could be made to mean two things: a name that stands twice in one object, bytes that
are not UTF-8, more than one JSON value. Lenient where meters are known to deviate: numbers as padded text,
unknown codes, fields left out. What it cannot make sense of is kept as text or None, for billing to judge.
Specification: OCMF 1.4, sections and tables 1 to 8 and 24; numbers keep every digit they were written with.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from tapwatt.ocmf.messages import Document, LossCompensation, Pagination, Reading, Record, Signature

DOCUMENT_LIMIT: Final = 262_144
"""Bytes of one document; a reading takes about 150."""
READINGS_LIMIT: Final = 1_000
TEXT_LIMIT: Final = 1_000
FLAGS_LIMIT: Final = 16
DEFAULT_ALGORITHM: Final = "ECDSA-secp256r1-SHA256"
CARD_NUMBER: Final = "ISO7812"
"""The type of user data that is the number of a payment card."""

_INHERITED: Final = ("TM", "TX", "RV", "RI", "RU", "RT", "CL", "EF", "ST")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_number = re.compile(r"[+-]?\d{1,18}(?:\.\d{1,18})?(?:[eE][+-]?\d{1,2})?", re.ASCII)
_half = re.compile("[\ud800-\udfff]")
_pagination = re.compile(r"([TF])(0|[1-9]\d{0,17})", re.ASCII)
_version = re.compile(r"[01](?:\.\d{1,4}){0,2}", re.ASCII)
_time = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)T(?P<clock>\d\d:\d\d:\d\d)(?:[,.](?P<fraction>\d{1,9}))?"
    r"\s?(?:Z|(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d))",
    re.ASCII,
)


class UnableToReadOcmf(ValueError):
    """Not an OCMF document; the sentence names the field and the reason."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: {reason}")
        self.where, self.reason = where, reason


class _Number(str):
    """A JSON number, by the digits it was written with."""


def read_document(data: bytes) -> Document:
    """Split a document into what is signed and its signature. Raises UnableToReadOcmf."""
    if len(data) > DOCUMENT_LIMIT:
        raise UnableToReadOcmf("document", f"over the limit of {DOCUMENT_LIMIT} bytes")
    sections = data.split(b"|")
    if len(sections) != 3 or sections[0].strip() != b"OCMF":
        raise UnableToReadOcmf("document", "must be OCMF|payload|signature, and no other | in it")
    return Document(payload=sections[1], signature=_signature(_object(sections[2], "signature")))


def read_record(payload: bytes) -> Record:
    """What a payload says. Raises UnableToReadOcmf, with the path of the field."""
    fields = _object(payload, "payload")
    version = _text(fields, "FV")
    if version and not _version.fullmatch(version):
        raise UnableToReadOcmf("FV", f"format version {version[:20]!r} is not known")
    user_type = _text(fields, "IT")
    return Record(
        format_version=version,
        gateway=_text(fields, "GI"),
        gateway_serial=_text(fields, "GS"),
        gateway_version=_text(fields, "GV"),
        pagination=_read_pagination(_text(fields, "PG")),
        meter_vendor=_text(fields, "MV"),
        meter_model=_text(fields, "MM"),
        meter_serial=_text(fields, "MS"),
        meter_firmware=_text(fields, "MF"),
        user_assigned=_flag(fields, "IS"),
        user_level=_text(fields, "IL"),
        user_flags=_flags(fields),
        user_type=user_type,
        user_data="" if user_type.strip().upper() == CARD_NUMBER else _text(fields, "ID"),
        tariff_text=_text(fields, "TT"),
        controller_firmware=_text(fields, "CF"),
        loss_compensation=_loss_compensation(fields),
        charge_point_type=_text(fields, "CT"),
        charge_point=_text(fields, "CI"),
        readings=tuple(_readings(fields)),
    )


def read_number(text: str) -> Decimal | None:
    """An exact number of bounded size, spaces around it ignored; None where it is none."""
    bare = text.strip()
    return Decimal(bare) if _number.fullmatch(bare) else None


def read_moment(text: str) -> int | None:
    """Epoch milliseconds of an OCMF time without its clock state; None without a zone or where it is none."""
    found = _time.fullmatch(text.strip())
    if found is None:
        return None
    try:
        local = datetime.fromisoformat(f"{found['day']}T{found['clock']}+00:00")
    except ValueError:
        return None
    offset = timedelta(hours=int(found["hours"] or 0), minutes=int(found["minutes"] or 0))
    since = local - _EPOCH + (offset if found["sign"] == "-" else -offset)
    return since // _MILLISECOND + int((found["fraction"] or "0").ljust(3, "0")[:3])


def _signature(fields: Mapping[str, Any]) -> Signature:
    mime = _text(fields, "SM", "signature.")
    if mime.lower() not in ("", "application/x-der"):
        raise UnableToReadOcmf("signature.SM", f"{mime[:40]!r} is not known; application/x-der is")
    encoded = "".join(_text(fields, "SD", "signature.").split())
    if not encoded:
        raise UnableToReadOcmf("signature.SD", "is missing")
    return Signature(
        algorithm=_text(fields, "SA", "signature.") or DEFAULT_ALGORITHM,
        data=_decoded(encoded, _text(fields, "SE", "signature.").lower()),
    )


def _decoded(encoded: str, encoding: str) -> bytes:
    """Hex is the default; a default that does not fit is tried as base64, as some meters forget to say so."""
    if encoding not in ("", "hex", "base64"):
        raise UnableToReadOcmf("signature.SE", f"{encoding[:40]!r} is not known; hex and base64 are")
    if encoding != "base64":
        try:
            return bytes.fromhex(encoded)
        except ValueError:
            if encoding:
                raise UnableToReadOcmf("signature.SD", "is not hex") from None
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        said = encoding or "hex or base64"
        raise UnableToReadOcmf("signature.SD", f"is not {said}") from None


def _object(data: bytes, where: str) -> dict[str, Any]:
    def refuse(constant: str) -> None:
        raise UnableToReadOcmf(where, f"is not JSON: {constant} is no number")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        fields = dict(pairs)
        if len(fields) != len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise UnableToReadOcmf(where, f"{twice[:40]!r} stands twice in one object")
        return fields

    try:
        found = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=once,
            parse_int=_Number,
            parse_float=_Number,
            parse_constant=refuse,
        )
    except UnicodeDecodeError:
        raise UnableToReadOcmf(where, "is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise UnableToReadOcmf(where, f"is not JSON: {error}") from None
    except RecursionError:
        raise UnableToReadOcmf(where, "is too deep") from None
    if not isinstance(found, dict):
        raise UnableToReadOcmf(where, "must be a JSON object")
    return found


def _text(fields: Mapping[str, Any], name: str, path: str = "") -> str:
    """A text, or a number as it was written; "" where it is missing or null."""
    value = fields.get(name)
    if value is None:
        return ""
    if not _is_text(value):
        raise UnableToReadOcmf(path + name, "must be text")
    if len(value) > TEXT_LIMIT:
        raise UnableToReadOcmf(path + name, f"over the limit of {TEXT_LIMIT} characters")
    return str(value)


def _is_text(value: object) -> bool:
    """JSON's escapes can spell half of a character, which no column and no screen can take."""
    return isinstance(value, str) and (value.isascii() or not _half.search(value))


def _flag(fields: Mapping[str, Any], name: str) -> bool | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise UnableToReadOcmf(name, "must be true or false")
    return value


def _flags(fields: Mapping[str, Any]) -> tuple[str, ...]:
    value = fields.get("IF")
    if value is None:
        return ()
    if not isinstance(value, list) or not all(_is_text(each) for each in value):
        raise UnableToReadOcmf("IF", "must be a list of text")
    if len(value) > FLAGS_LIMIT:
        raise UnableToReadOcmf("IF", f"over the limit of {FLAGS_LIMIT} flags")
    return tuple(str(each) for each in value)


def _read_pagination(text: str) -> Pagination | None:
    found = _pagination.fullmatch(text.strip())
    return Pagination(context=found[1], number=int(found[2])) if found else None


def _loss_compensation(fields: Mapping[str, Any]) -> LossCompensation | None:
    value = fields.get("LC")
    if value is None:
        return None
    if not isinstance(value, dict):
        raise UnableToReadOcmf("LC", "must be an object")
    resistance = read_number(_text(value, "LR", "LC."))
    if resistance is None:
        raise UnableToReadOcmf("LC.LR", "must be the cable's resistance")
    unit = _text(value, "LU", "LC.")
    if unit.lower() not in ("mohm", "uohm"):
        raise UnableToReadOcmf("LC.LU", "must be mOhm or uOhm")
    name, number = _text(value, "LN", "LC."), _text(value, "LI", "LC.")
    return LossCompensation(resistance=resistance, unit=unit, name=name, number=number)


def _readings(fields: Mapping[str, Any]) -> Iterator[Reading]:
    """A field that is missing or null has the value it had in the reading before."""
    given = fields.get("RD")
    if not isinstance(given, list) or not given:
        raise UnableToReadOcmf("RD", "must be a list of at least one reading")
    if len(given) > READINGS_LIMIT:
        raise UnableToReadOcmf("RD", f"over the limit of {READINGS_LIMIT} readings")
    known: dict[str, Any] = {}
    for place, each in enumerate(given):
        if not isinstance(each, dict):
            raise UnableToReadOcmf(f"RD[{place}]", "must be an object")
        known |= {name: each[name] for name in _INHERITED if each.get(name) is not None}
        yield _reading(known, f"RD[{place}].")


def _reading(fields: Mapping[str, Any], path: str) -> Reading:
    time = _text(fields, "TM", path)
    if not time:
        raise UnableToReadOcmf(f"{path}TM", "is missing")
    moment, _, clock = time.strip().rpartition(" ")
    if len(clock) != 1:  # no clock state behind the time
        moment, clock = time, ""
    return Reading(
        time=time,
        at_ms=read_moment(moment),
        clock=clock,
        transaction=_text(fields, "TX", path).strip(),
        value=read_number(_text(fields, "RV", path)),
        unit=_text(fields, "RU", path).strip(),
        register=_text(fields, "RI", path).strip(),
        current=_text(fields, "RT", path),
        loss=read_number(_text(fields, "CL", path)),
        error_flags=_text(fields, "EF", path).strip(),
        status=_text(fields, "ST", path).strip(),
    )
