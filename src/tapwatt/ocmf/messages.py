"""OCMF's values: a signed document, and the record of readings that its payload holds.

A document is kept as the bytes that were signed; the record is a reading of them and is never written back.
Codes stay the letters of the specification (OCMF 1.4, tables 7, 10 and 19), as they are printed on receipts
and looked up in papers; text that is missing is "".
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Final

# A reading has at most 18 digits on either side of the point and an exponent of two: 300 hold any difference.
EXACT: Final = Context(prec=300, traps=[Inexact, InvalidOperation])
_WH_PER_UNIT: Final = {"wh": Decimal(1), "kwh": Decimal(1000)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """The signature section: how the payload was signed, and with what result."""

    algorithm: str
    """As written, such as ECDSA-secp256r1-SHA256; the specification's default where it was left out."""
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One OCMF document: exactly the signed bytes, and their signature."""

    payload: bytes
    signature: Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Pagination:
    """Place of a document in its meter's stream: T counts documents of transactions, F fiscal ones."""

    context: str
    number: int

    def __str__(self) -> str:
        return f"{self.context}{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LossCompensation:
    """The cable whose losses the meter takes off the energy."""

    resistance: Decimal
    unit: str
    """mOhm or uOhm."""
    name: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One reading of one register, with what it takes over from the reading before it filled in."""

    time: str
    """As written, clock state included."""
    at_ms: int | None
    """Epoch milliseconds; None where no time with a zone can be read."""
    clock: str
    """S synchronised, R relative, I informative, U unknown."""
    transaction: str
    """B begin; C, S, T, X within; E, L, R, A, P end; "" outside a transaction."""
    value: Decimal | None
    """Exact; None where there is none or it is no number."""
    unit: str
    register: str
    """OBIS code as written."""
    current: str
    """AC or DC."""
    loss: Decimal | None
    """Energy taken off for the cable since the begin, in `unit`."""
    error_flags: str
    """E energy, t time: no longer usable."""
    status: str
    """G: the meter works."""

    @property
    def energy_wh(self) -> Decimal | None:
        """The register in watt-hours, exact; None where it does not count energy."""
        factor = _WH_PER_UNIT.get(self.unit.lower())
        if factor is None or self.value is None:
            return None
        return EXACT.multiply(self.value, factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a payload says: who measured, for whom, and the readings in their order."""

    format_version: str
    gateway: str
    gateway_serial: str
    gateway_version: str
    pagination: Pagination | None
    meter_vendor: str
    meter_model: str
    meter_serial: str
    meter_firmware: str
    user_assigned: bool | None
    user_level: str
    user_flags: tuple[str, ...]
    user_type: str
    user_data: str
    """Never a card number: left out where the type is ISO7812."""
    tariff_text: str
    controller_firmware: str
    loss_compensation: LossCompensation | None
    charge_point_type: str
    charge_point: str
    readings: tuple[Reading, ...]

    @property
    def meter(self) -> str:
        """The serial that names what has measured: the meter's, else the gateway's."""
        return self.meter_serial or self.gateway_serial
